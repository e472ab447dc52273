"""A repair is as many runs as it takes, each asked for as much as its input holds."""

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest

from command_line.execution import RunResult
from command_line.verification import Verification, repair
from totes.errors import UserError

STEP_FUNCTIONS_LIMIT = 256 * 1024


def runs_of(
    monkeypatch: pytest.MonkeyPatch, recapture: Mapping[str, list[int]], status: str = "SUCCEEDED"
) -> list[dict[str, Any]]:
    """What each run of a repair was asked for."""
    asked: list[dict[str, Any]] = []

    def run(_deployment: object, _follow: object, said: dict[str, Any], **_: object) -> RunResult:
        asked.append(said)
        return RunResult(
            status=status, batch=2, seconds=1.0, error=None if status == "SUCCEEDED" else "Capture.MassDeletion"
        )

    monkeypatch.setattr("command_line.verification.run", run)
    repair(Mock(), Verification(tables={}, document={}, recapture=recapture), lambda _: None)
    return asked


def test_each_run_is_asked_for_as_much_as_its_input_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 2**63 - 1
    keys = list(range(largest - 11_000, largest))
    asked = runs_of(monkeypatch, {"design": [1], "payment": keys})
    assert [sum(map(len, each["recapture"].values())) for each in asked] == [5_000, 5_000, 1_001]
    assert asked[0]["recapture"]["design"] == [1]
    assert [key for each in asked for key in each["recapture"]["payment"]] == keys
    assert all(len(json.dumps(each)) < STEP_FUNCTIONS_LIMIT for each in asked)


def test_nothing_that_differs_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_of(monkeypatch, {}) == []


def test_a_run_that_fails_ends_the_repair_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"repairs failed: Capture\.MassDeletion.*totes verify --repair again"):
        runs_of(monkeypatch, {"payment": list(range(6_000))}, status="FAILED")
