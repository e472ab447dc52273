"""What buckets, secrets, keys and databases cost; each function raises Unpriceable if that cannot be told."""

from decimal import Decimal

from costs import assumptions, prices
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource, Unpriceable

_MB_A_GB = 1024


def bucket(resource: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::S3::Bucket: the gigabytes assumed, the requests of each tick, and those of browsers where they may ask."""
    if "CorsConfiguration" in resource.properties:
        reads = assumptions.LOOKS * (assumptions.FILES_A_LOOK + assumptions.POLLS_A_LOOK)
        return [
            Charge(assumptions.GB_OF_SNAPSHOTS, prices.S3_STORAGE),
            Charge(runs.ticks * assumptions.DASHBOARD_WRITES_A_TICK, prices.S3_WRITE),
            Charge(runs.ticks * assumptions.DASHBOARD_READS_A_TICK + reads, prices.S3_READ),
            Charge(Decimal(assumptions.LOOKS * assumptions.MB_A_LOOK) / _MB_A_GB, prices.DATA_OUT),
        ]
    return [
        Charge(assumptions.GB_A_BUCKET, prices.S3_STORAGE),
        Charge(runs.ticks * assumptions.WRITES_A_TICK, prices.S3_WRITE),
        Charge(runs.ticks * assumptions.READS_A_TICK, prices.S3_READ),
    ]


def secret(_: TemplateResource, runs: Runs) -> list[Charge]:
    """AWS::SecretsManager::Secret: to be there, and to be read in each tick."""
    return [Charge(1, prices.SECRET), Charge(runs.ticks * assumptions.CALLS_A_TICK, prices.SECRET_CALL)]


def key(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::KMS::Key: to be there, and to be used."""
    return [Charge(1, prices.KMS_KEY), Charge(assumptions.REQUESTS_A_KEY, prices.KMS_REQUEST)]


def database(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::RDS::DBInstance: PostgreSQL on gp3, its instance and its storage, in one zone or in two."""
    given = resource.properties
    size = given.get("DBInstanceClass")
    if given.get("Engine") != "postgres" or given.get("StorageType") != "gp3" or "Iops" in given:
        raise Unpriceable("only PostgreSQL on gp3 without more IOPS than it comes with has a price here")
    if size not in prices.DATABASE_HOUR:
        raise Unpriceable(f"costs/prices.py has no price of {size}")
    zones = 2 if given.get("MultiAZ") else 1
    return [
        Charge(assumptions.HOURS_A_MONTH * zones, prices.DATABASE_HOUR[size]),
        Charge(resource.number("AllocatedStorage") * zones, prices.DATABASE_GP3),
    ]
