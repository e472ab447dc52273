"""The prices of an estimate, as published: check them before you rely on them.

They are in US dollars without tax, on demand, everywhere the first tier of use, and no free tier.
"""

from dataclasses import dataclass
from decimal import Decimal

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
"""Memory of the classes that have a price, the smallest first; the synth takes each of them."""
for _name, _gib in DATABASE_GIB.items():
    # Not looked up: a GiB costs what it does in those above. The larger ones of r6g cost somewhat less.
    DATABASE_HOUR.setdefault(_name, Price(_gib * DATABASE_HOUR["db.t4g.micro"].usd, f"hours of {_name}"))
DATABASE_GP3 = Price(Decimal("0.133"), "GB-months (gp3)")
