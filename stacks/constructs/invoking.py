"""How the state machine invokes a function, and what it tries again."""

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

A deployment changes a function's layers and its code one after the other, so that for seconds they do not fit together.
"""

ASLEEP = tuple(f"Lambda.{name}Exception" for name in ("ENINotReady", "ResourceConflict", "ResourceNotReady"))
"""What Lambda says of a function in a network that nobody has called for weeks: the call has woken it, in minutes.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""


def path(*keys: str) -> str:
    """The JSONPath of what lies under these keys, one within the other."""
    return ".".join(("$", *keys))


def retry(task: sfn.TaskStateBase, errors: Sequence[str], *, attempts: int = 4) -> None:
    """Have a task tried again after some errors, a few times, at moments that tell two runs apart."""
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
    """Make a state that invokes a function, also one that sleeps; what else is tried again is for the caller to say.

    Args:
        scope: whose state it is.
        name: the state's.
        function: the function.
        payload: its event, besides the execution's id.
        result_path: where its result goes.
        minutes: how long is waited for it: longer than the function has, which ends sooner and says why.
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
