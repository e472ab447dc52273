"""The assumptions of an estimate: what no template says of an environment's use."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from totes.telemetry import LAKE_FINDINGS, METRICS, ROTATIONS_OVERDUE, VERIFY_DIFFERENCES

HOURS_A_MONTH = Decimal(730)
DAYS_A_MONTH = HOURS_A_MONTH / 24


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a shop's size decides, and no template says.

    Attributes:
        seconds_a_run: how long a run of each function is billed for, by the function's own name.
        gb_a_bucket: what each bucket of the lake holds, with superseded versions.
        gb_of_snapshots: what the dashboard's bucket holds, with every manifest and what was published before.
        mb_a_look: what a browser reads each time that somebody opens the dashboard.
        changed: which part of the ticks bring a batch.
        published: which part of the ticks publish a snapshot for the dashboard.
        batches: how many the lake has.
        gb_a_night: what the nightly comparison reads of the source.
    """

    seconds_a_run: Mapping[str, Decimal]
    gb_a_bucket: Decimal
    gb_of_snapshots: Decimal
    mb_a_look: Decimal
    changed: Decimal = Decimal(0)
    published: Decimal = Decimal(0)
    batches: Decimal = Decimal(0)
    gb_a_night: Decimal = Decimal(0)


# A run is an idle tick, a night's comparison, sweep or audit, a step of a rotation.
_SECONDS_A_RUN = {
    "raw_data_to_ingestion_bucket": Decimal("0.5"),
    "ingestion_to_processed_bucket": Decimal("0.3"),
    "processed_bucket_to_warehouse": Decimal("0.5"),
    "publish_snapshot": Decimal(1),
    "verify_warehouse": Decimal(60),
    "sweep_ingestion_bucket": Decimal(20),
    "audit_lake": Decimal(30),
    "rotate_database_login": Decimal(2),
    "prepare_warehouse": Decimal(2),
    "answer_questions": Decimal(2),
    "fetch_exchange_rates": Decimal(3),
}

A_SMALL_SHOP = Use(
    seconds_a_run=_SECONDS_A_RUN, gb_a_bucket=Decimal(10), gb_of_snapshots=Decimal(5), mb_a_look=Decimal(3)
)

# How often a person calls a function, a month, by the function's own name.
CALLED_BY_HAND = {"prepare_warehouse": Decimal(1), "answer_questions": Decimal(100)}

FLOW_LOG_WRITES_AN_HOUR = 6  # what it has gathered in ten minutes, if anything was refused

TRANSITIONS_AN_EXECUTION = 12  # nine states on the idle path; the rest is room for retries


@dataclass(frozen=True)
class Requests:
    """Requests to S3.

    Attributes:
        writes: PUT and LIST.
        reads: GET.
    """

    writes: Decimal
    reads: Decimal


# Counted while the functions' own handlers run, by tests/integration/costs/test_requests.py.
LAKE_BUCKETS = 2
IDLE_TICK = Requests(Decimal(9), Decimal(4))
"""Of the lake's buckets together, by capture, transform and load, with exchange rates."""
CHANGED_TICK = Requests(Decimal(20), Decimal(30))
"""Beside those of an idle tick, where some twenty-five events happened: half as many of one, half as many again of
some hundred."""
AUDITED_BATCH = Requests(Decimal("0.07"), Decimal("2.3"))
"""Of the nightly audit, for each batch that it looks at: its two manifests, and one in fifty of its parts. What the
nightly sweep asks for, a manifest for each batch of the day, comes to less than a cent a month."""
IDLE_PUBLICATION = Requests(Decimal(1), Decimal(3))
"""Of the dashboard's bucket."""
PUBLICATION = Requests(Decimal(19), Decimal(1))
"""Of it beside those, where a changed tick is published: it writes the months again that it touches."""

# The dashboard: ten people who open it twice a day.
READERS = 10
LOOKS = 450  # a month, by all of them
FILES_A_LOOK = 40  # of the snapshot; what the browser has, it does not ask for
POLLS_A_LOOK = 60  # a page asks twice a minute whether there is a newer snapshot
PAGE_REQUESTS_A_LOOK = 6
MB_OF_PAGE_A_LOOK = Decimal("0.2")

CALLS_A_TICK = 1  # of each secret

KB_LOGGED_A_RUN = 16  # into each log group, by each function, execution or flow log that writes to it
ONCE_A_NIGHT = {VERIFY_DIFFERENCES, LAKE_FINDINGS, ROTATIONS_OVERDUE}
METRIC_MONTHS = {name: 1 / Decimal(24) if name in ONCE_A_NIGHT else Decimal(1) for name in METRICS}
"""How long each metric is paid for, by its name: by the hour, and only those in which it is sent.

None has a dimension but the environment.
https://aws.amazon.com/cloudwatch/pricing/ ("prorated by the hour and metered only when you send metrics")
"""

EMAILS_A_TOPIC = 100  # a month
REQUESTS_A_QUEUE = 1000  # a month: a queue for what failed, which nobody polls

DASHBOARD_LOOKS = 100  # a month, whoever opens it or has it refreshed
GB_SCANNED_A_LOOK = Decimal("0.01")  # by each query of a log on the operations dashboard: a few days of one function's

GB_THROUGH_A_GATEWAY = 5  # a month, beside a larger shop's nights; through an instance it costs nothing by itself

# What would replace a gateway, in an environment that has gateways.
NAT_INSTANCE = {
    "InstanceType": "t4g.nano",
    "SourceDestCheck": False,
    "BlockDeviceMappings": [{"Ebs": {"VolumeType": "gp3", "VolumeSize": 8}}],
}
NAT_ALARM = {"Namespace": "AWS/EC2", "Period": 60}
GB_THROUGH_AN_ENDPOINT = 1  # a month

NOT_COUNTED = (
    "free tiers: none is taken off, that of SNS and SQS neither",
    "data out to the internet, but to the dashboard's readers, or to another zone, tax, support, discounts",
    "a busy shop, an initial load, a rebuild: every tick is idle",
    "cold starts: since August 2025 Lambda charges for those seconds too",
    "backups beyond a database's own size; databases that are not in the templates",
    "a warehouse of your own outside the network: each night as much of it is read as of the source",
    "the bucket that the CDK uploads to",
    "Athena: what it reads, and the requests that bring its lists up to date",
)
