"""What all stacks of totes have in common: how they are named, tagged and protected."""

import aws_cdk as cdk
from constructs import Construct

from stacks.config import Environment


class TotesStack(cdk.Stack):
    """The stack totes-<environment>-<part>."""

    def __init__(self, scope: Construct, part: str, *, environment: Environment, description: str) -> None:
        super().__init__(
            scope,
            f"totes-{environment.name}-{part}",
            description=description,
            tags=environment.tags,
            termination_protection=environment.protected,
        )
