"""The states that have a large source read, or a large batch transformed, in pieces, by many functions at once.

Each is a Distributed Map of Step Functions.
"""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.invoking import RETRYABLE, path, retry
from totes import payloads

_KILLED = ("Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout")
"""Lambda's errors for a function that was killed or ran out of time: to do a piece again costs little."""


def reading_pieces(scope: Construct, capture: lambda_.IFunction, *, at_once: int) -> sfn.Map:
    """Make the state that reads the pieces that a capture has asked for.

    Args:
        scope: the construct that the state belongs to.
        capture: the function that captures, and reads a piece if it is asked to.
        at_once: how many pieces are read at the same time, each through a connection to the source.
    """
    return _in_pieces(
        scope,
        "Read",
        capture,
        asked=path(payloads.CAPTURE, payloads.UNREAD),
        of=payloads.PLAN,
        result_path=path(payloads.READ),
        at_once=at_once,
    )


def transforming_pieces(scope: Construct, transform: lambda_.IFunction, *, at_once: int) -> sfn.Map:
    """Make the state that transforms the pieces that a transformation has asked for.

    Args:
        scope: the construct that the state belongs to.
        transform: the function that transforms, and transforms a piece if it is asked to.
        at_once: how many pieces are transformed at the same time.
    """
    return _in_pieces(
        scope,
        "Transform",
        transform,
        asked=path(payloads.TRANSFORM, payloads.UNTRANSFORMED),
        of=payloads.BATCH,
        result_path=path(payloads.TRANSFORMED),
        at_once=at_once,
    )


def _in_pieces(
    scope: Construct, does: str, function: lambda_.IFunction, *, asked: str, of: str, result_path: str, at_once: int
) -> sfn.Map:
    """Make a state in which each piece is an execution of its own.

    A piece that fails returns its error, and the state does not fail: a failed state would not tell the error's name.
    The next step fails with it instead, so the results of the other pieces are kept for the next run.
    """
    task = tasks.LambdaInvoke(
        scope,
        f"{does} a piece",
        lambda_function=function,
        payload_response_only=True,  # and the execution's input is the event
        retry_on_service_exceptions=False,  # RETRYABLE has them, with jitter
        task_timeout=sfn.Timeout.duration(cdk.Duration.minutes(16)),  # the function ends sooner and says why
    )
    retry(task, [*RETRYABLE, *_KILLED])
    task.add_catch(
        sfn.Pass(
            scope,
            f"{does} a piece failed",
            parameters={
                of: sfn.JsonPath.number_at(path(of)),
                payloads.PIECE: sfn.JsonPath.number_at(path(payloads.PIECE)),
                payloads.ERROR: sfn.JsonPath.string_at("$.failure.Error"),
            },
        ),
        errors=[sfn.Errors.ALL],
        result_path="$.failure",
    )
    pieces = sfn.Map(
        scope,
        f"{does} the pieces",
        items_path=f"{asked}.{payloads.PIECES}",
        item_selector={
            payloads.EXECUTION: sfn.JsonPath.execution_id,
            of: sfn.JsonPath.number_at(f"{asked}.{of}"),
            payloads.PIECE: sfn.JsonPath.number_at("$$.Map.Item.Value"),
        },
        max_concurrency=at_once,
        result_path=result_path,
    )
    # Not the CDK's DistributedMap, which gives the machine's role one more policy. An EXPRESS execution would end after
    # five minutes.
    return pieces.item_processor(task, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType.STANDARD)
