"""How the state machine invokes a function, and after which errors it tries again."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from totes import payloads
from totes.errors import RetryableError

RETRYABLE = (
    *sorted(error.__name__ for error in RetryableError.__subclasses__()),
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Runtime.ImportModuleError",
)
"""The errors after which the same step may succeed: the library's own, and Lambda's.

A deployment changes a function's layers and its code one after the other, so for some seconds they do not fit together.
"""

ASLEEP = tuple(f"Lambda.{name}Exception" for name in ("ENINotReady", "ResourceConflict", "ResourceNotReady"))
"""Lambda's errors for a function in a network that was not called for weeks: it is ready again within minutes.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""


def path(*keys: str) -> str:
    """The JSONPath of the value below these keys, each inside the one before."""
    return ".".join(("$", *keys))


def retry(task: sfn.TaskStateBase, errors: Sequence[str], *, attempts: int = 4) -> None:
    """Have a task tried again after some errors, a few times, after random delays, so that two runs do not collide."""
    task.add_retry(
        errors=list(errors),
        interval=cdk.Duration.seconds(3),
        backoff_rate=2,
        max_attempts=attempts,
        max_delay=cdk.Duration.seconds(30),
        jitter_strategy=sfn.JitterType.FULL,
    )


def invoke(
    scope: Construct,
    name: str,
    function: lambda_.IFunction,
    payload: Mapping[str, Any],
    *,
    result_path: str,
    minutes: int,
) -> tasks.LambdaInvoke:
    """Make a state that invokes a function and tries again while it is `ASLEEP`; other retries are the caller's.

    Args:
        scope: the construct that the state belongs to.
        name: the name of the state.
        function: the function.
        payload: its event, besides the execution's id.
        result_path: where its result goes.
        minutes: how long the state waits: longer than the function may take, which then ends first and says why.
    """
    task = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=function,
        payload=sfn.TaskInput.from_object({payloads.EXECUTION: sfn.JsonPath.execution_id, **payload}),
        payload_response_only=True,
        result_path=result_path,
        retry_on_service_exceptions=False,  # RETRYABLE has them, with jitter
        task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(minutes)),
    )
    task.add_retry(errors=list(ASLEEP), interval=cdk.Duration.seconds(30), backoff_rate=1, max_attempts=8)
    return task
