"""Distributed Maps with AWS's limits and rights.

moto runs their iterations within the execution, whatever its role may do. It takes a failed iteration for one without
a result, and passes on results of any size.
"""

import json
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from local_cloud.endpoint.authority import is_allowed
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.state_machines import MOST_BYTES

_moto_map_run = DistributedIterationComponent._map_run  # noqa: SLF001 - moto has no public word for it


def install() -> None:
    """Patch moto's Distributed Maps."""
    patch(
        DistributedIterationComponent,
        "_map_run",
        _map_run,
        why="moto asks no role, tolerates every failure of a Distributed Map, and takes results of any size",
    )


def _map_run(component: Any, env: Any, eval_input: Any) -> None:
    context = env.states.context_object.context_object_data
    machine, role = context["StateMachine"]["Id"], context["Execution"]["RoleArn"]
    if not is_allowed(role, "states:StartExecution", machine):
        raise _failure(
            env,
            StatesErrorNameType.StatesPermissions,
            f"{role} is not authorized to perform: states:StartExecution on resource: {machine}",
        )
    _moto_map_run(component, env, eval_input)
    failed, run = eval_input.map_run_record.item_counter.failed.get(), eval_input.map_run_record
    if failed and not run.tolerated_failure_count and not run.tolerated_failure_percentage:
        raise _failure(
            env,
            StatesErrorNameType.StatesExceedToleratedFailureThreshold,
            "The specified tolerated failure threshold was exceeded",
        )
    if len(json.dumps(env.stack[-1]).encode()) > MOST_BYTES:
        raise _failure(
            env,
            StatesErrorNameType.StatesStatesDataLimitExceeded,
            "The state/task returned a result with a size exceeding the maximum number of bytes service limit.",
        )


def _failure(env: Any, error: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(error)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.MapRunFailed,
            event_details=EventDetails(
                mapRunFailedEventDetails=MapRunFailedEventDetails(error=name.error_name, cause=cause)
            ),
        )
    )
