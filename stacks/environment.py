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
"""Stands for a local cloud's endpoint: the function knows the address, the stack does not."""

_SUFFIX = "[a-z][a-z0-9]{0,11}"
"""At most 12 characters: a function's name may have 64, and the longest name of a function leaves room for so many."""

_NAMES_OF_ITS_OWN = {"audit", "no", "rates", "sweep", "verify"}
"""Words behind an environment's name in the names of its own schedules, beside that of its runs, which has none, and of
alarms: `no` of the one that says that there was no audit, where an environment `no` would have an alarm of audits."""

_ZONES_OF_A_DATABASE = 2
"""RDS wants subnets in so many zones at least, also for an instance in one
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html)."""

_NAME_CHARACTERS = 18
"""CloudFormation takes 25 characters of the data stack's name into the name that it makes up for a database instance. A
bounded environment's policies know the instance by the first of them: `totes-`, the environment's name and a dash."""

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
        """Refuse what Lambda does not offer; raise ValueError.

        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
        """
        if not 128 <= self.memory_mb <= 10240:  # noqa: PLR2004 - Lambda's, as the message says
            raise ValueError(f"memory_mb is {self.memory_mb}; Lambda gives a function 128 to 10240 MB")
        if not 1 <= self.timeout_minutes <= 15:  # noqa: PLR2004 - the same
            raise ValueError(f"timeout_minutes is {self.timeout_minutes}; Lambda ends a function after 15 at most")


@dataclass(frozen=True, kw_only=True)
class NewNetwork:
    """A network of totes' own: private subnets in two zones, and a NAT if something outside must be reached.

    Attributes:
        cidr: its addresses.
        zones: the two availability zones, such as ("eu-west-2a", "eu-west-2c"); None: the first two. Not every zone of
            a region has Lambda, NAT gateways and instances of every kind.
        nat: how functions reach the outside: through an instance, at a fifth of the price, or through a gateway, which
            AWS keeps running; docs/costs.md compares them.
        nat_zones: in how many zones there is a NAT, 1 or 2, each with an address of its own. With one NAT, the failure
            of its zone cuts off the other zone too.
        generation: which of the environment's networks it is. A higher number makes another network beside the old
            one, whose stack stays until somebody deletes it. To change addresses or zones needs a higher number
            (docs/disasters.md).
    """

    cidr: str = "10.20.0.0/20"
    zones: tuple[str, str] | None = None
    nat: Literal["instance", "gateway"] = "instance"
    nat_zones: int = 1
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse an unknown kind or number of NATs, and zones that are not two; raise ValueError."""
        if self.nat not in {"instance", "gateway"}:
            raise ValueError(f"nat is {self.nat!r}; NewNetwork knows 'instance' and 'gateway'")
        if self.zones is not None and not len(self.zones) == len({*self.zones}) == 2:  # noqa: PLR2004 - as it says
            raise ValueError(f"zones is {self.zones!r}; a network of totes' own has two zones, so name two, or None")
        if self.nat_zones not in {1, 2}:
            raise ValueError(f"nat_zones is {self.nat_zones!r}; a network of totes' own has two zones, so say 1 or 2")


@dataclass(frozen=True, kw_only=True)
class ExistingNetwork:
    """A VPC that already exists, whose private subnets reach S3, Secrets Manager and the given databases.

    Attributes:
        vpc_id: the VPC.
        availability_zones: the zones of its private subnets, in their order.
        private_subnet_ids: the subnets that functions, and a warehouse of totes' own, are put in.
        generation: which of the environment's networks it is; a network that replaces another needs a higher number
            (docs/disasters.md).
    """

    vpc_id: str
    availability_zones: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    generation: int = 1

    def must_hold_a_database(self) -> None:
        """Refuse a network that RDS makes no instance in; raise ValueError."""
        zones, subnets = {*self.availability_zones}, len(self.private_subnet_ids)
        if len(zones) < _ZONES_OF_A_DATABASE or subnets < len(self.availability_zones):
            raise ValueError(
                f"network has {subnets} private subnets in zones {', '.join(sorted(zones))}; a warehouse of totes' own "
                "needs subnets in two zones, or RDS refuses it"
            )


@dataclass(frozen=True, kw_only=True)
class GivenDatabase:
    """A database that somebody else runs.

    Attributes:
        security_group_id: its security group, if it is in the network; None: it is outside, and reached through NAT.
        opens_group: whether the stack adds the rule to that group that lets the functions in; if not, the owner of the
            group adds it, for the group that the network stack's outputs name.
        port: where it listens. It is in what CloudFormation makes up for a secret of totes' own until a login is
            stored, so a change of it puts that in the place of the stored login (docs/deploying.md).
        secret_arn: the secret with its login, if there is one; None: the data stack makes one, to be filled in.
        secret_key_arn: the key that encrypts the given secret, if it is a KMS key of your own and not the key of
            Secrets Manager.
        rotates_secret: whether totes changes the password in the secret; it only does so for a role that is marked as
            made by totes. None: it does for a secret of its own, and not for a given one, which others may use too.
            True: for a given one as well. False: for none; a password that can only be changed elsewhere needs it, as
            a standby's is changed at its primary.
    """

    security_group_id: str | None = None
    opens_group: bool = False
    port: int = 5432
    secret_arn: str | None = None
    secret_key_arn: str | None = None
    rotates_secret: bool | None = None

    def __post_init__(self) -> None:
        """Refuse settings about a secret or a group that is not given; raise ValueError."""
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
        instance_type: a burstable Graviton instance, such as "t4g.micro".
        storage_gib: the size of its disk at first.
        most_storage_gib: the size that the disk may grow to by itself, at least a tenth more. The same as storage_gib:
            it does not grow, which only an instance that already exists accepts.
        multi_az: whether a standby runs in another zone.
        backup_days: how long its backups are kept.
        port: where it listens. CloudFormation replaces the instance to change it, so change the generation with it.
        generation: which instance it is. A higher number makes another instance that replaces the old one: empty, or
            with what a snapshot holds. CloudFormation does not make a lost resource again, so a new generation does
            (docs/disasters.md).
        snapshot: the name or ARN of the snapshot that this generation is restored from; None: it is empty at first.
            Keep it for as long as the generation exists: if it is removed, CloudFormation replaces the instance with an
            empty one.
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
        """Refuse sizes and times that RDS does not accept; raise ValueError.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
        """
        if self.storage_gib < 20:  # noqa: PLR2004 - RDS's, as the message says
            raise ValueError(f"storage_gib is {self.storage_gib}; RDS gives a database 20 GiB or more")
        if not 1 <= self.backup_days <= 35:  # noqa: PLR2004 - the same
            raise ValueError(f"backup_days is {self.backup_days}; RDS keeps backups for 1 to 35 days, and 0 makes none")
        least = math.ceil(self.storage_gib * 11 / 10)
        if self.most_storage_gib < least and self.most_storage_gib != self.storage_gib:
            raise ValueError(
                f"most_storage_gib is {self.most_storage_gib}; RDS wants a tenth more than storage_gib, {least} or more"
            )


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Which buckets the lake is in.

    Attributes:
        ingestion, processed: the generation of each bucket. A higher number makes another bucket, empty, that replaces
            the old one; the old one stays where it is, if it still exists (docs/disasters.md).
    """

    ingestion: int = 1
    processed: int = 1


@dataclass(frozen=True, kw_only=True)
class OwnDomain:
    """A domain of your own for the dashboard; your DNS points it to the distribution's name (docs/readers.md).

    Attributes:
        name: such as "dashboard.shop.example".
        certificate_arn: its certificate in ACM; CloudFront only takes one from us-east-1.
    """

    name: str
    certificate_arn: str

    def __post_init__(self) -> None:
        """Refuse a certificate that CloudFront does not take; raise ValueError."""
        if not re.fullmatch(_CERTIFICATE, self.certificate_arn):
            raise ValueError(
                f"{self.certificate_arn!r} is no certificate of ACM in us-east-1, and CloudFront takes no other"
            )


def generation_of(name: str, number: int, between: str = "") -> str:
    """The name of a generation of something: the first has the name itself, a later one its number behind it."""
    return name if number == 1 else f"{name}{between}{number}"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Exchange rates, by which amounts are converted into one currency (docs/warehouse.md).

    Attributes:
        currency: the reporting currency, by its ISO 4217 code.
        since: the first day whose rates are fetched, such as "2024-03-02", the first that the public source has.
        sites: the sites that are asked for them, each a URL in the form that `totes.rates.RateSource` takes.
        late_days: how many days old the newest rates may be before an alarm goes off; None: there is no alarm.
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
        """The same rates from the local cloud, which has two days of 2024, and no internet."""
        site = f"{_LOCAL_SITE}/npm/@fawazahmed0/currency-api@{{version}}/v1/currencies/{{base}}.min.json"
        return replace(self, sites=(site,), late_days=None)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One deployment of totes and how it differs from the others.

    Attributes:
        name: as in `-c env=NAME`; it is part of every name that totes gives a resource.
        target: the Python and the machine that the functions run on.
        log_retention: how long log events are kept.
        network: where the functions run; None: outside of any VPC.
        source: the shop's database.
        warehouse: the warehouse.
        lake: the lake's buckets.
        bounded: whether every role carries the permissions boundary totes-NAME-boundary, so that CloudFormation may
            make roles without being an administrator; `totes bootstrap-policy` writes it, before the deployment.
        readers: who may reach a warehouse of totes' own besides the functions, for BI tools and psql: address ranges
            and security groups, such as "10.1.0.0/16" and "sg-0123456789abcdef0", that can reach the network.
        alarm_email: the address that alarms are mailed to; None: nobody is told, and the synth warns of that, or fails
            if the environment is protected.
        protected: whether stacks refuse to be deleted, so that data can only be deleted by hand.
        deletes_data: whether data is deleted with its stack. It takes two keys: an environment that is not protected,
            and the context delete_data.
        superseded_days: after how many days an object version that is no longer the current one expires; at least
            twice the nights that an audit of the lake takes, so that what it finds missing can be restored.
        tick_minutes: how often the schedule starts a run.
        schedule_enabled: whether it does.
        mass_deletion_percent: the percentage of a source table's rows that may be missing at once; if it is more, a
            run stops and asks.
        rows_in_one_function: how many rows of all source tables one function reads, or transforms, for one batch; a
            larger batch is done in pieces, by many functions (docs/operating.md).
        pieces_at_once: how many of these functions work at the same time; each that reads has its own connection to
            the source.
        verify_hour: the hour of the night, UTC, in which the warehouse is compared with the source and the lake swept
            and audited.
        rotation_days: how often the databases' passwords are changed.
        dashboard: whether there is a dashboard: a bucket, and a snapshot in it after each load (docs/dashboard.md).
        dashboard_domain: the dashboard's domain; None: CloudFront chooses a name.
        shop: the shop's name, which is the title of the dashboard's page.
        athena: whether Athena can query the star too, from the processed bucket (docs/athena.md).
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
            ValueError: the name is too long; a reader is not valid, is everybody, or is for a given warehouse; a
                warehouse would have to move to another network; data is to be deleted without the rights for it; or a
                lost object would expire before the audit finds out.
        """
        if len(self.name) > _NAME_CHARACTERS:
            raise ValueError(
                f"{self.name!r} has {len(self.name)} characters, and the name of an environment, with its suffix, has "
                f"at most {_NAME_CHARACTERS}: choose a shorter one"
            )
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
        if isinstance(self.warehouse, OwnDatabase):
            self._must_have_a_network_for(self.warehouse)
        if self.readers and isinstance(self.warehouse, GivenDatabase):
            raise ValueError(
                f"{self.name}: readers is for a warehouse of totes' own, and this one is given: its owner lets them in"
            )
        for reader in self.readers:
            if wrong := _why_no_reader(reader):
                raise ValueError(f"{self.name}: readers has {reader!r}, which {wrong}")

    def _must_have_a_network_for(self, warehouse: OwnDatabase) -> None:
        if isinstance(self.network, ExistingNetwork):
            self.network.must_hold_a_database()
        networks = self.network.generation if self.network is not None else 1
        if warehouse.generation < networks:
            raise ValueError(
                f"{self.name}: CloudFormation moves no instance into another network, so a network of generation "
                f"{networks} needs a warehouse of that generation too: OwnDatabase(generation={networks}, ...), "
                "restored from a snapshot of the old one, or empty"
            )

    def deleting_data(self) -> "Environment":
        """This environment with its data deleted together with its stacks: the second key.

        Raises:
            ValueError: it is protected.
        """
        if self.protected:
            raise ValueError(f"{self.name} is protected: -c delete_data=true is for environments that are not")
        return replace(self, deletes_data=True)

    def suffixed(self, suffix: str) -> "Environment":
        """This environment under another name, such as dev-alice, beside others like it in the same account.

        It has no domain for its dashboard: CloudFront accepts a domain for only one distribution of all accounts.

        Raises:
            ValueError: the suffix is not a short word, or makes a name that there is already; the name has one already,
                or both together are too long.
        """
        if "-" in self.name:
            raise ValueError(f"{self.name} has a suffix already, and takes no second one, {suffix!r}")
        if not re.fullmatch(_SUFFIX, suffix):
            raise ValueError(f"suffix {suffix!r} is no word of at most 12 small letters and digits, such as alice")
        if suffix in _NAMES_OF_ITS_OWN:
            raise ValueError(
                f"suffix {suffix!r} would give {self.name}-{suffix} a schedule or an alarm of a name that {self.name} "
                "has"
            )
        return replace(self, name=f"{self.name}-{suffix}", dashboard_domain=None)

    def telling(self, address: str) -> "Environment":
        """This environment with its alarms sent to an e-mail address.

        Raises:
            ValueError: it is not an e-mail address.
        """
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ValueError(f"{address!r} is no e-mail address; alarm_email is one, such as data@shop.example")
        return replace(self, alarm_email=address)

    def within_boundary(self) -> "Environment":
        """This environment with its roles limited by its permissions boundary."""
        return replace(self, bounded=True)

    def on_schedule(self) -> "Environment":
        """This environment with its schedules enabled, for a local cloud that fires them."""
        return replace(self, schedule_enabled=True)

    def on_this_machine(self) -> "Environment":
        """This environment for a local cloud: its functions are built for this interpreter and machine.

        Mails do not leave the local cloud, so an environment without an address gets one; rates come from it too.
        """
        return replace(
            self,
            target=Target.host(),
            alarm_email=self.alarm_email or LOCAL_EMAIL,
            rates=self.rates and self.rates.on_this_machine(),
        )

    @property
    def data_removal(self) -> RemovalPolicy:
        """What happens to buckets and secrets when their stack is deleted; what holds no data is always deleted.

        If a first deployment fails, what it has made is deleted: it holds nothing yet, and would block the next one.
        """
        return RemovalPolicy.DESTROY if self.deletes_data else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

    @property
    def database_removal(self) -> RemovalPolicy:
        """What happens to the warehouse when its stack is deleted.

        As long as it exists its network cannot be deleted, so an environment that is not protected keeps a snapshot.
        """
        if self.deletes_data:
            return RemovalPolicy.DESTROY
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.protected else RemovalPolicy.SNAPSHOT

    @property
    def needs_nat(self) -> bool:
        """Whether totes' own network needs a NAT: a given database is outside of it."""
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
    """Why this is not a reader that can be let in; empty: it is one."""
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
    """Whether a reader is a security group, and not a range of addresses."""
    return re.fullmatch(_SECURITY_GROUP, reader) is not None
