"""What an environment is: how one deployment may differ from another, and which of them are refused.

The environments themselves are in stacks/config.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.domain import OwnDomain
from stacks.settings.functions import FunctionSettings
from stacks.settings.generations import Lake
from stacks.settings.networks import ExistingNetwork, NewNetwork
from stacks.settings.place import why_no_account, why_no_region
from stacks.settings.rates import Rates
from stacks.settings.readers import why_no_reader
from stacks.settings.tags import why_no_tags
from stacks.target import Target
from totes.lake.audit import NIGHTS

LOCAL_EMAIL = "you@localhost"
"""Who gets alarms in a local cloud; `totes local mail` shows what they said."""

_SUFFIX = "[a-z][a-z0-9]{0,11}"
"""At most 12 characters: a function's name may have 64, and the longest name of a function leaves room for so many."""

_NAMES_OF_ITS_OWN = {"audit", "no", "rates", "sweep", "verify"}
"""Words behind an environment's name in the names of its own schedules, beside that of its runs, which has none, and of
alarms: `no` of the one that says that there was no audit, where an environment `no` would have an alarm of audits."""

_NAME_CHARACTERS = 18
"""CloudFormation takes 25 characters of the data stack's name into the name that it makes up for a database instance. A
bounded environment's policies know the instance by the first of them: `totes-`, the environment's name and a dash."""

_BOUNDS = {
    "mass_deletion_percent": (0, 100, "it is a part of a table's rows"),
    "tick_minutes": (
        1,
        1440,
        "with 0 nothing would be scheduled, and alarms look back over six of them, a week at most",
    ),
    "pieces_at_once": (1, 1000, "with 0 Step Functions would start as many as it can"),
    "verify_hour": (0, 23, "it is an hour of the day"),
    "rotation_days": (1, 1000, "Secrets Manager takes no others"),
}
"""Numbers with the least and the most that they may be, and why.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (EvaluationPeriods),
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html (MaxConcurrency),
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
"""

_NIGHTLY = ("sweep", "audit", "fetch")
"""Functions that begin nothing in their last two minutes (`totes_runtime.is_nearly_over`)."""

_NIGHTLY_MINUTES, _PUBLISH_MINUTES = 3, 5


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
        account: the number of the account that it is deployed to, such as "123456789012"; credentials of another one
            are refused. None: any account's will do.
        region: likewise its region, such as "eu-west-2".
        tags: tags of every resource beside `project` and `environment`, such as {"CostCenter": "42"}.
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
    account: str | None = None
    region: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
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
            ValueError: the name is too long; a number is out of its bounds; alarm_email is no e-mail address; a reader
                is not valid, is everybody, or is for a given warehouse; an account, a region or a tag is none; a
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
        self._must_be_within_bounds()
        self._must_have_a_valid_address()
        self._must_have_valid_readers()
        self._must_have_a_valid_place_and_tags()

    def _must_be_within_bounds(self) -> None:
        for name, (least, most, why) in _BOUNDS.items():
            number = getattr(self, name)
            if not least <= number <= most:
                raise ValueError(f"{self.name}: {name} is {number}, and not {least} to {most}: {why}")
        for name in _NIGHTLY:
            minutes = getattr(self, name).timeout_minutes
            if minutes < _NIGHTLY_MINUTES:
                raise ValueError(
                    f"{self.name}: {name} has {minutes} minutes, and begins nothing in its last two: give it "
                    f"{_NIGHTLY_MINUTES} or more"
                )
        if self.publish.timeout_minutes > _PUBLISH_MINUTES:
            raise ValueError(
                f"{self.name}: publish has {self.publish.timeout_minutes} minutes, and a run waits for it no longer "
                f"than {_PUBLISH_MINUTES}"
            )

    def _must_have_a_valid_address(self) -> None:
        if self.alarm_email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.alarm_email):
            raise ValueError(
                f"{self.name}: {self.alarm_email!r} is no e-mail address; alarm_email is one, such as data@shop.example"
            )

    def _must_have_valid_readers(self) -> None:
        if self.readers and isinstance(self.warehouse, GivenDatabase):
            raise ValueError(
                f"{self.name}: readers is for a warehouse of totes' own, and this one is given: its owner lets them in"
            )
        for reader in self.readers:
            if wrong := why_no_reader(reader):
                raise ValueError(f"{self.name}: readers has {reader!r}, which {wrong}")

    def _must_have_a_valid_place_and_tags(self) -> None:
        for name, wrong in (
            ("account", "" if self.account is None else why_no_account(self.account)),
            ("region", "" if self.region is None else why_no_region(self.region)),
            ("tags", why_no_tags(self.tags)),
        ):
            if wrong:
                raise ValueError(f"{self.name}: {name} {wrong}")

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
        return replace(self, alarm_email=address)

    def within_boundary(self) -> "Environment":
        """This environment with its roles limited by its permissions boundary."""
        return replace(self, bounded=True)

    def on_schedule(self) -> "Environment":
        """This environment with its schedules enabled, for a local cloud that fires them."""
        return replace(self, schedule_enabled=True)

    def on_this_machine(self) -> "Environment":
        """This environment for a local cloud: its functions are built for this interpreter and machine.

        Mails do not leave the local cloud, so an environment without an address gets one; rates come from it too. Its
        account and region are its own.
        """
        return replace(
            self,
            target=Target.host(),
            account=None,
            region=None,
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
    def all_tags(self) -> Mapping[str, str]:
        """What every resource is tagged with."""
        return {"project": "totes", "environment": self.name, **self.tags}
