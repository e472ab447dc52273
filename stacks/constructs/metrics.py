"""The metrics that alarms and the operations dashboard look at: totes' own, and AWS's of what it runs on."""

from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.environment import Environment
from totes import telemetry

_FIVE_MINUTES = cdk.Duration.minutes(5)


class _Measured(Protocol):
    def __call__(self, name: str, statistic: str, period: cdk.Duration = ...) -> cloudwatch.Metric: ...


def metrics_of(environment: Environment) -> _Measured:
    """The environment's own metrics, by name, statistic and, if it is not five minutes, period."""

    def metric(name: str, statistic: str, period: cdk.Duration = _FIVE_MINUTES) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=telemetry.NAMESPACE,
            metric_name=name,
            dimensions_map={telemetry.SERVICE: f"totes-{environment.name}"},
            statistic=statistic,
            period=period,
        )

    return metric


def of_state_machine(
    stack: cdk.Stack, machine: str, name: str, *, period: cdk.Duration | None = None
) -> cloudwatch.Metric:
    """A metric of the state machine, added up; the ARN is made from the name of the machine."""
    arn = stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name=machine,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return _metric("AWS/States", name, {"StateMachineArn": arn}, "Sum", period)


def of_function(function: str, name: str, *, statistic: str, period: cdk.Duration | None = None) -> cloudwatch.Metric:
    """A metric of a function, by its full name."""
    return _metric("AWS/Lambda", name, {"FunctionName": function}, statistic, period)


def of_queue(queue: str, name: str, *, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
    """A metric of a queue, by its name."""
    return _metric("AWS/SQS", name, {"QueueName": queue}, statistic, period)


def of_instance(instance: str, name: str, *, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
    """A metric of a database instance, by its name."""
    return _metric("AWS/RDS", name, {"DBInstanceIdentifier": instance}, statistic, period)


def _metric(
    namespace: str, name: str, dimensions: dict[str, str], statistic: str, period: cdk.Duration | None
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=period
    )
