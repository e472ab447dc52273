"""What a deployment's state says, and what it still says where something does not answer."""

import json
from datetime import UTC, datetime, timedelta
from typing import cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from command_line.commands import status_view
from command_line.commands.app import app
from command_line.deployment import Deployment
from command_line.run_history import RunHistory
from command_line.status import status_of
from tests.support.memory_store import MemoryStore
from tests.support.run_histories import ran
from totes.answers import BatchState, State, TableState
from totes.errors import LakeUnavailable, UserError
from totes.lake import Bucket, Journal
from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NOTHING_CHANGED
from totes.star import STAR_TABLES, Replayed

EIGHT = datetime(2024, 1, 1, 8, tzinfo=UTC)


def of_batches(newest: int) -> Bucket:
    """An ingestion bucket with so many batches."""
    bucket = MemoryStore().bucket("ingestion")
    Journal(bucket).commit(newest, b"{}")
    return bucket


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment whose warehouse does not answer: its last run has failed, and its lake has two batches more."""
    found = ran({5: LOADED}, failed={10: "FAILED"})
    cast("Mock", found).ingestion = of_batches(4)
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.status.ask", Mock(side_effect=UserError("it cannot be reached: timeout")))
    monkeypatch.setattr("command_line.status.how_far", Mock(return_value=None))
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    return found


def test_a_warehouse_that_does_not_answer_hides_nothing_that_others_know(silent: Deployment) -> None:
    found = status_of(silent)
    assert found.no_answer == "it cannot be reached: timeout"
    assert found.failure == RunHistory(silent).last_failure()
    assert found.fresh_as_of == RunHistory(silent).last_success()
    assert list(found.pending) == [3, 4], "the last good run has loaded batch 2"
    assert (list(found.batches), dict(found.tables)) == ([], {})


def test_before_any_run_all_of_the_lake_is_pending(silent: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    cast("Mock", silent).step_functions.list_executions = Mock(return_value={"executions": []})
    found = status_of(silent)
    assert list(found.pending) == [1, 2, 3, 4]
    status_view.show(found)
    assert "No good run is on record (of the last 300)." in capsys.readouterr().out


@pytest.mark.usefixtures("silent")
def test_status_says_that_the_warehouse_does_not_answer_shows_the_rest_and_exits_1() -> None:
    said = CliRunner().invoke(app, ["status"])
    words = " ".join(said.output.split())
    assert said.exit_code == 1
    assert "✗ the warehouse does not say what it holds: it cannot be reached: timeout" in words
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
    assert "✗ the warehouse does not say what it holds: the function that asks it was not reached. AWS refused" in words
    assert code in words
    assert sentence in words
    assert ("Who may do what" in words) is (code == "AccessDeniedException"), "it may be this person's own right"
    assert "SourceUnavailable: the source cannot be reached: timeout" in words
    assert "batches pending: 2" in words
    assert status_of(silent).fresh_as_of == RunHistory(silent).last_success()


def test_a_lambda_that_does_not_answer_at_all_hides_nothing_either(
    silent: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = EndpointConnectionError(endpoint_url="https://lambda.eu-west-2.amazonaws.com")
    monkeypatch.setattr("command_line.status.ask", Mock(side_effect=gone))
    found = status_of(silent)
    assert found.no_answer is not None
    assert "Could not connect to the endpoint" in found.no_answer
    assert found.failure == RunHistory(silent).last_failure()


def test_a_run_that_hangs_is_shown_with_its_beginning_while_others_step_back(
    monkeypatch: pytest.MonkeyPatch, silent: Deployment
) -> None:
    found = ran({5: LOADED, 15: ANOTHER_RUN}, failed={10: "RUNNING", 20: "RUNNING"})
    cast("Mock", found).ingestion = of_batches(2)
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    assert status_of(silent).under_way is None
    assert status_of(found).under_way == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)
    said = CliRunner().invoke(app, ["status"])
    assert "a run is under way since 2024-01-01 08:10:00 UTC" in said.output


@pytest.mark.parametrize(
    ("unknown", "sentence"),
    [
        ([], f"a replay from batch 2: 1 of 3 batches; {GOING_ON}"),
        (["dim_design.made"], "it is to have dim_design.made and waits for the totes that has begun it"),
    ],
)
@pytest.mark.usefixtures("silent")
def test_a_replay_under_way_says_what_goes_on_with_it(
    monkeypatch: pytest.MonkeyPatch, unknown: list[str], sentence: str
) -> None:
    replaying = Replayed(edition=2, first=2, done=1, of=3, published=False, unknown=unknown)
    monkeypatch.setattr("command_line.status.how_far", Mock(return_value=replaying))
    said = " ".join(CliRunner().invoke(app, ["status"]).output.split())
    assert sentence in said
    assert (GOING_ON in said) is (not unknown)


def holding(
    monkeypatch: pytest.MonkeyPatch, found: Deployment, newest: int, captured_at: datetime, *, lake: int
) -> Deployment:
    """The deployment with a warehouse that holds batches up to one that was captured then, and a lake with so many."""
    batch = BatchState(
        batch=newest,
        captured_at=captured_at,
        loaded_at=captured_at + timedelta(seconds=3),
        rows_in=1,
        versions=1,
        deleted=0,
        quarantined=0,
    )
    table = TableState(rows=1, versions=1, last_batch=newest, quarantined=0)
    said = State(newest=newest, batches=[batch], tables={star.name: table for star in STAR_TABLES})
    cast("Mock", found).ingestion = of_batches(lake)
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.status.ask", Mock(return_value=said.to_dict()))
    monkeypatch.setattr("command_line.status.how_far", Mock(return_value=None))
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    return found


def test_a_warehouse_that_was_put_back_is_as_old_as_its_newest_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that have succeeded before say nothing of it, and no monitor is told that it is fresh."""
    found = holding(monkeypatch, ran({5: LOADED, 10: NOTHING_CHANGED}), 1, EIGHT, lake=2)
    assert status_of(found).fresh_as_of == EIGHT
    said = CliRunner().invoke(app, ["status", "--max-lag", "900"])
    words = " ".join(said.output.split())
    assert said.exit_code == 1
    assert "batches pending: 1" in words
    assert "the warehouse holds all that the source had at 2024-01-01 08:00:00 UTC" in words
    assert "last good run: 2024-01-01 08:10:00 UTC" in words


@pytest.mark.usefixtures("silent")
def test_where_nothing_has_ever_arrived_every_lag_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    found, nothing = ran({}), State(newest=0, batches=[], tables={})
    cast("Mock", found).ingestion = MemoryStore().bucket("ingestion")
    cast("Mock", found).scheduled = False
    monkeypatch.setattr("command_line.status.ask", Mock(return_value=nothing.to_dict()))
    monkeypatch.setattr("command_line.commands.runs.deployment_of", Mock(return_value=found))
    assert CliRunner().invoke(app, ["status"]).exit_code == 0
    assert CliRunner().invoke(app, ["status", "--max-lag", "900"]).exit_code == 1


def test_a_batch_that_a_run_has_just_brought_is_told_by_the_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was captured a second after the run began, and two moments would be read as two things."""
    captured_at = EIGHT + timedelta(minutes=5, seconds=1)
    found = holding(monkeypatch, ran({5: LOADED}), 2, captured_at, lake=2)
    assert status_of(found).fresh_as_of == captured_at
    words = " ".join(CliRunner().invoke(app, ["status"]).output.split())
    assert "last good run: 2024-01-01 08:05:00 UTC" in words
    assert "the warehouse holds all" not in words


def test_a_warehouse_and_a_lake_that_were_put_back_together_are_not_fresh_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No batch is pending then: what the runs have brought since is in neither."""
    assert status_of(holding(monkeypatch, ran({5: LOADED}), 1, EIGHT, lake=1)).fresh_as_of == EIGHT


def test_a_catch_up_over_several_runs_is_as_fresh_as_what_it_has_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    caught_up = EIGHT + timedelta(minutes=1)
    found = holding(monkeypatch, ran({0: LOADED, 5: GOING_ON}, newest=1), 1, caught_up, lake=2)
    assert status_of(found).fresh_as_of == caught_up


def test_a_batch_that_is_being_loaded_does_not_make_the_quiet_hours_before_it_a_lag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs that found nothing new have seen that the warehouse held everything."""
    found = holding(monkeypatch, ran({5: LOADED, 50: NOTHING_CHANGED}), 2, EIGHT, lake=3)
    assert status_of(found).fresh_as_of == EIGHT + timedelta(minutes=50)


def test_a_batch_that_is_newer_than_every_run_on_record_says_how_fresh_the_warehouse_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = EIGHT + timedelta(minutes=30)
    assert status_of(holding(monkeypatch, ran({5: LOADED}), 3, later, lake=3)).fresh_as_of == later


def test_a_batch_of_another_day_is_shown_with_its_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status_view.show(status_of(holding(monkeypatch, ran({5: LOADED}), 2, EIGHT, lake=2)))
    *_, row = capsys.readouterr().out.splitlines()
    assert row.split()[:3] == ["2", "2024-01-01", "08:00:00"]
    now = datetime.now(UTC)
    status_view.show(status_of(holding(monkeypatch, ran({5: LOADED}), 2, now, lake=2)))
    *_, row = capsys.readouterr().out.splitlines()
    assert row.split()[:2] == ["2", f"{now:%H:%M:%S}"]


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (EndpointConnectionError(endpoint_url="https://states.eu-west-2.amazonaws.com"), "Could not connect"),
        (
            ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "late"}}, "ListExecutions"),
            "log in again",
        ),
        (LakeUnavailable("the lake does not answer"), "the lake does not answer"),
    ],
)
def test_a_status_that_is_watched_goes_on_after_a_look_that_fails(
    silent: Deployment, monkeypatch: pytest.MonkeyPatch, why: Exception, words: str
) -> None:
    looks = Mock(side_effect=[found := status_of(silent), why, found, KeyboardInterrupt])
    monkeypatch.setattr("command_line.commands.runs.status_of", looks)
    monkeypatch.setattr("command_line.commands.runs.time", Mock())
    said = CliRunner().invoke(app, ["status", "--watch"])
    assert said.exit_code == 0, said.exception
    assert "✗ the state is not known now, and is asked for again: " in said.output
    assert words in said.output
    assert said.output.count("batches pending: 2") == 2
