"""What all stacks of totes have in common: names, tags, protection, and how one hands values over to the next."""

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
        value: the value, as the giver has it: often a reference that only its own template can use.
        parameter: the name of the parameter in Systems Manager that has the value.
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
            tags=dict(environment.all_tags),
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

        It is stored in a parameter of Systems Manager, which the other stack looks up in each deployment. An export
        would fix it: a value that another stack imports can neither change nor be deleted, so no resource behind it
        could be replaced (docs/decisions/0021). A value that is known before any deployment needs no parameter.

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
        """Export values although no stack imports them any more.

        In an environment that was deployed before the first release of totes, the other stacks import them until they
        are deployed again; until then the exports have to stay (CHANGELOG.md).
        """
        for value in values:
            if cdk.Token.is_unresolved(value):
                self.export_value(value)

    def take(self, handed: Handed) -> str:
        """Return a value that another stack hands over, and make this stack be deployed after that one."""
        if not cdk.Token.is_unresolved(handed.value):
            return handed.value
        self.add_stack_dependency(handed.giver, "it hands over what this one takes")
        return ssm.StringParameter.value_for_string_parameter(self, handed.parameter)


def _boundary(environment: Environment) -> cdk.PermissionsBoundary:
    """The most that any role of the environment may do; `totes bootstrap-policy` writes it."""
    return cdk.PermissionsBoundary.from_name(f"totes-{environment.name}-boundary")
