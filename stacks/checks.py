"""The rules that every synth is checked by, and how a construct says why it breaks one of them."""

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def enforce_rules(app: cdk.App) -> None:
    """Fail the synth on any finding of the AWS Solutions rules that is not acknowledged with a reason."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, rule: str, *, reason: str) -> None:
    """Say why a construct, and what is in it, breaks a rule.

    Args:
        construct: whose findings are acknowledged.
        rule: the rule's id; if the rule has several findings per resource, one finding, as in `IAM5[Resource::*]`.
        reason: why that is right here.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
