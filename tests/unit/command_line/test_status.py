"""Freshness is what a whole run has brought, and nothing less."""

import json
from datetime import UTC, datetime
from typing import cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from command_line.commands import status_view
from command_line.commands.app import app
from command_line.deployment import Deployment
from command_line.status import FailedRun, awaited_login, last_failure, last_success, status_of
from totes.errors import UserError
from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NO_LOGIN, NOTHING_CHANGED

CAUSE = json.dumps({"errorMessage": "the source cannot be reached: timeout"})


def deployment(
    outcomes: dict[int, str],
    *,
    seen: str = "2024-01-01T08:00:00+00:00",
    newest: int = 2,
    failed: dict[int, str] | None = None,
) -> Deployment:
    """A deployment whose executions began at these minutes, with these outcomes or statuses of failure.

    Each that succeeded has captured batch 2.
    """
    client, failures = Mock(), failed or {}

    def listed(statusFilter: str, **_: object) -> dict[str, object]:  # noqa: N803 - boto3's word
        minutes = outcomes if statusFilter == "SUCCEEDED" else [m for m, how in failures.items() if how == statusFilter]
        return {
            "executions": [
                {"executionArn": str(minute), "startDate": datetime(2024, 1, 1, 8, minute, tzinfo=UTC)}
                for minute in minutes
            ]
        }

    def described(executionArn: str) -> dict[str, object]:  # noqa: N803 - boto3's word
        minute = int(executionArn)
        if minute in failures:
            status = failures[minute]
            return {"status": status, **({"error": "SourceUnavailable", "cause": CAUSE} if status == "FAILED" else {})}
        output: dict[str, object] = {"outcome": outcomes[minute]}
        if outcomes[minute] == NO_LOGIN:
            output["login"] = "source"
        elif outcomes[minute] != ANOTHER_RUN:
            output |= {"capture": {"newest": 2, "seen": seen}, "load": {"newest": newest}}
        return {"output": json.dumps(output)}

    client.list_executions.side_effect = listed
    client.describe_execution.side_effect = described
    return Mock(spec=Deployment, step_functions=client, outputs={"StateMachineArn": "arn"}, options="--env dev")


def test_the_newest_whole_run_tells_how_fresh_the_warehouse_is() -> None:
    newest = last_success(deployment({5: LOADED, 10: NOTHING_CHANGED, 0: LOADED}))
    assert newest == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)


def test_a_run_that_stepped_back_for_another_makes_nothing_fresh() -> None:
    newest = last_success(deployment({5: LOADED, 10: ANOTHER_RUN, 15: ANOTHER_RUN}))
    assert newest == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_before_the_first_whole_run_nothing_is_fresh() -> None:
    assert last_success(deployment({})) is None
    assert last_success(deployment({5: ANOTHER_RUN})) is None


def test_a_run_that_left_batches_to_the_next_makes_nothing_fresh_and_one_that_left_a_rebuild_does() -> None:
    assert last_success(deployment({5: GOING_ON}, newest=1)) is None
    assert last_success(deployment({5: GOING_ON}, newest=2)) == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_a_run_of_the_lake_alone_makes_nothing_fresh() -> None:
    assert last_success(deployment({5: LOADED}, seen="")) is None


def test_a_run_that_failed_is_reported_until_one_succeeds() -> None:
    failed = FailedRun(
        began=datetime(2024, 1, 1, 8, 10, tzinfo=UTC), why="SourceUnavailable: the source cannot be reached: timeout"
    )
    assert last_failure(deployment({5: LOADED}, failed={10: "FAILED"})) == failed
    assert last_failure(deployment({5: LOADED, 15: ANOTHER_RUN}, failed={10: "FAILED"})) == failed
    assert last_failure(deployment({}, failed={10: "FAILED", 5: "TIMED_OUT"})) == failed
    assert last_failure(deployment({15: NOTHING_CHANGED}, failed={10: "FAILED"})) is None
    assert last_failure(deployment({5: LOADED})) is None


def test_a_run_that_was_stopped_or_timed_out_failed_too() -> None:
    for status in ("TIMED_OUT", "ABORTED"):
        found = last_failure(deployment({5: LOADED}, failed={10: status}))
        assert found is not None
        assert found.why == status


def test_a_login_that_is_not_filled_in_is_reported_until_a_run_does_not_want_it() -> None:
    assert last_success(deployment({5: NO_LOGIN})) is None
    assert awaited_login(deployment({5: LOADED, 10: NO_LOGIN})) == "source"
    assert awaited_login(deployment({5: NO_LOGIN, 10: LOADED})) is None
    assert awaited_login(deployment({})) is None
    assert last_failure(deployment({15: NO_LOGIN}, failed={10: "FAILED"})) is not None


def test_a_run_that_found_an_empty_shop_brought_all_that_there_was() -> None:
    empty = {"outcome": NOTHING_CHANGED, "capture": {"newest": 0, "seen": "2024-01-01T08:00:00+00:00"}}
    found = deployment({5: NOTHING_CHANGED})
    cast("Mock", found).step_functions.describe_execution = Mock(return_value={"output": json.dumps(empty)})
    assert last_success(found) == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment whose warehouse does not answer: its last run has failed, and its lake has two batches more."""
    found = deployment({5: LOADED}, failed={10: "FAILED"})
    cast("Mock", found).ingestion.newest.return_value = 4
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.status.ask", Mock(side_effect=UserError("it cannot be reached: timeout")))
    monkeypatch.setattr("command_line.status.how_far", Mock(return_value=None))
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    return found


def test_a_warehouse_that_does_not_answer_hides_nothing_that_others_know(silent: Deployment) -> None:
    found = status_of(silent)
    assert found.no_answer == "it cannot be reached: timeout"
    assert found.failure == last_failure(silent)
    assert found.fresh_as_of == last_success(silent)
    assert list(found.pending) == [3, 4], "the last good run has loaded batch 2"
    assert (list(found.batches), dict(found.tables)) == ([], {})


def test_before_any_run_all_of_the_lake_is_pending(silent: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    cast("Mock", silent).step_functions.list_executions = Mock(return_value={"executions": []})
    found = status_of(silent)
    assert list(found.pending) == [1, 2, 3, 4]
    status_view.show(found)
    assert "No good run is on record." in capsys.readouterr().out


@pytest.mark.usefixtures("silent")
def test_status_says_that_the_warehouse_does_not_answer_shows_the_rest_and_exits_1() -> None:
    said = CliRunner().invoke(app, ["status"])
    words = " ".join(said.output.split())
    assert said.exit_code == 1
    assert "✗ the warehouse does not answer: it cannot be reached: timeout" in words
    assert "SourceUnavailable: the source cannot be reached: timeout" in words
    assert "batches pending: 2" in words
    assert "holds no batch" not in words, "nobody knows what it holds"

    document = CliRunner().invoke(app, ["status", "--json"])
    assert document.exit_code == 1
    found = json.loads(document.stdout)
    assert (found["no_answer"], found["pending"]) == ("it cannot be reached: timeout", [3, 4])
    assert found["failure"]["why"] == "SourceUnavailable: the source cannot be reached: timeout"


REFUSED = [
    ("TooManyRequestsException", "Rate Exceeded."),
    ("AccessDeniedException", "not authorized to perform: lambda:InvokeFunction"),
    ("ResourceNotFoundException", "Function not found"),
]


@pytest.mark.parametrize(("code", "sentence"), REFUSED)
def test_a_function_that_cannot_be_asked_hides_nothing_that_others_know(
    silent: Deployment, monkeypatch: pytest.MonkeyPatch, code: str, sentence: str
) -> None:
    """It is what is broken where Lambda throttles it or somebody has deleted it."""
    refused = ClientError({"Error": {"Code": code, "Message": sentence}}, "Invoke")
    monkeypatch.setattr("command_line.status.ask", Mock(side_effect=refused))
    said = CliRunner().invoke(app, ["status"])
    words = " ".join(said.output.split())
    assert said.exit_code == 1
    assert "✗ the warehouse does not answer: the function that asks it was not reached. AWS refused" in words
    assert code in words
    assert sentence in words
    assert ("Who may do what" in words) is (code == "AccessDeniedException"), "it may be this person's own right"
    assert "SourceUnavailable: the source cannot be reached: timeout" in words
    assert "batches pending: 2" in words
    assert status_of(silent).fresh_as_of == last_success(silent)


def test_a_lambda_that_does_not_answer_at_all_hides_nothing_either(
    silent: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = EndpointConnectionError(endpoint_url="https://lambda.eu-west-2.amazonaws.com")
    monkeypatch.setattr("command_line.status.ask", Mock(side_effect=gone))
    found = status_of(silent)
    assert found.no_answer is not None
    assert "Could not connect to the endpoint" in found.no_answer
    assert found.failure == last_failure(silent)


def test_a_run_that_hangs_is_shown_with_its_beginning_while_others_step_back(
    monkeypatch: pytest.MonkeyPatch, silent: Deployment
) -> None:
    found = deployment({5: LOADED, 15: ANOTHER_RUN}, failed={10: "RUNNING", 20: "RUNNING"})
    cast("Mock", found).ingestion.newest.return_value = 2
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    assert status_of(silent).under_way is None
    assert status_of(found).under_way == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)
    said = CliRunner().invoke(app, ["status"])
    assert "a run is under way since 2024-01-01 08:10:00 UTC" in said.output
