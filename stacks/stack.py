"""What all stacks of totes have in common: how they are named, tagged and protected."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from stacks.config import Environment


class TotesStack(cdk.Stack):
    """The stack totes-<environment>-<part>."""

    def __init__(
        self, scope: Construct, part: str, *, environment: Environment, description: str, may_be_bounded: bool = True
    ) -> None:
        super().__init__(
            scope,
            f"totes-{environment.name}-{part}",
            description=description,
            tags=environment.tags,
            termination_protection=environment.protected,
            permissions_boundary=_boundary(environment) if may_be_bounded and environment.bounded else None,
        )

    def tell(self, outputs: Mapping[str, str]) -> None:
        """Give the stack outputs, which the command line reads."""
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)


def _boundary(environment: Environment) -> cdk.PermissionsBoundary:
    """What every role of the environment may do at most; `totes bootstrap-policy` writes it."""
    return cdk.PermissionsBoundary.from_name(f"totes-{environment.name}-boundary")
