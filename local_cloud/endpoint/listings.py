"""What is said of executions: what was so a moment ago, as each answer of Step Functions' may be.

An execution that has just begun does not exist for whoever describes it or reads its history, and is on no list for
longer: a run that asks for those that are under way, as its first act, does not find itself among them. One that has
just ended is listed as running; described, it runs, or has succeeded and does not say yet what it came to.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
"""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.stepfunctions.exceptions import ExecutionDoesNotExist
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.utils import PAGINATION_MODEL
from moto.utilities.paginator import paginate

from local_cloud.endpoint.patches import patch

_BEHIND = timedelta(seconds=0.1)
"""How old an answer is. AWS says of no time that it is the longest; whoever follows a run waits for so much more."""

_LISTED_AFTER = timedelta(seconds=1)

_moto_list = StepFunctionBackend.list_executions.__wrapped__  # all of them, not a page
_moto_describe = StepFunctionBackend.describe_execution


def install() -> None:
    """Patch moto's list, and its description, from which it tells an execution's history too."""
    patch(
        StepFunctionBackend,
        "list_executions",
        list_executions,
        why="moto lists an execution in the moment that it begins or ends",
    )
    patch(
        StepFunctionBackend,
        "describe_execution",
        _describe,
        why="moto describes an execution in the moment that it begins or ends",
    )


@paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[untyped-decorator] # moto has no types
def list_executions(backend: Any, state_machine_arn: str, status_filter: str | None = None) -> list[Any]:
    """The executions that are listed by now, newest first; moto looks up by this function's name how to page them."""
    now = datetime.now(UTC)
    listed = [_running(each) if _has_just_ended(each, now) else each for each in _moto_list(backend, state_machine_arn)]
    return [
        each
        for each in listed
        if (each.status != "RUNNING" or each.start_date < now - _LISTED_AFTER) and status_filter in {None, each.status}
    ]


def _describe(backend: Any, execution_arn: str) -> Any:
    execution, now = _moto_describe(backend, execution_arn), datetime.now(UTC)
    if now - execution.start_date < _BEHIND:
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{execution_arn}'")
    if not _has_just_ended(execution, now):
        return execution
    executions = backend._get_state_machine_for_execution(execution_arn).executions  # noqa: SLF001 - moto's own
    every_other = executions.index(execution) % 2
    return _without_output(execution) if every_other and execution.status == "SUCCEEDED" else _running(execution)


def _has_just_ended(execution: Any, now: datetime) -> bool:
    return execution.stop_date is not None and now - execution.stop_date < _BEHIND


def _running(execution: Any) -> Any:
    """An execution as it was before it ended."""
    before = copy.copy(execution)
    before.exec_status, before.stop_date = ExecutionStatus.RUNNING, None
    before.output = before.error = before.cause = None
    return before


def _without_output(execution: Any) -> Any:
    before = copy.copy(execution)
    before.output = before.output_details = None
    return before
