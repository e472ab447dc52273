"""What all stacks of totes have in common: how they are named, tagged and protected, and what one hands the next."""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A value that a stack hands to those that are deployed after it.

    Attributes:
        giver: the stack.
        value: the value, in the giver's own words.
        parameter: the name in Systems Manager under which it is found.
    """

    giver: "TotesStack"
    value: str
    parameter: str


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
        self._parameters = f"/totes/{environment.name}/{part}"

    def output(self, outputs: Mapping[str, str]) -> None:
        """Give the stack outputs, which the command line reads."""
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)

    def hand_over(self, name: str, value: str) -> Handed:
        """Hand a value to the stacks that are deployed after this one.

        It is in a parameter of Systems Manager, which whoever takes it looks up with each deployment. By an export it
        would be bound: what another stack imports can neither change nor go, and so nothing behind it be replaced
        (docs/decisions/0021). A value that is known before anything is deployed needs no parameter.

        Args:
            name: what it is, in letters.
            value: the value.
        """
        handed = Handed(giver=self, value=value, parameter=f"{self._parameters}/{name}")
        if cdk.Token.is_unresolved(value):
            ssm.StringParameter(
                self,
                f"HandedOver{name}",
                parameter_name=handed.parameter,
                string_value=value,
                description="Handed to the stacks that are deployed after this one",
            )
        return handed

    def keep_exporting(self, *values: str) -> None:
        """Export values that nobody takes any longer from their exports.

        An environment deployed by totes before its first release imports them until its other stacks are deployed, and
        until then they have to stay (CHANGELOG.md).
        """
        for value in values:
            if cdk.Token.is_unresolved(value):
                self.export_value(value)

    def take(self, handed: Handed) -> str:
        """Take a value that another stack hands over, and be deployed after it."""
        if not cdk.Token.is_unresolved(handed.value):
            return handed.value
        self.add_stack_dependency(handed.giver, "it hands over what this one takes")
        return ssm.StringParameter.value_for_string_parameter(self, handed.parameter)


def _boundary(environment: Environment) -> cdk.PermissionsBoundary:
    """What every role of the environment may do at most; `totes bootstrap-policy` writes it."""
    return cdk.PermissionsBoundary.from_name(f"totes-{environment.name}-boundary")
