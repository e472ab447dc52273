"""What a comparison found is said with its remedy; a repair is as many runs as it takes, each with what it holds."""

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest

from command_line.commands import verification_view
from command_line.execution import RunResult
from command_line.verification import TableVerification, Verification, repair, verdict_on
from totes import payloads
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


MASS_DELETION = "142 of 142 rows of payment are gone; restore them, or accept it: totes run --accept-deletes payment"
EXTRA: dict[str, Any] = {
    "rows": 0,
    "missing": 0,
    "extra": 142,
    "different": 0,
    "in_flight": 0,
    "quarantined": 0,
    "columns": [],
    "examples": {},
}


@pytest.mark.parametrize(
    ("stopped", "remedy"),
    [
        (None, "; totes verify --repair repairs them"),
        (MASS_DELETION, f"; a mass deletion stops every run: {MASS_DELETION}"),
    ],
)
def test_rows_that_differ_are_said_with_what_brings_them(
    stopped: str | None, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"fact_payment": TableVerification(**EXTRA)}
    verification_view.verdict(Verification(tables=found, document={}, stopped=stopped))
    assert f"✗ 142 of 0 rows differ{remedy}" in capsys.readouterr().out


def test_the_command_that_accepts_a_mass_deletion_names_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {payloads.RECAPTURE: {}, payloads.TABLES: {"fact_payment": EXTRA}, payloads.STOPPED: MASS_DELETION}
    monkeypatch.setattr("command_line.verification.ask", Mock(return_value=answer))
    found = verdict_on(Mock(options="--env dev"))
    assert found.stopped == MASS_DELETION.replace("totes run", "totes run --env dev")
    assert found.document[payloads.STOPPED] == found.stopped


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
