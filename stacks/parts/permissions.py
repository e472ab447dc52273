"""What a function's role may be allowed, in the words of what the function does."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from stacks.checks import acknowledge


@dataclass(frozen=True)
class Permission:
    """A statement of a role's policy.

    Attributes:
        statement: the statement.
        objects_of: the bucket all of whose objects it is about; None: it has no wildcard.
    """

    statement: iam.PolicyStatement
    objects_of: s3.IBucket | None = None

    def acknowledge_on(self, role: iam.Role) -> None:
        """Say on the role that has this permission why it has a wildcard, if it has one."""
        if self.objects_of is None:
            return
        stack = cdk.Stack.of(self.objects_of)
        imported = stack.resolve(stack.export_value(self.objects_of.bucket_arn))["Fn::ImportValue"]
        acknowledge(
            role,
            f"IAM5[Resource::{imported}/*]",
            reason="Which objects there are is decided at run time, and all objects of this one bucket are the "
            "function's to use.",
        )


def list_objects(bucket: s3.IBucket) -> Permission:
    """List the bucket, and be told of a missing object that it is missing."""
    return Permission(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]))


def read_objects(bucket: s3.IBucket) -> Permission:
    """Read the bucket's objects."""
    return _on_objects(bucket, "s3:GetObject")


def read_and_write_objects(bucket: s3.IBucket) -> Permission:
    """Read the bucket's objects and write new ones."""
    return _on_objects(bucket, "s3:GetObject", "s3:PutObject")


def read_secret(secret: secretsmanager.ISecret) -> Permission:
    """Fetch the secret's value."""
    return Permission(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn]))


def write_logs(log_group: logs.ILogGroup) -> Permission:
    """Write into the log group."""
    return Permission(
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn])
    )


def _on_objects(bucket: s3.IBucket, *actions: str) -> Permission:
    statement = iam.PolicyStatement(actions=list(actions), resources=[bucket.arn_for_objects("*")])
    return Permission(statement, objects_of=bucket)
