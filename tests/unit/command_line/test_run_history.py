"""Freshness is what a whole run has brought, and nothing less; a failure counts until a run has succeeded."""

import json
from datetime import UTC, datetime
from typing import Any, cast
from unittest.mock import Mock

import pytest

from command_line import run_history
from command_line.deployment import Deployment
from command_line.run_history import RUNS_LOOKED_AT, FailedRun, RunHistory
from tests.support.run_histories import ran
from totes.outcomes import ANOTHER_RUN, GOING_ON, LOADED, NO_LOGIN, NOTHING_CHANGED


def test_the_newest_whole_run_tells_how_fresh_the_warehouse_is() -> None:
    newest = RunHistory(ran({5: LOADED, 10: NOTHING_CHANGED, 0: LOADED})).last_success()
    assert newest == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)


def test_a_run_that_stepped_back_for_another_makes_nothing_fresh() -> None:
    newest = RunHistory(ran({5: LOADED, 10: ANOTHER_RUN, 15: ANOTHER_RUN})).last_success()
    assert newest == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_before_the_first_whole_run_nothing_is_fresh() -> None:
    assert RunHistory(ran({})).last_success() is None
    assert RunHistory(ran({5: ANOTHER_RUN})).last_success() is None


def test_a_run_that_left_batches_to_the_next_makes_nothing_fresh_and_one_that_left_a_rebuild_does() -> None:
    assert RunHistory(ran({5: GOING_ON}, newest=1)).last_success() is None
    assert RunHistory(ran({5: GOING_ON}, newest=2)).last_success() == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_a_run_of_the_lake_alone_makes_nothing_fresh() -> None:
    assert RunHistory(ran({5: LOADED}, seen="")).last_success() is None


def test_a_run_that_failed_is_reported_until_one_succeeds() -> None:
    failed = FailedRun(
        began=datetime(2024, 1, 1, 8, 10, tzinfo=UTC), why="SourceUnavailable: the source cannot be reached: timeout"
    )
    assert RunHistory(ran({5: LOADED}, failed={10: "FAILED"})).last_failure() == failed
    assert RunHistory(ran({5: LOADED, 15: ANOTHER_RUN}, failed={10: "FAILED"})).last_failure() == failed
    assert RunHistory(ran({}, failed={10: "FAILED", 5: "TIMED_OUT"})).last_failure() == failed
    assert RunHistory(ran({15: NOTHING_CHANGED}, failed={10: "FAILED"})).last_failure() is None
    assert RunHistory(ran({5: LOADED})).last_failure() is None


def test_a_run_that_was_stopped_or_timed_out_failed_too() -> None:
    for status in ("TIMED_OUT", "ABORTED"):
        found = RunHistory(ran({5: LOADED}, failed={10: status})).last_failure()
        assert found is not None
        assert found.why == status


def test_a_login_that_is_not_filled_in_is_reported_until_a_run_does_not_want_it() -> None:
    assert RunHistory(ran({5: NO_LOGIN})).last_success() is None
    assert RunHistory(ran({5: LOADED, 10: NO_LOGIN})).awaited_login() == "source"
    assert RunHistory(ran({5: NO_LOGIN, 10: LOADED})).awaited_login() is None
    assert RunHistory(ran({})).awaited_login() is None
    assert RunHistory(ran({15: NO_LOGIN}, failed={10: "FAILED"})).last_failure() is not None


def test_a_run_that_found_an_empty_shop_brought_all_that_there_was() -> None:
    empty = {"outcome": NOTHING_CHANGED, "capture": {"newest": 0, "seen": "2024-01-01T08:00:00+00:00"}}
    found = ran({5: NOTHING_CHANGED})
    described = {"status": "SUCCEEDED", "output": json.dumps(empty)}
    cast("Mock", found).step_functions.describe_execution = Mock(return_value=described)
    assert RunHistory(found).last_success() == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)


def test_a_run_is_described_once_whatever_is_asked_of_it() -> None:
    found = ran({5: LOADED, 10: NO_LOGIN}, failed={0: "FAILED"})
    runs = RunHistory(found)
    for ask in (runs.last_success, runs.last_load, runs.awaited_login, runs.last_failure) * 2:
        ask()
    asked = [call.kwargs["executionArn"] for call in cast("Mock", found).step_functions.describe_execution.mock_calls]
    assert sorted(asked) == ["10", "5"], "and the failed one never: a good one came after it"


def test_a_night_of_runs_that_stepped_back_hides_no_success_and_revives_no_failure() -> None:
    night = {60 + minute: NO_LOGIN for minute in range(RUNS_LOOKED_AT - 2)}
    runs = RunHistory(ran({10: LOADED, 5: LOADED, **night}, failed={0: "FAILED"}))
    assert runs.last_success() == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)
    assert runs.last_load() == {"newest": 2}
    assert runs.last_failure() is None
    assert runs.awaited_login() == "source"


def test_a_run_before_the_last_few_hundred_is_not_looked_at() -> None:
    night = {60 + minute: NO_LOGIN for minute in range(RUNS_LOOKED_AT)}
    found = ran({10: LOADED, **night})
    assert RunHistory(found).last_success() is None
    assert cast("Mock", found).step_functions.describe_execution.call_count == RUNS_LOOKED_AT


def test_no_page_of_runs_is_asked_for_in_vain() -> None:
    found = ran(dict.fromkeys(range(250), LOADED))
    runs = RunHistory(found)
    for ask in (runs.last_success, runs.last_load, runs.awaited_login):
        ask()
    assert cast("Mock", found).step_functions.list_executions.call_count == 1
    runs = RunHistory(ran(dict.fromkeys(range(100, 250), NO_LOGIN), failed={220: "FAILED"}))
    assert runs.last_failure() is not None, "it came after all that are on later pages"


def as_it_was(found: Deployment, *answers: dict[str, Any]) -> Mock:
    """Have an execution's first descriptions be these, and then what they should be."""
    client = cast("Mock", found).step_functions
    described, late = client.describe_execution.side_effect, [*answers]
    client.describe_execution = Mock(side_effect=lambda **named: late.pop(0) if late else described(**named))
    return cast("Mock", client.describe_execution)


@pytest.mark.parametrize("before", [{"status": "RUNNING"}, {"status": "SUCCEEDED"}])
def test_one_that_is_described_as_it_was_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, Any]
) -> None:
    monkeypatch.setattr(run_history, "_SECOND_LOOK", 0.0)
    found = ran({5: LOADED, 10: LOADED})
    asked = as_it_was(found, before)
    assert RunHistory(found).last_success() == datetime(2024, 1, 1, 8, 10, tzinfo=UTC)
    assert asked.call_count == 2


def test_one_that_does_not_say_what_it_came_to_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_history, "_SECOND_LOOK", 0.0)
    found = ran({5: LOADED, 10: LOADED})
    asked = as_it_was(found, {"status": "SUCCEEDED"}, {"status": "SUCCEEDED"})
    runs = RunHistory(found)
    assert runs.last_success() == datetime(2024, 1, 1, 8, 5, tzinfo=UTC)
    assert runs.last_load()
    assert asked.call_count == 3, "two looks at the newest, one at the other, and none twice"


def test_one_that_failed_is_reported_before_its_description_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_history, "_SECOND_LOOK", 0.0)
    found = ran({}, failed={10: "FAILED"})
    as_it_was(found, {"status": "RUNNING"})
    failed = RunHistory(found).last_failure()
    assert failed is not None
    assert failed.why == "SourceUnavailable: the source cannot be reached: timeout"
    found = ran({}, failed={10: "FAILED"})
    as_it_was(found, {"status": "RUNNING"}, {"status": "RUNNING"})
    failed = RunHistory(found).last_failure()
    assert failed is not None
    assert failed.why == "FAILED"
