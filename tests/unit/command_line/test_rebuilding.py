"""A rebuild's runs go without the source for as long as it fails, and not for longer."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from command_line import rebuilding
from command_line.deployment import Deployment
from command_line.execution import RunResult
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


def asked_of(monkeypatch: pytest.MonkeyPatch, *results: RunResult) -> list[Mapping[str, Any]]:
    """What a rebuild asks of its runs, which come to these results."""
    asked: list[Mapping[str, Any]] = []

    def run(_deployment: Any, _follow: Any, ask: Mapping[str, Any], _meanwhile: Any) -> RunResult:
        asked.append(ask)
        return results[len(asked) - 1]

    monkeypatch.setattr(rebuilding, "run", run)
    monkeypatch.setattr(rebuilding, "run_or_meet", run)
    lake = SimpleNamespace(ingestion=None, processed=None)
    rebuilding.rebuild(cast("Deployment", lake), lambda _state: None, lambda *_progress: None)
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
