"""The rules that every synth is held to, and how a part says why it departs from one of them."""

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def enforce_rules(app: cdk.App) -> None:
    """Fail the synth on any finding of the AWS Solutions rules that nobody has acknowledged with a reason."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, rule: str, *, reason: str) -> None:
    """Say why a construct, and what is in it, departs from a rule.

    Args:
        construct: whose findings are acknowledged.
        rule: the rule's id; of a rule with several findings per resource one finding, as in `IAM5[Resource::*]`.
        reason: why it is right here.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
