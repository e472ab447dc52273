"""Execution histories: a page at a time, from either end, and without data where that is asked for.

moto answers with the whole history whatever is asked. So a client that reads only the first page would see more here
than in AWS, and to write every event at each look takes more of a processor than the run itself.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import InvalidToken
from moto.stepfunctions.responses import StepFunctionResponse

from local_cloud.endpoint.patches import patch

_PAGE, _LARGEST_PAGE = 100, 1000

_DATA = frozenset({"input", "inputDetails", "output", "outputDetails"})


def install() -> None:
    """Patch moto's answer."""
    patch(
        StepFunctionResponse,
        "get_execution_history",
        _answer,
        why="moto tells an execution's whole history, whichever page is asked for",
    )


def _answer(response: Any) -> ActionResult:
    asked = response._get_param  # noqa: SLF001 - moto has no public way
    events = response.stepfunction_backend.get_execution_history(asked("executionArn"))["events"]
    if asked("reverseOrder"):
        events = events[::-1]
    # A history grows while it is read: a page begins where the one before has ended, by its last event.
    begin = _after(events, asked("nextToken"))
    end = begin + min(asked("maxResults") or _PAGE, _LARGEST_PAGE)
    page = events[begin:end]
    if asked("includeExecutionData") is False:
        page = [{name: _without_data(value) for name, value in event.items()} for event in page]
    return ActionResult({"events": page, **({"nextToken": str(page[-1]["id"])} if end < len(events) else {})})


def _after(events: list[dict[str, Any]], token: str | None) -> int:
    if token is None:
        return 0
    for place, event in enumerate(events, start=1):
        if str(event["id"]) == token:
            return place
    raise InvalidToken


def _without_data(detail: Any) -> Any:
    if isinstance(detail, Mapping):
        return {name: value for name, value in detail.items() if name not in _DATA}
    return detail
