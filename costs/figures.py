"""The figures of an estimate: prices as published, and guesses of what no template says of an environment's use.

Prices are in US dollars without tax, on demand, everywhere the first tier of use, and no free tier: check them before
you rely on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from totes.telemetry import LAKE_FINDINGS, METRICS, ROTATIONS_OVERDUE, VERIFY_DIFFERENCES

REGION = "eu-west-2"
AS_OF = "2026-11-24"  # the day on which they were written down


@dataclass(frozen=True)
class Price:
    """A price.

    Attributes:
        usd: what so many units cost.
        unit: what is paid for, in the plural.
        per: how many units the price buys.
    """

    usd: Decimal
    unit: str
    per: int = 1


@dataclass(frozen=True)
class Charge:
    """So much of something, at a price, in a month."""

    quantity: Decimal | int
    price: Price

    @property
    def usd(self) -> Decimal:
        """What it costs."""
        return self.quantity * self.price.usd / self.price.per


# Prices.

LAMBDA_REQUEST = Price(Decimal("0.20"), "requests", per=1_000_000)
LAMBDA_GB_SECOND = {
    "arm64": Price(Decimal("0.0000133334"), "GB-seconds (arm64)"),
    "x86_64": Price(Decimal("0.0000166667"), "GB-seconds (x86_64)"),
}
STATE_TRANSITION = Price(Decimal("0.025"), "state transitions", per=1000)
TRACE = Price(Decimal("5.00"), "traces", per=1_000_000)
SCHEDULED_INVOCATION = Price(Decimal("1.15"), "invocations", per=1_000_000)

S3_STORAGE = Price(Decimal("0.024"), "GB-months")
S3_WRITE = Price(Decimal("0.0053"), "PUT and LIST requests", per=1000)
S3_READ = Price(Decimal("0.0042"), "GET requests", per=10_000)

DATA_OUT = Price(Decimal("0.09"), "GB to browsers")

# In Europe; everywhere else in price class 100 it is the same or less.
CLOUDFRONT_REQUEST = Price(Decimal("0.012"), "HTTPS requests", per=10_000)
CLOUDFRONT_DATA = Price(Decimal("0.085"), "GB to browsers")

ACTIVE_USER = Price(Decimal("0.0055"), "active users (Lite)")  # the first 10,000 of an account are free

SECRET = Price(Decimal("0.40"), "secrets")
SECRET_CALL = Price(Decimal("0.05"), "calls", per=10_000)

LOG_INGEST = Price(Decimal("0.5985"), "GB ingested")
LOG_SCAN = Price(Decimal("0.005985"), "GB scanned")
LOG_STORAGE = Price(Decimal("0.0315"), "GB-months kept")
CUSTOM_METRIC = Price(Decimal("0.30"), "metrics")
ALARM = Price(Decimal("0.10"), "alarm metrics")
FAST_ALARM = Price(Decimal("0.30"), "alarm metrics under a minute")
DASHBOARD = Price(Decimal("3.00"), "dashboards")
EMAIL = Price(Decimal("2.00"), "e-mails", per=100_000)
SQS_REQUEST = Price(Decimal("0.40"), "requests", per=1_000_000)

NAT_HOUR = Price(Decimal("0.05"), "hours")
NAT_DATA = Price(Decimal("0.05"), "GB processed")
ENDPOINT_HOUR = Price(Decimal("0.011"), "hours in a zone")
ENDPOINT_DATA = Price(Decimal("0.01"), "GB processed")
INSTANCE_HOUR = {"t4g.nano": Price(Decimal("0.0047"), "hours of t4g.nano")}  # Linux
VOLUME_GP3 = Price(Decimal("0.0928"), "GB-months (gp3)")
PUBLIC_ADDRESS_HOUR = Price(Decimal("0.005"), "hours")

# PostgreSQL in one zone. In two zones both the hour and the gigabyte cost twice as much.
DATABASE_HOUR = {
    "db.t4g.micro": Price(Decimal("0.018"), "hours of db.t4g.micro"),
    "db.t4g.small": Price(Decimal("0.036"), "hours of db.t4g.small"),
    "db.t4g.medium": Price(Decimal("0.072"), "hours of db.t4g.medium"),
}
DATABASE_GIB = {
    "db.t4g.micro": 1,
    "db.t4g.small": 2,
    "db.t4g.medium": 4,
    "db.t4g.large": 8,
    "db.t4g.xlarge": 16,
    "db.t4g.2xlarge": 32,
    "db.r6g.2xlarge": 64,
    "db.r6g.4xlarge": 128,
    "db.r6g.8xlarge": 256,
    "db.r6g.16xlarge": 512,
}
"""Memory of instance classes, the smallest first."""
for _name, _gib in DATABASE_GIB.items():
    # Not looked up: a GiB costs what it does in those above. The larger ones of r6g cost somewhat less.
    DATABASE_HOUR.setdefault(_name, Price(_gib * DATABASE_HOUR["db.t4g.micro"].usd, f"hours of {_name}"))
DATABASE_GP3 = Price(Decimal("0.133"), "GB-months (gp3)")

# Guesses.

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
    """

    seconds_a_run: Mapping[str, Decimal]
    gb_a_bucket: Decimal
    gb_of_snapshots: Decimal
    mb_a_look: Decimal


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

TRANSITIONS_AN_EXECUTION = 12  # about eight states on the idle path; the rest is room for retries

WRITES_A_TICK = 10  # PUT and LIST, to each bucket
READS_A_TICK = 30  # GET, from each bucket

# The dashboard: its bucket, and ten people who open it twice a day.
DASHBOARD_WRITES_A_TICK = 2  # PUT and LIST
DASHBOARD_READS_A_TICK = 2  # GET, by the publisher
READERS = 10
LOOKS = 450  # a month, by all of them
FILES_A_LOOK = 40  # of the snapshot; what the browser has, it does not ask for
POLLS_A_LOOK = 60  # a page asks twice a minute whether there is a newer snapshot
PAGE_REQUESTS_A_LOOK = 6
MB_OF_PAGE_A_LOOK = Decimal("0.2")

CALLS_A_TICK = 1  # of each secret

KB_LOGGED_A_RUN = 16  # into each log group, by each function, execution or flow log that writes to it
ONCE_A_NIGHT = {VERIFY_DIFFERENCES, LAKE_FINDINGS, ROTATIONS_OVERDUE}
METRIC_MONTHS = [1 / Decimal(24) if name in ONCE_A_NIGHT else Decimal(1) for name in METRICS]
"""How long each metric is paid for: by the hour, and only those in which it is sent.

None has a dimension but the environment.
https://aws.amazon.com/cloudwatch/pricing/ ("prorated by the hour and metered only when you send metrics")
"""

EMAILS_A_TOPIC = 100  # a month
REQUESTS_A_QUEUE = 1000  # a month: a queue for what failed, which nobody polls

DASHBOARD_LOOKS = 100  # a month, whoever opens it or has it refreshed
GB_SCANNED_A_LOOK = Decimal("0.01")  # by each query of a log on the operations dashboard: a few days of one function's

GB_THROUGH_A_GATEWAY = 5  # a month; what goes through an instance costs nothing by itself

# What stands where a gateway does, for an environment that has gateways.
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
    "backups beyond a database's own size; databases that are not in the templates",
    "the bucket that the CDK uploads to",
)
