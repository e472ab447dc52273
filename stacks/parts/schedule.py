"""What starts a run every few minutes."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.config import Environment


class TickSchedule(Construct):
    """The schedule totes-<environment>. That runs do not overlap is the state machine's own care."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        state_machine: sfn.StateMachine,
    ) -> None:
        super().__init__(scope, id)
        name = f"totes-{environment.name}"
        interval = cdk.Duration.minutes(environment.tick_minutes)
        role = iam.Role(
            self,
            "Role",
            description=f"What the schedule {name} may do",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            ),
            inline_policies={
                "start": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["states:StartExecution"], resources=[state_machine.state_machine_arn]
                        )
                    ]
                )
            },
        )
        scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=name,
            description=f"Starts a run of {name} every {environment.tick_minutes} minutes",
            schedule=scheduler.ScheduleExpression.rate(interval),
            time_window=scheduler.TimeWindow.off(),
            enabled=environment.schedule_enabled,
            target=targets.StepFunctionsStartExecution(
                state_machine,
                role=role.without_policy_updates(),
                # The next tick makes good a lost one, so a late start helps nobody.
                retry_attempts=2,
                max_event_age=cdk.Duration.minutes(5),
            ),
        )
