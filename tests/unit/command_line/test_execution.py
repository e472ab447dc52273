"""Who follows an execution believes no answer that is a moment old: not that it is missing, nor how it ended."""

import itertools
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from command_line import execution
from command_line.deployment import Deployment
from command_line.execution import RunResult, run, run_or_meet
from totes.outcomes import ANOTHER_RUN, LOADED

RUNNING: dict[str, Any] = {"status": "RUNNING"}
FAILED: dict[str, Any] = {"status": "FAILED", "error": "Capture.SourceUnavailable"}


class Missing(Exception):
    pass


def came_to(outcome: str, batch: int = 1) -> dict[str, Any]:
    load = {"load": {"loaded": {"last": batch}, "newest": batch}} if outcome == LOADED else {}
    return {"status": "SUCCEEDED", "output": json.dumps({"outcome": outcome, **load})}


class StepFunctions:
    """Executions that are described as each was told to be, one look after the other, the last one for ever."""

    def __init__(self, *started: list[Any], **met: list[Any]) -> None:
        self._looks = {f"own-{number}": looks for number, looks in enumerate(started)} | met
        self._number = itertools.count()
        self._listed = [*met]
        self.exceptions = SimpleNamespace(ExecutionDoesNotExist=Missing)

    def start_execution(self, **_: Any) -> dict[str, Any]:
        return {"executionArn": f"own-{next(self._number)}", "startDate": datetime.now(UTC)}

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": [{"executionArn": arn} for arn in self._listed]}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        looks = self._looks[executionArn]
        found: dict[str, Any] | type[Missing] = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(found, dict):
            return found
        raise found

    def get_paginator(self, _: str) -> Any:
        def paginate(executionArn: str, **_: Any) -> list[Any]:  # noqa: N803 - boto3's word
            return [{"events": [{"id": 1, "stateEnteredEventDetails": {"name": executionArn}}]}]

        return SimpleNamespace(paginate=paginate)


class Clock:
    """It moves by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(execution, "time", clock)
    return clock


def deployed(step_functions: StepFunctions) -> Deployment:
    return Mock(
        spec=Deployment,
        step_functions=step_functions,
        outputs={"StateMachineArn": "arn"},
        endpoint=None,
        options="--env dev",
    )


def followed(step_functions: StepFunctions) -> tuple[RunResult, list[str]]:
    states: list[str] = []
    return run(deployed(step_functions), states.append), states


def test_an_execution_that_has_just_begun_may_not_be_there_yet() -> None:
    result, states = followed(StepFunctions([Missing, Missing, RUNNING, came_to(LOADED)]))
    assert (result.status, result.batch, result.seconds) == ("SUCCEEDED", 1, 3.0)
    assert states == ["own-0"]


def test_one_that_stays_missing_does_not_exist(clock: Clock) -> None:
    with pytest.raises(Missing):
        run(deployed(StepFunctions([Missing])), lambda _: None)
    assert clock.now == 30.0


def test_one_that_goes_missing_later_does_not_exist(clock: Clock) -> None:
    with pytest.raises(Missing):
        run(deployed(StepFunctions([*[RUNNING] * 60, Missing])), lambda _: None)
    assert clock.now == 60.0


def test_an_execution_that_succeeded_without_its_output_still_runs() -> None:
    result, _ = followed(StepFunctions([RUNNING, {"status": "SUCCEEDED"}, came_to(LOADED)]))
    assert (result.status, result.batch) == ("SUCCEEDED", 1)


def test_one_that_failed_has_no_output() -> None:
    result, _ = followed(StepFunctions([RUNNING, FAILED]))
    assert (result.status, result.error) == ("FAILED", "Capture.SourceUnavailable")


def test_one_that_is_under_way_is_met_even_if_it_is_not_there_yet() -> None:
    steps = StepFunctions([came_to(ANOTHER_RUN)], another=[Missing, Missing, RUNNING, came_to(LOADED, 7)])
    assert run_or_meet(deployed(steps), lambda _: None).batch == 7


def test_one_that_is_listed_and_has_ended_is_not_under_way() -> None:
    steps = StepFunctions([came_to(ANOTHER_RUN)], [came_to(LOADED, 8)], another=[came_to(LOADED, 7)])
    states: list[str] = []
    assert run_or_meet(deployed(steps), states.append).batch == 8, "what had ended before does not count"
    assert "another" not in states
