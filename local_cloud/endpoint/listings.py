"""Which executions are listed: those that began some time ago, for a list may lag behind what it lists.

So a run that asks for those that are under way, as its first act, does not find itself among them.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.utils import PAGINATION_MODEL
from moto.utilities.paginator import paginate

from local_cloud.endpoint.patches import patch

_BEHIND = timedelta(seconds=1)
"""AWS says of no time that it is the longest."""

_moto_list = StepFunctionBackend.list_executions.__wrapped__  # all of them, not a page


def install() -> None:
    """Patch moto's list."""
    patch(
        StepFunctionBackend,
        "list_executions",
        list_executions,
        why="moto lists an execution in the moment that it begins",
    )


@paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[untyped-decorator] # moto has no types
def list_executions(backend: Any, state_machine_arn: str, status_filter: str | None = None) -> list[Any]:
    """The executions that are listed by now, newest first; moto looks up by this function's name how to page them."""
    known_until = datetime.now(UTC) - _BEHIND
    listed = _moto_list(backend, state_machine_arn, status_filter)
    return [each for each in listed if each.status != "RUNNING" or each.start_date < known_until]
