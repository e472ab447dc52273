"""What starts a run every few minutes, and a function every night or some times a day."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.environment import Environment

_NOTHING = scheduler.ScheduleTargetInput.from_object({})
"""Without an input Scheduler sends a notification of its own, which has keys that totes does not know."""


class TickSchedule(Construct):
    """The schedule totes-<environment>, which starts runs; the state machine makes sure that they do not overlap."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        state_machine: sfn.StateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id)
        name = f"totes-{environment.name}"
        interval = cdk.Duration.minutes(environment.tick_minutes)
        role = _role(self, name, "states:StartExecution", state_machine.state_machine_arn, dead_letters)
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
                input=_NOTHING,
                role=role.without_policy_updates(),
                # The next tick does all that a lost one left undone, so a late start is of no use.
                retry_attempts=2,
                max_event_age=cdk.Duration.minutes(5),
                dead_letter_queue=dead_letters,
            ),
        )


class FunctionSchedule(Construct):
    """The schedule totes-<environment>-<name>, which invokes a function once a night, or at some hours of the day.

    It only sends Lambda an event. If the function fails, Lambda tries twice more, and then puts the event into the
    dead-letter queue.

    Args:
        name: what is done, in one word.
        description: what is done, in one sentence.
        function: the function.
        minute: the minute of the hour.
        hours: the hours of the day, UTC, as cron writes them; None: the environment's hour of the night.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        name: str,
        description: str,
        function: lambda_.IFunction,
        minute: int,
        dead_letters: sqs.IQueue,
        hours: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        function.configure_async_invoke(
            retry_attempts=2, max_event_age=cdk.Duration.hours(2), on_failure=destinations.SqsDestination(dead_letters)
        )
        name = f"totes-{environment.name}-{name}"
        role = _role(self, name, "lambda:InvokeFunction", function.function_arn, dead_letters)
        scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=name,
            description=description,
            schedule=scheduler.ScheduleExpression.cron(
                minute=str(minute), hour=hours or str(environment.verify_hour), time_zone=cdk.TimeZone.ETC_UTC
            ),
            time_window=scheduler.TimeWindow.off(),
            enabled=environment.schedule_enabled,
            target=targets.LambdaInvoke(
                function,
                input=_NOTHING,
                role=role.without_policy_updates(),
                retry_attempts=2,
                max_event_age=cdk.Duration.hours(1),
                dead_letter_queue=dead_letters,
            ),
        )


def _role(scope: Construct, schedule: str, action: str, resource: str, dead_letters: sqs.IQueue) -> iam.Role:
    return iam.Role(
        scope,
        "Role",
        description=f"What the schedule {schedule} may do",
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}},
        ),
        inline_policies={
            "start": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(actions=[action], resources=[resource]),
                    iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]),
                ]
            )
        },
    )
