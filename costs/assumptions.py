"""What no template says of an environment's use: guesses, all of them here."""

from decimal import Decimal

from totes.telemetry import METRICS

HOURS_A_MONTH = Decimal(730)
DAYS_A_MONTH = HOURS_A_MONTH / 24

# How long a run of each function is billed for, by the function's own name: an idle tick, a
# night's comparison, sweep or audit, a step of a rotation.
SECONDS_A_RUN = {
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
}

# How often a person calls a function, a month, by the function's own name.
CALLED_BY_HAND = {"prepare_warehouse": Decimal(1), "answer_questions": Decimal(100)}

FLOW_LOG_WRITES_AN_HOUR = 6  # what it has gathered in ten minutes, if anything was refused

TRANSITIONS_AN_EXECUTION = 12  # about eight states on the idle path; the rest is room for retries

GB_A_BUCKET = 10  # with superseded versions
WRITES_A_TICK = 10  # PUT and LIST, to each bucket
READS_A_TICK = 30  # GET, from each bucket

# The dashboard: its bucket, and ten people who open it twice a day.
GB_OF_SNAPSHOTS = 5  # with every manifest, and what was published before
DASHBOARD_WRITES_A_TICK = 2  # PUT and LIST
DASHBOARD_READS_A_TICK = 2  # GET, by the publisher
READERS = 10
LOOKS = 450  # a month, by all of them
FILES_A_LOOK = 40  # of the snapshot; what the browser has, it does not ask for
POLLS_A_LOOK = 60  # a page asks twice a minute whether there is a newer snapshot
MB_A_LOOK = 3
PAGE_REQUESTS_A_LOOK = 6
MB_OF_PAGE_A_LOOK = Decimal("0.2")

CALLS_A_TICK = 1  # of each secret
REQUESTS_A_KEY = 20_000  # a month

KB_LOGGED_A_RUN = 16  # into each log group, by each function, execution or flow log that writes to it
CUSTOM_METRICS = len(METRICS)  # none has a dimension but the environment
EMAILS_A_TOPIC = 100  # a month
REQUESTS_A_QUEUE = 1000  # a month: a queue for what failed, which nobody polls

BOARD_LOOKS = 100  # a month, whoever opens it or has it refreshed
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
