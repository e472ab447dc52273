"""The environments that totes is deployed to: the file that a person edits.

stacks/environment.py and stacks/settings have all that may be said of one, and __all__ names it, also what no
environment has today. app.py reads one environment, once, and hands it on.
"""

import re

from aws_cdk.aws_logs import RetentionDays

from stacks.environment import LOCAL_EMAIL, Environment
from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.domain import OwnDomain
from stacks.settings.functions import FunctionSettings
from stacks.settings.generations import Lake
from stacks.settings.networks import ExistingNetwork, NewNetwork
from stacks.settings.rates import Rates
from stacks.target import LAMBDA, Target

__all__ = [
    "ENVIRONMENTS",
    "Environment",
    "ExistingNetwork",
    "FunctionSettings",
    "GivenDatabase",
    "Lake",
    "NewNetwork",
    "OwnDatabase",
    "OwnDomain",
    "Rates",
    "named",
    "names",
]

ENVIRONMENTS: tuple[Environment, ...] = (
    Environment(
        name="dev",
        target=LAMBDA,
        log_retention=RetentionDays.ONE_MONTH,
        network=NewNetwork(),
        source=GivenDatabase(),
        warehouse=OwnDatabase(instance_type="t4g.micro", multi_az=False, backup_days=1),
        alarm_email=None,
        protected=False,
        superseded_days=21,
        dashboard=True,
        rates=Rates(),
    ),
    Environment(
        name="prod",
        target=LAMBDA,
        log_retention=RetentionDays.ONE_YEAR,
        network=NewNetwork(nat_zones=2),
        source=GivenDatabase(),
        warehouse=OwnDatabase(instance_type="t4g.small", multi_az=True, backup_days=30),
        alarm_email=None,
        protected=True,
        dashboard=True,
        rates=Rates(),
    ),
    Environment(
        name="local",
        target=Target.host(),
        log_retention=RetentionDays.ONE_WEEK,
        network=None,
        source=GivenDatabase(),
        warehouse=GivenDatabase(),
        alarm_email=LOCAL_EMAIL,
        protected=False,
        superseded_days=21,
        dashboard=True,
        rates=Rates().on_this_machine(),
        schedule_enabled=False,  # the command line makes the ticks, unless totes local up --schedule
    ),
)


def names() -> tuple[str, ...]:
    """The names of all environments.

    Raises:
        ValueError: one is no word.
    """
    for environment in ENVIRONMENTS:
        if not re.fullmatch("[a-z][a-z0-9]*", environment.name):
            raise ValueError(
                f"{environment.name!r} in stacks/config.py is no word of small letters and digits, such as staging; "
                "what follows a hyphen is a suffix, as in dev-alice"
            )
    return tuple(environment.name for environment in ENVIRONMENTS)


def named(name: str) -> Environment:
    """The environment of a name, which may have a suffix, such as dev-alice.

    Raises:
        ValueError: there is none of that name, the suffix is not a short word, or an environment's name is none.
    """
    known = names()
    kind, dash, suffix = name.partition("-")
    for environment in ENVIRONMENTS:
        if environment.name == kind:
            return environment.suffixed(suffix) if dash else environment
    raise ValueError(f"there is no environment {name!r}; name one of {', '.join(known)}")
