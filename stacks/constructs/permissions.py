"""The permissions that a function's role can have, named by what the function does."""

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from stacks.checks import acknowledge


@dataclass(frozen=True)
class Permission:
    """A statement of a role's policy, with the other statements that it needs.

    Attributes:
        statement: the statement.
        denial: the statement that denies the function's own code what only Lambda may do with the role.
        key: the statement that allows the use of the key that encrypts the resource, if that is a KMS key of its own.
        objects_of: the bucket whose objects it is about, if it is about objects.
        folders: the folders of the bucket that it is about; none: all objects.
        wildcard: the reason why it is about all resources, if it is.
    """

    statement: iam.PolicyStatement
    denial: iam.PolicyStatement | None = None
    key: iam.PolicyStatement | None = None
    objects_of: s3.IBucket | None = None
    folders: tuple[str, ...] = ()
    wildcard: str | None = None

    @property
    def statements(self) -> list[iam.PolicyStatement]:
        """All its statements."""
        return [each for each in (self.statement, self.denial, self.key) if each is not None]

    def acknowledge_on(self, role: iam.Role) -> None:
        """Acknowledge on the role that has this permission that it has a wildcard, and why, if it has one."""
        if self.wildcard is not None:
            acknowledge(role, "IAM5[Resource::*]", reason=self.wildcard)
        if self.objects_of is None:
            return
        arn = _said(cdk.Stack.of(role).resolve(self.objects_of.bucket_arn))
        for place in _places(self.folders):
            acknowledge(
                role,
                f"IAM5[Resource::{arn}/{place}]",
                reason="Which objects there are is decided at run time, and all of this one place are the role's to "
                "use.",
            )


def list_objects(bucket: s3.IBucket) -> Permission:
    """List the bucket; with it a request for a missing object says that it is missing, and not that it is denied."""
    return Permission(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]))


def read_objects(bucket: s3.IBucket, *folders: str) -> Permission:
    """Read the bucket's objects, or those of some folders."""
    return _on_objects(bucket, folders, "s3:GetObject")


def write_objects(bucket: s3.IBucket, *folders: str) -> Permission:
    """Write new objects to some folders of the bucket."""
    return _on_objects(bucket, folders, "s3:PutObject")


def delete_objects(bucket: s3.IBucket, *folders: str) -> Permission:
    """Delete objects of some folders of the bucket, which keeps their old versions for a while."""
    return _on_objects(bucket, folders, "s3:DeleteObject")


def read_and_write_objects(bucket: s3.IBucket, *folders: str) -> Permission:
    """Read the bucket's objects, or those of some folders, and write new ones."""
    return _on_objects(bucket, folders, "s3:GetObject", "s3:PutObject")


def read_secret(secret: secretsmanager.ISecret) -> Permission:
    """Fetch the secret's value."""
    return Permission(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn]),
        key=_use_key_of(secret, "kms:Decrypt"),
    )


def describe_secret(secret: secretsmanager.ISecret) -> Permission:
    """See when the secret was changed and which versions it has, but no value."""
    return Permission(
        iam.PolicyStatement(actions=["secretsmanager:DescribeSecret"], resources=[secret.secret_arn]),
    )


def rotate_secret(secret: secretsmanager.ISecret) -> Permission:
    """Read the secret's versions, write new ones and say which is current."""
    return Permission(
        iam.PolicyStatement(
            actions=[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            resources=[secret.secret_arn],
        ),
        key=_use_key_of(secret, "kms:Decrypt", "kms:GenerateDataKey"),
    )


def send_messages(queue: sqs.IQueue) -> Permission:
    """Put messages into the queue; Lambda does so with the function's role when an event has failed at each attempt."""
    return Permission(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn]))


def make_passwords() -> Permission:
    """Have Secrets Manager make a random password."""
    return Permission(
        iam.PolicyStatement(actions=["secretsmanager:GetRandomPassword"], resources=["*"]),
        wildcard="A random password belongs to no resource, so AWS knows no narrower one for the action.",
    )


def live_in_a_network(function_arn: str) -> Permission:
    """Let Lambda manage the function's network interface in the VPC, and let the function's own code manage none.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
    """
    actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return Permission(
        iam.PolicyStatement(actions=actions, resources=["*"]),
        denial=iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=actions,
            resources=["*"],
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
        ),
        wildcard="Lambda makes the network interface by the function's role before there is one to name, and "
        "describing is known for all resources only.",
    )


def write_logs(log_group: logs.ILogGroup) -> Permission:
    """Write into the log group."""
    return Permission(
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn])
    )


def _use_key_of(secret: secretsmanager.ISecret, *actions: str) -> iam.PolicyStatement | None:
    """Use the key that encrypts a secret, only through Secrets Manager; None if it is Secrets Manager's own key.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    if secret.encryption_key is None:
        return None
    service = f"secretsmanager.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[secret.encryption_key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": service}},
    )


def _on_objects(bucket: s3.IBucket, folders: tuple[str, ...], *actions: str) -> Permission:
    resources = [bucket.arn_for_objects(place) for place in _places(folders)]
    statement = iam.PolicyStatement(actions=list(actions), resources=resources)
    return Permission(statement, objects_of=bucket, folders=folders)


def _said(expression: Any) -> str:
    """How the rules write a resource that a template names by an expression."""
    match expression:
        case {"Fn::Join": ["", parts]}:
            return "".join(map(_said, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
    return str(expression)


def _places(folders: tuple[str, ...]) -> list[str]:
    return [f"{folder}/*" for folder in folders] or ["*"]
