"""The environments that totes is deployed to; app.py reads one of them, once, and hands it on."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from stacks.target import LAMBDA, Target


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a function may use.

    Attributes:
        memory_mb: memory, and with it the share of a processor, in MB.
        timeout_minutes: after how many minutes Lambda ends it; at most 15.
    """

    memory_mb: int = 1536
    timeout_minutes: int = 15


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One deployment of totes and how it differs from the others.

    Attributes:
        name: as in `-c env=NAME`; every resource that has a name carries it.
        target: the Python and the machine that the functions run on.
        log_retention: how long log events are kept.
        data_removal: what becomes of buckets and secrets whose stack is deleted. Nothing else asks for a policy:
            what holds no data goes with its stack.
        termination_protection: whether a stack refuses to be deleted.
        superseded_days: after how many days an object version that is no longer the current one expires.
        tick_minutes: how often the schedule starts a run.
        schedule_enabled: whether it does.
        mass_deletion_percent: how many of a hundred rows of a source table may be gone at once before a run stops and
            asks.
        verify_hour: the hour of the night, UTC, at which the warehouse is compared with the source.
        capture, transform, load, verify: what each function may use.
    """

    name: str
    target: Target
    log_retention: RetentionDays
    data_removal: RemovalPolicy
    termination_protection: bool
    superseded_days: int = 90
    tick_minutes: int = 5
    schedule_enabled: bool = True
    mass_deletion_percent: int = 20
    verify_hour: int = 3
    capture: FunctionSettings = FunctionSettings()
    transform: FunctionSettings = FunctionSettings()
    load: FunctionSettings = FunctionSettings()
    verify: FunctionSettings = FunctionSettings()

    @classmethod
    def named(cls, name: str) -> "Environment":
        """The environment of a name; raise ValueError, which names those there are, for any other."""
        environments = {environment.name: environment for environment in _environments()}
        if name not in environments:
            raise ValueError(f"there is no environment {name!r}; say -c env=NAME with one of {', '.join(environments)}")
        return environments[name]

    @property
    def tags(self) -> dict[str, str]:
        """What every resource is tagged with."""
        return {"project": "totes", "environment": self.name}


def _environments() -> tuple[Environment, ...]:
    return (
        Environment(
            name="dev",
            target=LAMBDA,
            log_retention=RetentionDays.ONE_MONTH,
            data_removal=RemovalPolicy.DESTROY,
            termination_protection=False,
            superseded_days=7,
        ),
        Environment(
            name="prod",
            target=LAMBDA,
            log_retention=RetentionDays.ONE_YEAR,
            data_removal=RemovalPolicy.RETAIN,
            termination_protection=True,
        ),
        Environment(
            name="local",
            target=Target.host(),
            log_retention=RetentionDays.ONE_WEEK,
            data_removal=RemovalPolicy.DESTROY,
            termination_protection=False,
            superseded_days=7,
            schedule_enabled=False,  # the command line makes the ticks; a laptop's lid does not keep time
        ),
    )
