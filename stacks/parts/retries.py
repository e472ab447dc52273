"""What the state machine tries again, and how."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from totes.errors import RetryableError

RETRYABLE = (
    *sorted(error.__name__ for error in RetryableError.__subclasses__()),
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
)
"""The errors after which the same step may succeed: the library's own, and Lambda's."""


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
