"""How a run has the dashboard's snapshot published, and told of a failure: neither makes a run fail."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.invoking import RETRYABLE, invoke, path, retry
from totes import payloads

_NOTHING = {payloads.PUBLISHED: sfn.JsonPath.string_to_json("null")}
"""What is said where nothing was published; written so, because the CDK leaves a plain null out."""

_MINUTES = 6


def publishing(scope: Construct, publish: lambda_.IFunction, then: sfn.IChainable) -> sfn.IChainable:
    """Publish what the warehouse says now, and go on, whatever comes of it: the data is loaded.

    Args:
        scope: whose states they are.
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
    # The alarm snapshot-late reports it; what hindered it is in the function's log.
    not_published = sfn.Pass(scope, "Not published", parameters=_NOTHING, result_path=path(payloads.PUBLISH))
    task.add_catch(not_published.next(then), errors=[sfn.Errors.ALL], result_path="$.unpublished")
    return task.next(then)


def telling_of(scope: Construct, publish: lambda_.IFunction, step: str, then: sfn.IChainable) -> sfn.IChainable:
    """Say with the snapshot that the run has failed at a step, if that can be said, and then fail.

    Args:
        scope: whose state it is.
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
