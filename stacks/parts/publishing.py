"""How a run has the dashboard's snapshot published, and told of a failure: neither makes a run fail."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.parts.retries import RETRYABLE, retry

_NOTHING = {"published": sfn.JsonPath.string_to_json("null")}
"""What is said where nothing was published; written so, because the CDK leaves a plain null out."""

_LONGER_THAN_THE_FUNCTION = cdk.Duration.minutes(6)


def publishing(scope: Construct, publish: lambda_.IFunction, then: sfn.IChainable) -> sfn.IChainable:
    """Publish what the warehouse says now, and go on, whatever comes of it: the data is loaded.

    Args:
        scope: whose states they are.
        publish: the publisher.
        then: the state that follows.
    """
    task = tasks.LambdaInvoke(
        scope,
        "Publish",
        lambda_function=publish,
        payload=sfn.TaskInput.from_object(
            {
                "execution": sfn.JsonPath.execution_id,
                "seen": sfn.JsonPath.string_at("$.ingest.seen"),
                "waiting": sfn.JsonPath.array(
                    sfn.JsonPath.string_at("$.transform.waiting"), sfn.JsonPath.string_at("$.load.waiting")
                ),
            }
        ),
        payload_response_only=True,
        result_path="$.publish",
        retry_on_service_exceptions=False,
        task_timeout=sfn.Timeout.duration(_LONGER_THAN_THE_FUNCTION),
    )
    retry(task, RETRYABLE, attempts=1)  # the next run publishes what this one could not
    # The alarm snapshot-late tells of it; what hindered it is in the function's log.
    not_published = sfn.Pass(scope, "Not published", parameters=_NOTHING, result_path="$.publish")
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
    task = tasks.LambdaInvoke(
        scope,
        f"Say that {step} failed",
        lambda_function=publish,
        payload=sfn.TaskInput.from_object({"execution": sfn.JsonPath.execution_id, "failed": step}),
        payload_response_only=True,
        result_path=sfn.JsonPath.DISCARD,
        retry_on_service_exceptions=False,
        task_timeout=sfn.Timeout.duration(_LONGER_THAN_THE_FUNCTION),
    )
    task.add_catch(then, errors=[sfn.Errors.ALL], result_path=sfn.JsonPath.DISCARD)
    return task.next(then)
