"""What an environment is: how one deployment may differ from another, and which of them are refused.

The environments themselves are in stacks/config.py.
"""

import math
import re
from dataclasses import dataclass, replace
from datetime import date
from ipaddress import IPv4Network
from typing import Literal

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from stacks.target import Target
from totes.lake.audit import NIGHTS

LOCAL_EMAIL = "you@localhost"
"""Who gets alarms in a local cloud; `totes local mail` shows what they said."""

_LOCAL_SITE = "{endpoint}"
"""A local cloud's endpoint, which the function knows and the stack does not."""

_SUFFIX = "[a-z][a-z0-9]{0,11}"
"""A function's name has 64 characters at most, and the longest leaves so many."""

_SECURITY_GROUP = "sg-([0-9a-f]{8}|[0-9a-f]{17})"
_CERTIFICATE = "arn:aws:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]+"


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a function may use.

    Attributes:
        memory_mb: memory, and with it the share of a processor, in MB; 128 to 10240, in a new account 3008.
        timeout_minutes: after how many minutes Lambda ends it; at most 15.
    """

    memory_mb: int = 1536
    timeout_minutes: int = 15

    def __post_init__(self) -> None:
        """Refuse what Lambda gives nobody; raise ValueError.

        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        """
        if not 128 <= self.memory_mb <= 10240:  # noqa: PLR2004 - Lambda's, as the sentence says
            raise ValueError(f"memory_mb is {self.memory_mb}; Lambda gives a function 128 to 10240 MB")
        if not 1 <= self.timeout_minutes <= 15:  # noqa: PLR2004 - likewise
            raise ValueError(f"timeout_minutes is {self.timeout_minutes}; Lambda ends a function after 15 at most")


@dataclass(frozen=True, kw_only=True)
class NewNetwork:
    """A network of totes' own: private subnets in two zones, and a NAT if something outside must be reached.

    Attributes:
        cidr: its addresses.
        zones: the two availability zones, such as ("eu-west-2a", "eu-west-2c"); None: the first two. Not every zone of
            a region has Lambda, NAT gateways and instances of every kind.
        nat: what functions reach the outside by: an instance, a fifth of the price, or a gateway, which AWS keeps up;
            docs/costs.md compares them.
        nat_zones: in how many zones there is one, 1 or 2, each with an address of its own. With one, a zone that fails
            takes the other's way out too.
        generation: which of the environment's networks it is. A higher number is another network, beside the one of
            before, whose stack stays until somebody deletes it. Other addresses or zones need one (docs/disasters.md).
    """

    cidr: str = "10.20.0.0/20"
    zones: tuple[str, str] | None = None
    nat: Literal["instance", "gateway"] = "instance"
    nat_zones: int = 1
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse an unknown kind or number of ways out; raise ValueError."""
        if self.nat not in {"instance", "gateway"}:
            raise ValueError(f"nat is {self.nat!r}; NewNetwork knows 'instance' and 'gateway'")
        if self.zones is not None and not len(self.zones) == len({*self.zones}) == 2:  # noqa: PLR2004 - as it says
            raise ValueError(f"zones is {self.zones!r}; a network of totes' own has two zones, so name two, or None")
        if self.nat_zones not in {1, 2}:
            raise ValueError(f"nat_zones is {self.nat_zones!r}; a network of totes' own has two zones, so say 1 or 2")


@dataclass(frozen=True, kw_only=True)
class ExistingNetwork:
    """A VPC that is there already, whose private subnets reach S3, Secrets Manager and the given databases.

    Attributes:
        vpc_id: the VPC.
        availability_zones: the zones of its private subnets, in their order.
        private_subnet_ids: the subnets that functions, and a warehouse of totes' own, are put in.
        generation: which of the environment's networks it is; one in the place of another needs a higher number
            (docs/disasters.md).
    """

    vpc_id: str
    availability_zones: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    generation: int = 1


@dataclass(frozen=True, kw_only=True)
class GivenDatabase:
    """A database that is somebody else's.

    Attributes:
        security_group_id: its security group, where it is in the network; None: it is outside, and reached by NAT.
        opens_group: whether the stack makes the rule in that group by which it lets the functions in; else its owner
            does, for the group that the network stack's outputs name.
        port: where it listens.
        secret_arn: the secret with its login, where there is one; None: the data stack makes one, to be filled in.
        secret_key_arn: the key that the given secret is encrypted by, where that is one of your own in KMS, and not
            the one of Secrets Manager.
        rotates_secret: whether totes changes the password in the secret; only in a role that says that totes made it.
            None: in one of its own it does, in a given one it does not, for others may live by that. True is about a
            given one. False is for what can be changed elsewhere only: a standby's is changed at its primary.
    """

    security_group_id: str | None = None
    opens_group: bool = False
    port: int = 5432
    secret_arn: str | None = None
    secret_key_arn: str | None = None
    rotates_secret: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what is said of a secret or a group that is not given; raise ValueError."""
        if self.opens_group and self.security_group_id is None:
            raise ValueError("opens_group is about a group that is given, so GivenDatabase needs its security_group_id")
        said = {"secret_key_arn": self.secret_key_arn, "rotates_secret": self.rotates_secret}
        if self.secret_arn is None and (idle := [name for name, value in said.items() if value]):
            raise ValueError(f"{idle[0]} is about a secret that is given, so GivenDatabase needs its secret_arn too")

    @property
    def is_rotated(self) -> bool:
        """Whether totes changes the password of its login."""
        return self.secret_arn is None if self.rotates_secret is None else self.rotates_secret


@dataclass(frozen=True, kw_only=True)
class OwnDatabase:
    """A database that the data stack makes: PostgreSQL on RDS.

    Attributes:
        instance_type: of a burstable, Graviton kind, such as "t4g.micro".
        storage_gib: what it has at first.
        most_storage_gib: what it may grow to by itself, at least a tenth more; one that is there may be told the same.
        multi_az: whether another zone stands by.
        backup_days: how long its backups are kept.
        port: where it listens. CloudFormation changes it by another instance: so only with another generation.
        generation: which of its kind it is. A higher number is another instance in the place of the one of before:
            empty, or what a snapshot holds. CloudFormation does not make again what is lost, so this does
            (docs/disasters.md).
        snapshot: the name or ARN of the snapshot that this generation is restored from; None: it is empty at first. It
            stays said for as long as the generation lives: without it CloudFormation makes an empty one in its place.
    """

    instance_type: str
    multi_az: bool
    backup_days: int
    storage_gib: int = 20
    most_storage_gib: int = 200
    port: int = 5432
    generation: int = 1
    snapshot: str | None = None

    def __post_init__(self) -> None:
        """Refuse a limit to the disk's growth that RDS takes for none; raise ValueError.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        """
        least = math.ceil(self.storage_gib * 11 / 10)
        if self.most_storage_gib < least and self.most_storage_gib != self.storage_gib:
            raise ValueError(
                f"most_storage_gib is {self.most_storage_gib}; RDS wants a tenth more than storage_gib, {least} or more"
            )


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Which buckets the lake is in.

    Attributes:
        ingestion, processed: which of its kind each bucket is. A higher number is another bucket, empty, in the place
            of the one of before, which stays where it is if it is there (docs/disasters.md).
    """

    ingestion: int = 1
    processed: int = 1


@dataclass(frozen=True, kw_only=True)
class OwnDomain:
    """A name of your own for the dashboard, which your DNS leads to the distribution's (docs/deploying.md).

    Attributes:
        name: such as "dashboard.shop.example".
        certificate_arn: its certificate in ACM, which CloudFront wants in us-east-1.
    """

    name: str
    certificate_arn: str

    def __post_init__(self) -> None:
        """Refuse a certificate where CloudFront does not look; raise ValueError."""
        if not re.fullmatch(_CERTIFICATE, self.certificate_arn):
            raise ValueError(
                f"{self.certificate_arn!r} is no certificate of ACM in us-east-1, and CloudFront takes no other"
            )


def generation_of(name: str, number: int, between: str = "") -> str:
    """The name of what is there in generations; the first has it as it is."""
    return name if number == 1 else f"{name}{between}{number}"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Exchange rates, by which amounts are converted into one currency (docs/warehouse.md).

    Attributes:
        currency: the reporting currency, by its ISO 4217 code.
        since: the first day whose rates are wanted, such as "2024-03-02", the first that the public source has.
        sites: where they are asked for, each by a URL as `totes.rates.RateSource` knows it.
        late_days: how old the newest may be before somebody is woken; None: nobody is.
    """

    currency: str = "GBP"
    since: str = "2024-03-02"
    sites: tuple[str, ...] = (
        "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@{version}/v1/currencies/{base}.min.json",
        "https://{day}.currency-api.pages.dev/v1/currencies/{base}.min.json",
    )
    late_days: int | None = 4

    def __post_init__(self) -> None:
        """Refuse a currency that is no code, a day that is none, and a site without TLS; raise ValueError."""
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ValueError(f"Rates.currency is {self.currency!r}, no code of ISO 4217, such as GBP")
        try:
            date.fromisoformat(self.since)
        except ValueError:
            raise ValueError(f"Rates.since is {self.since!r}, not a day such as 2024-03-02") from None
        for site in self.sites:
            if not site.startswith(("https://", _LOCAL_SITE)):
                raise ValueError(f"Rates.sites has {site!r}, and rates are asked for over HTTPS only")

    def on_this_machine(self) -> "Rates":
        """The same from the local cloud, which has two days of 2024, and no internet."""
        site = f"{_LOCAL_SITE}/npm/@fawazahmed0/currency-api@{{version}}/v1/currencies/{{base}}.min.json"
        return replace(self, sites=(site,), late_days=None)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One deployment of totes and how it differs from the others.

    Attributes:
        name: as in `-c env=NAME`; every resource that has a name carries it.
        target: the Python and the machine that the functions run on.
        log_retention: how long log events are kept.
        network: where the functions run; None: outside of any VPC.
        source: the shop's database.
        warehouse: the warehouse.
        lake: the lake's buckets.
        bounded: whether every role carries the permissions boundary totes-NAME-boundary, so that CloudFormation may
            make roles without being an administrator; `totes bootstrap-policy` writes it, and it has to be there first.
        readers: who reaches a warehouse of totes' own besides the functions, for BI tools and psql: ranges of addresses
            and security groups, such as "10.1.0.0/16" and "sg-0123456789abcdef0", that have a way into the network.
        alarm_email: who gets mails when something is wrong; None: nobody, and the synth warns of it, or fails where
            the environment is protected.
        protected: whether a stack refuses to be deleted, and its data can be deleted in no way but by hand.
        deletes_data: whether data is deleted with its stack. It takes two keys: an environment that is not protected,
            and the context delete_data.
        superseded_days: after how many days an object version that is no longer the current one expires; at least
            twice as many as the audit of the lake takes nights, so that what it finds missing can be restored.
        tick_minutes: how often the schedule starts a run.
        schedule_enabled: whether it does.
        mass_deletion_percent: how many of a hundred rows of a source table may be gone at once before a run stops and
            asks.
        rows_in_one_function: how many rows of all source tables one function reads, or transforms, for one batch; what
            has more is done in pieces, by many functions (docs/operating.md says of the rest).
        pieces_at_once: how many of them are at work at once; of those that read each has a connection to the source.
        verify_hour: the hour of the night, UTC, in which the warehouse is compared with the source and the lake swept
            and audited.
        rotation_days: how often the databases' passwords are changed.
        dashboard: whether each load is followed by a snapshot for the dashboard, and there is a bucket for it
            (docs/dashboard.md).
        dashboard_domain: the dashboard's name; None: CloudFront makes one up.
        shop: the shop's name, which is the title of the dashboard's page.
        athena: whether the star can be asked by Athena too, from the processed bucket (docs/athena.md).
        rates: the exchange rates by which amounts are converted; None: every amount stays in its own currency.
        capture, transform, load, publish, verify, sweep, audit, fetch: what each function may use.
    """

    name: str
    target: Target
    log_retention: RetentionDays
    network: NewNetwork | ExistingNetwork | None
    source: GivenDatabase
    warehouse: OwnDatabase | GivenDatabase
    alarm_email: str | None
    protected: bool
    lake: Lake = Lake()
    readers: tuple[str, ...] = ()
    bounded: bool = False
    deletes_data: bool = False
    superseded_days: int = 90
    tick_minutes: int = 5
    schedule_enabled: bool = True
    mass_deletion_percent: int = 20
    rows_in_one_function: int = 10_000_000
    pieces_at_once: int = 4
    verify_hour: int = 3
    rotation_days: int = 30
    dashboard: bool = False
    dashboard_domain: OwnDomain | None = None
    shop: str = "Terrific Totes"
    athena: bool = False
    rates: Rates | None = None
    capture: FunctionSettings = FunctionSettings()
    transform: FunctionSettings = FunctionSettings()
    load: FunctionSettings = FunctionSettings()
    publish: FunctionSettings = FunctionSettings(memory_mb=1024, timeout_minutes=5)
    verify: FunctionSettings = FunctionSettings()
    sweep: FunctionSettings = FunctionSettings(memory_mb=512)
    audit: FunctionSettings = FunctionSettings(memory_mb=512)
    fetch: FunctionSettings = FunctionSettings(memory_mb=512)

    def __post_init__(self) -> None:
        """Refuse what cannot be deployed.

        Raises:
            ValueError: a reader is none, is everybody, or cannot be let in from here; a warehouse cannot move; data is
                to be deleted where what deletes it has no rights; or what is lost would expire before it is found.
        """
        if self.superseded_days < 2 * NIGHTS:
            raise ValueError(
                f"{self.name}: superseded_days is {self.superseded_days}, and the audit takes {NIGHTS} nights to see "
                f"all of the lake: what it finds missing would have expired; say {2 * NIGHTS} or more"
            )
        if self.bounded and self.deletes_data:
            raise ValueError(
                f"{self.name} is bounded, and what empties buckets is a function of the CDK's own, for which policies "
                "and boundary have no rights: bootstrap without them and take bounded back first, or destroy the "
                "stacks without -c delete_data=true and delete by hand what stays"
            )
        networks = self.network.generation if self.network is not None else 1
        if isinstance(self.warehouse, OwnDatabase) and self.warehouse.generation < networks:
            raise ValueError(
                f"{self.name}: CloudFormation moves no instance into another network, so a network of generation "
                f"{networks} needs a warehouse of that generation too: OwnDatabase(generation={networks}, ...), with a "
                "snapshot of the one of before or without"
            )
        if self.readers and isinstance(self.warehouse, GivenDatabase):
            raise ValueError(
                f"{self.name}: readers is for a warehouse of totes' own, and this one is given: its owner lets them in"
            )
        for reader in self.readers:
            if wrong := _why_no_reader(reader):
                raise ValueError(f"{self.name}: readers has {reader!r}, which {wrong}")

    def deleting_data(self) -> "Environment":
        """This environment with the second key turned: its data goes with its stacks.

        Raises:
            ValueError: it is protected.
        """
        if self.protected:
            raise ValueError(f"{self.name} is protected: -c delete_data=true is for environments that are not")
        return replace(self, deletes_data=True)

    def suffixed(self, suffix: str) -> "Environment":
        """This environment under a name of its own, beside others like it in the same account: dev-alice.

        The dashboard's name is not its own: CloudFront gives one to one distribution of all accounts.

        Raises:
            ValueError: the suffix is no short word.
        """
        if not re.fullmatch(_SUFFIX, suffix):
            raise ValueError(f"suffix {suffix!r} is no word of at most 12 small letters and digits, such as alice")
        return replace(self, name=f"{self.name}-{suffix}", dashboard_domain=None)

    def telling(self, address: str) -> "Environment":
        """This environment with its alarms sent to an e-mail address.

        Raises:
            ValueError: it is none.
        """
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ValueError(f"{address!r} is no e-mail address; alarm_email is one, such as data@shop.example")
        return replace(self, alarm_email=address)

    def within_boundary(self) -> "Environment":
        """This environment with its roles held to its permissions boundary."""
        return replace(self, bounded=True)

    def on_schedule(self) -> "Environment":
        """This environment with its schedules enabled, for a local cloud that is to fire them."""
        return replace(self, schedule_enabled=True)

    def on_this_machine(self) -> "Environment":
        """This environment for a local cloud: its functions are built for this very interpreter.

        Mails stay in the local cloud, so an environment without an address has one there; rates come from it.
        """
        return replace(
            self,
            target=Target.host(),
            alarm_email=self.alarm_email or LOCAL_EMAIL,
            rates=self.rates and self.rates.on_this_machine(),
        )

    @property
    def data_removal(self) -> RemovalPolicy:
        """What happens to buckets and secrets whose stack is deleted; what holds no data goes with its stack.

        What a first deployment has made goes with it where that fails: it holds nothing yet, and would be in the way.
        """
        return RemovalPolicy.DESTROY if self.deletes_data else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

    @property
    def database_removal(self) -> RemovalPolicy:
        """What happens to the warehouse when its stack is deleted.

        One that stays holds its network back too, so an environment that is not protected keeps a snapshot instead.
        """
        if self.deletes_data:
            return RemovalPolicy.DESTROY
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.protected else RemovalPolicy.SNAPSHOT

    @property
    def needs_nat(self) -> bool:
        """Whether totes' own network needs a way out: a given database is not in it."""
        given = [each for each in (self.source, self.warehouse) if isinstance(each, GivenDatabase)]
        return any(each.security_group_id is None for each in given)

    @property
    def rotated_logins(self) -> tuple[str, ...]:
        """The logins whose passwords totes changes; see `GivenDatabase.rotates_secret`."""
        left_alone = {
            login_name
            for login_name, database in (("source", self.source), ("warehouse", self.warehouse))
            if isinstance(database, GivenDatabase) and not database.is_rotated
        }
        return tuple(each for each in ("source", "warehouse", "dashboard") if each not in left_alone)

    @property
    def tags(self) -> dict[str, str]:
        """What every resource is tagged with."""
        return {"project": "totes", "environment": self.name}


def _why_no_reader(reader: str) -> str:
    """Why nobody is let in by these words; empty: somebody is."""
    if is_security_group(reader):
        return ""
    try:
        addresses = IPv4Network(reader)
    except ValueError:
        return (
            "is no range of IPv4 addresses (its first address and its length, such as 10.1.0.0/16) nor a security "
            "group (such as sg-0123456789abcdef0)"
        )
    return "lets everybody in; name the ranges of those who read" if addresses.prefixlen == 0 else ""


def is_security_group(reader: str) -> bool:
    """Whether a reader is a security group, and no range of addresses."""
    return re.fullmatch(_SECURITY_GROUP, reader) is not None
