"""The schedules of Secrets Manager by which the databases' passwords are changed."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.environment import Environment


class Rotation(Construct):
    """A rotation schedule for each secret, by its login; a deployment never rotates one."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        function: lambda_.IFunction,
        secrets: Mapping[str, secretsmanager.ISecret],
    ) -> None:
        super().__init__(scope, id)
        function.add_permission(
            "Rotation",
            principal=iam.ServicePrincipal("secretsmanager.amazonaws.com"),
            source_account=cdk.Stack.of(self).account,
        )
        for login_name, secret in secrets.items():
            # The higher-level construct would also forbid everybody to delete the secret, even together with its stack.
            schedule = secretsmanager.CfnRotationSchedule(
                self,
                login_name.capitalize(),
                secret_id=secret.secret_arn,
                rotation_lambda_arn=function.function_arn,
                rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                    automatically_after_days=environment.rotation_days
                ),
                # Nobody expects a password to change in the middle of a deployment.
                rotate_immediately_on_update=False,
            )
            schedule.node.add_dependency(function)  # and so its permission, without which nothing is rotated
