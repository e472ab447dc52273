"""How a run has the dashboard's snapshot published, or marked with a failure: if that fails, the run does not."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.invoking import RETRYABLE, invoke, path, retry
from totes import payloads

_MINUTES = 6


def publishing(scope: Construct, publish: lambda_.IFunction, then: sfn.IChainable) -> sfn.IChainable:
    """Publish what the warehouse says now, and go on even if that fails: the data is loaded.

    Args:
        scope: the construct that the states belong to.
        publish: the publisher.
        then: the state that follows.
    """
    task = invoke(
        scope,
        payloads.PUBLISH.capitalize(),
        publish,
        {
            payloads.SEEN: sfn.JsonPath.string_at(path(payloads.CAPTURE, payloads.SEEN)),
            payloads.WAITING: sfn.JsonPath.array(
                sfn.JsonPath.string_at(path(payloads.TRANSFORM, payloads.WAITING)),
                sfn.JsonPath.string_at(path(payloads.LOAD, payloads.WAITING)),
            ),
        },
        result_path=path(payloads.PUBLISH),
        minutes=_MINUTES,
    )
    retry(task, RETRYABLE, attempts=1)  # the next run publishes what this one could not
    # The alarm snapshot-late reports it; the function's log has the reason.
    not_published = sfn.Pass(
        scope,
        "Not published",
        result=sfn.Result.from_object({payloads.PUBLISHED: 0}),
        result_path=path(payloads.PUBLISH),
    )
    task.add_catch(not_published.next(then), errors=[sfn.Errors.ALL], result_path="$.unpublished")
    return task.next(then)


def telling_of(scope: Construct, publish: lambda_.IFunction, step: str, then: sfn.IChainable) -> sfn.IChainable:
    """Publish with the snapshot that the run has failed at a step, and then fail, even if it cannot be published.

    Args:
        scope: the construct that the state belongs to.
        publish: the publisher.
        step: the step.
        then: the failure.
    """
    task = invoke(
        scope,
        f"Say that {step} failed",
        publish,
        {payloads.FAILED: step},
        result_path=sfn.JsonPath.DISCARD,
        minutes=_MINUTES,
    )
    task.add_catch(then, errors=[sfn.Errors.ALL], result_path=sfn.JsonPath.DISCARD)
    return task.next(then)
