"""State machines of a stack that really run.

moto's CloudFormation puts a state machine into the backend that plays executions instead of the one that
interprets them, and does not fill in DefinitionSubstitutions. Its interpreter gives an execution without a name none,
and hands the words of an AWS SDK task to boto3 as they are: Step Functions writes StateMachineArn and Executions
where boto3 writes stateMachineArn and executions. What Lambda itself refuses it calls an Exception. And it says that
an execution has ended before it says how, so that who asks just then finds it SUCCEEDED and without an output.

moto limits what a state passes on to 256 KiB, as AWS does, but not the input of an execution:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import copy
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError
from moto.stepfunctions import models
from moto.stepfunctions.exceptions import ValidationException
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from local_cloud.endpoint.forgetting import forget_executions
from local_cloud.endpoint.interpreter import client_for
from local_cloud.endpoint.patches import patch

MOST_BYTES = 256 * 1024
"""How long what an execution or a state begins with or comes to may be, as text."""

_STARTING = threading.Lock()
"""An execution that begins while others are forgotten would be forgotten too."""

_moto_create = StateMachine.create_from_cloudformation_json.__func__
_moto_update = StateMachine.update_from_cloudformation_json.__func__
_moto_reflect_status: Any = BaseExecutionWorkerCommunication._reflect_execution_status  # noqa: SLF001 - see above
_moto_start_execution = StepFunctionsParserBackend.start_execution
_moto_failure_of_lambda: Any = StateTaskLambda._from_error  # noqa: SLF001 - see above


def install() -> None:
    """Patch moto's state machines."""
    patch(
        models,
        "stepfunctions_backends",
        stepfunctions_parser_backends,
        why="moto's CloudFormation uses the backend that interprets nothing",
    )
    patch(
        StateMachine,
        "create_from_cloudformation_json",
        classmethod(_create),
        why="moto does not fill in DefinitionSubstitutions",
    )
    patch(
        StateMachine,
        "update_from_cloudformation_json",
        classmethod(_update),
        why="moto does not fill in DefinitionSubstitutions",
    )
    patch(
        StepFunctionsParserBackend,
        "start_execution",
        _start_execution,
        why="moto gives an execution without a name none, and forgets none",
    )
    patch(
        BaseExecutionWorkerCommunication,
        "_reflect_execution_status",
        _reflect_status,
        why="moto says that an execution has ended before it says how",
    )
    patch(
        StateTaskServiceAwsSdk,
        "_eval_service_task",
        _call_sdk,
        why="moto hands boto3 the words of an AWS SDK task as they are",
    )
    patch(StateTaskLambda, "_from_error", _failure_of_lambda, why="moto calls what Lambda refuses an Exception")


def _create(cls: Any, resource_name: str, cloudformation_json: Any, *arguments: Any, **keywords: Any) -> Any:
    return _moto_create(cls, resource_name, _with_definition_string(cloudformation_json), *arguments, **keywords)


def _update(cls: Any, /, *, cloudformation_json: Any, **keywords: Any) -> Any:
    return _moto_update(cls, cloudformation_json=_with_definition_string(cloudformation_json), **keywords)


def _with_definition_string(document: Any) -> Any:
    return {
        **document,
        "Properties": {**document["Properties"], "DefinitionString": _definition(document["Properties"])},
    }


def _definition(properties: Mapping[str, Any]) -> str:
    if "DefinitionS3Location" in properties:
        raise ValidationError(message="the local cloud takes a state machine's definition inline, not from S3")
    inline = properties.get("Definition")
    definition = str(properties["DefinitionString"]) if inline is None else json.dumps(inline)
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    return definition


def _start_execution(
    backend: Any, state_machine_arn: str, name: str | None = None, execution_input: str | None = None, *others: Any
) -> Any:
    if len((execution_input or "").encode()) > MOST_BYTES:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_BYTES}"
        )
    with _STARTING:
        started = _moto_start_execution(backend, state_machine_arn, name or str(uuid.uuid4()), execution_input, *others)
        forget_executions(backend.describe_state_machine(state_machine_arn))
    return started


def _reflect_status(communication: Any) -> None:
    execution = communication.execution
    ended = copy.copy(execution)
    _moto_reflect_status(SimpleNamespace(execution=ended))
    for name in ("stop_date", "output", "error", "cause", "exec_status"):
        setattr(execution, name, getattr(ended, name))


def _failure_of_lambda(task: Any, env: Any, ex: Exception) -> Any:
    """The name of a state's error; for what Lambda refuses, Lambda's own name.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    failure = _moto_failure_of_lambda(task, env, ex)
    if isinstance(ex, ClientError):
        name = f"Lambda.{ex.response['Error']['Code']}"
        failure.error_name = CustomErrorName(name)
        failure.event_details["lambdaFunctionFailedEventDetails"]["error"] = name
    return failure


def _call_sdk(
    task: Any,
    env: Any,
    resource_runtime_part: Any,
    normalised_parameters: Mapping[str, Any],
    state_credentials: Any,  # noqa: ARG001 - moto's signature
) -> None:
    action = task._get_boto_service_action()  # noqa: SLF001 - see above
    client = client_for(resource_runtime_part.region, task._get_boto_service_name())  # noqa: SLF001
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[action])
    response = getattr(client, action)(**_renamed(operation.input_shape, normalised_parameters, _as_boto_writes))
    response.pop("ResponseMetadata", None)
    env.stack.append(_renamed(operation.output_shape, response, _as_step_functions_writes))


def _renamed(shape: Any, value: Any, rename: Callable[[str, Any], str]) -> Any:
    """A request or response with its structures' members renamed, and its moments as text, as JSON has them."""
    kind = "unknown" if shape is None else shape.type_name
    if kind == "structure":
        return {rename(word, shape): _renamed(_member(shape, word), each, rename) for word, each in value.items()}
    if kind == "list":
        return [_renamed(shape.member, each, rename) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _member(shape: Any, word: str) -> Any:
    return shape.members.get(_as_boto_writes(word, shape))


def _as_boto_writes(word: str, shape: Any) -> str:
    lower = word[:1].lower() + word[1:]
    return lower if lower in shape.members else word


def _as_step_functions_writes(word: str, shape: Any) -> str:  # noqa: ARG001 - one of two ways
    return word[:1].upper() + word[1:]
