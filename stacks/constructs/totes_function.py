"""A function, with a role and a log group of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.checks import acknowledge
from stacks.constructs.handed_network import Placement
from stacks.constructs.layers import Layers
from stacks.constructs.permissions import Permission, live_in_a_network, write_logs
from stacks.constructs.runtime import architecture_of, is_newest, runtime_of
from stacks.dependencies import ROOT
from stacks.environment import Environment
from stacks.packages import check_size, code_of, size_of
from stacks.settings.functions import FunctionSettings


class TotesFunction(Construct):
    """The function totes-<environment>-<name>, which runs lambdas/<name>/handler.py, or the handler in `folder`.

    Attributes:
        function: the function.
        full_name: its name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        name: str,
        description: str,
        settings: FunctionSettings,
        layers: Layers,
        variables: Mapping[str, str],
        permissions: Sequence[Permission],
        placement: Placement | None,
        folder: Path | None,
    ) -> None:
        super().__init__(scope, id)
        self.full_name = full_name = f"totes-{environment.name}-{name}"
        folder = folder or ROOT / "lambdas" / name
        check_size(full_name, {folder: size_of(folder), **layers.sizes})
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{full_name}",
            retention=environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # one left behind would block the next deployment of its name
        )
        permissions = [*permissions, write_logs(log_group)]
        if placement is not None:
            permissions.append(live_in_a_network(_arn_of(self, full_name)))
        role = iam.Role(
            self,
            "Role",
            description=f"What {full_name} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "work": iam.PolicyDocument(
                    statements=[each for permission in permissions for each in permission.statements]
                )
            },
        )
        for permission in permissions:
            permission.acknowledge_on(role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=full_name,
            description=description,
            runtime=runtime_of(environment.target),
            architecture=architecture_of(environment.target),
            code=code_of(folder),
            handler="handler.handler",
            layers=list(layers.versions),
            memory_size=settings.memory_mb,
            timeout=cdk.Duration.minutes(settings.timeout_minutes),
            environment={"POWERTOOLS_SERVICE_NAME": f"totes-{environment.name}", **variables},
            role=role.without_policy_updates(),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            vpc=placement.vpc if placement else None,
            vpc_subnets=placement.subnets if placement else None,
            security_groups=placement.security_groups if placement else None,
        )
        if not is_newest(environment.target):
            acknowledge(
                self.function,
                "L1",
                reason=f"Python {environment.target.python} is the one that the library's tests run on.",
            )


def _arn_of(construct: Construct, name: str) -> str:
    """The ARN of a function, made from its name: its role cannot refer to it, because it refers to its role."""
    return cdk.Stack.of(construct).format_arn(
        service="lambda", resource="function", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
