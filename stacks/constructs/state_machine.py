"""The state machine: its role, its logs and its limits; run.py has what it does."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.checks import acknowledge
from stacks.constructs.run import Run
from stacks.environment import Environment

RUN_HOURS = 6
"""After how many hours a run is ended: three functions at their longest with retries fit in, or a thousand pieces."""


class StateMachine(Construct):
    """The state machine totes-<environment>.

    Attributes:
        state_machine: the state machine.
        name: its name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        capture: lambda_.IFunction,
        transform: lambda_.IFunction,
        load: lambda_.IFunction,
        publish: lambda_.IFunction | None,
    ) -> None:
        super().__init__(scope, id)
        self.name = name = f"totes-{environment.name}"
        # Made from the name: with the machine's own ARN, machine and role would depend on each other.
        arn = cdk.Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/{name}",  # a prefix that AWS's own log policy already covers
            retention=environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # one left behind would block the next deployment of its name
        )
        run = Run(
            self,
            "Run",
            state_machine_arn=arn,
            capture=capture,
            transform=transform,
            load=load,
            publish=publish,
            pieces_at_once=environment.pieces_at_once,
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="What has changed in the source reaches the warehouse",
            definition_body=sfn.DefinitionBody.from_chainable(run.definition()),
            timeout=cdk.Duration.hours(RUN_HOURS),
            role=self._role(
                name, arn, [capture, transform, load, *([publish] if publish else [])]
            ).without_policy_updates(),
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
        )

    def _role(self, name: str, arn: str, functions: list[lambda_.IFunction]) -> iam.Role:
        executions = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            "Role",
            description=f"What the state machine {name} may do",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            inline_policies={
                "steps": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["lambda:InvokeFunction"],
                            resources=[function.function_arn for function in functions],
                        ),
                        iam.PolicyStatement(
                            actions=["states:ListExecutions", "states:StartExecution"], resources=[arn]
                        ),
                        # A Distributed Map needs these to end its own executions together with the run:
                        # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
                        iam.PolicyStatement(
                            actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions]
                        ),
                    ]
                ),
                "telemetry": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=[
                                "logs:CreateLogDelivery",
                                "logs:DeleteLogDelivery",
                                "logs:DescribeLogGroups",
                                "logs:DescribeResourcePolicies",
                                "logs:GetLogDelivery",
                                "logs:ListLogDeliveries",
                                "logs:PutResourcePolicy",
                                "logs:UpdateLogDelivery",
                                "xray:GetSamplingRules",
                                "xray:GetSamplingTargets",
                                "xray:PutTelemetryRecords",
                                "xray:PutTraceSegments",
                            ],
                            resources=["*"],
                        )
                    ]
                ),
            },
        )
        acknowledge(
            role,
            f"IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}:*]",
            reason="The executions by which pieces of a source or batch are done are named at run time, behind the "
            "name of the state machine.",
        )
        acknowledge(
            role,
            "IAM5[Resource::*]",
            reason="AWS knows no narrower resource for the actions of log delivery and of X-Ray; they stand in a "
            "policy of their own with nothing else in it.",
        )
        return role
