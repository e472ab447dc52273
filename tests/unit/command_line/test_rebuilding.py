"""A rebuild's runs go without the source for as long as it fails, and not for longer."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from command_line import rebuilding
from command_line.deployment import Deployment
from command_line.execution import RunResult
from totes import payloads
from totes.errors import UserError

GOES_ON = RunResult(status="SUCCEEDED", batch=None, seconds=300.0, waiting=True)
DONE = RunResult(status="SUCCEEDED", batch=5, seconds=1.0, newest=5)
NO_SOURCE = RunResult(status="FAILED", batch=None, seconds=60.0, error="Capture.SourceUnavailable: it restarts")
REFUSED = RunResult(
    status="FAILED",
    batch=None,
    seconds=1.0,
    error="Load.ConfigurationError: the view v would be lost; then ask for the rebuild again (totes rebuild)",
)
NO_WAREHOUSE = RunResult(status="FAILED", batch=None, seconds=60.0, error="Load.WarehouseUnavailable: it restarts")


def asked_of(monkeypatch: pytest.MonkeyPatch, *results: RunResult, replayed: bool = False) -> list[Mapping[str, Any]]:
    """What a rebuild, or a replay, asks of its runs, which come to these results."""
    asked: list[Mapping[str, Any]] = []

    def run(_deployment: Any, _follow: Any, ask: Mapping[str, Any], _meanwhile: Any, **_: Any) -> RunResult:
        asked.append(ask)
        return results[len(asked) - 1]

    monkeypatch.setattr(rebuilding, "run", run)
    monkeypatch.setattr(rebuilding, "run_or_meet", run)
    lake = cast("Deployment", SimpleNamespace(ingestion=None, processed=None))
    if replayed:
        monkeypatch.setattr(rebuilding, "Journal", lambda _: SimpleNamespace(newest=lambda: 5))
        monkeypatch.setattr(rebuilding, "StarJournal", lambda _: SimpleNamespace(edition=1))
        rebuilding.replay(lake, 1, lambda _state: None, lambda *_progress: None)
    else:
        rebuilding.rebuild(lake, lambda _state: None, lambda *_progress: None)
    return asked


def test_after_a_run_without_the_source_the_next_one_asks_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_of(monkeypatch, GOES_ON, NO_SOURCE, GOES_ON, GOES_ON, DONE)
    assert asked == [{"rebuild": True}, {}, {"lake_alone": True}, {}, {}]


def test_while_the_source_is_lost_every_other_run_goes_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_of(monkeypatch, NO_SOURCE, GOES_ON, NO_SOURCE, GOES_ON, NO_SOURCE, DONE)
    assert asked == [{"rebuild": True}, {"rebuild": True, "lake_alone": True}, *[{}, {"lake_alone": True}] * 2]


def test_a_run_that_fails_for_another_reason_ends_the_command_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"Load\.WarehouseUnavailable: it restarts; what is done is kept"):
        asked_of(monkeypatch, GOES_ON, NO_WAREHOUSE)


def test_of_a_rebuild_that_is_refused_nothing_is_said_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"would be lost; then ask for the rebuild again \(totes rebuild\)$"):
        asked_of(monkeypatch, REFUSED)


def test_of_a_rebuild_that_no_run_has_recorded_nothing_is_said_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError) as refused:
        asked_of(monkeypatch, NO_WAREHOUSE)
    assert "what you ask for may not be recorded yet" in str(refused.value)
    assert str(refused.value).endswith("once that is fixed, type the same command again")
    assert "the next run goes on" not in str(refused.value)


def test_a_replay_whose_batches_cannot_be_loaded_yet_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transformation has recorded it before the load."""
    with pytest.raises(UserError, match=r"it restarts; what is done is kept, and the next run goes on$"):
        asked_of(monkeypatch, NO_WAREHOUSE, replayed=True)


@pytest.mark.parametrize("replayed", [False, True], ids=["a rebuild", "a replay"])
def test_what_is_asked_of_a_run_that_only_athenas_lists_have_failed_is_kept(
    monkeypatch: pytest.MonkeyPatch, *, replayed: bool
) -> None:
    not_listed = RunResult(status="FAILED", batch=5, seconds=60.0, error=f"{payloads.NOT_LISTED}: S3 refuses")
    with pytest.raises(UserError, match=r"S3 refuses; what is done is kept, and the next run goes on$"):
        asked_of(monkeypatch, not_listed, replayed=replayed)


def test_a_replay_that_was_given_up_meanwhile_is_not_said_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that nobody followed has failed with it: the lake has the edition of before."""
    with pytest.raises(UserError, match=r"the replay was given up, .* ask for it again"):
        asked_of(monkeypatch, DONE, replayed=True)
