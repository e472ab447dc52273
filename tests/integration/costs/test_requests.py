"""The requests to S3 that an estimate assumes are those that the functions make."""

from pathlib import Path

import pytest

from costs.assumptions import AUDITED_BATCH, CHANGED_TICK, IDLE_PUBLICATION, IDLE_TICK, PUBLICATION, Requests
from simulator import build
from tests.support.asked_of_s3 import DASHBOARD, LAKE, asked_a_tick
from tests.support.memory_store import MemoryStore
from tests.support.old_lake import grow_old
from tests.support.pipeline import Pipeline
from totes.lake import audit

STRETCH = 500
"""Batches that an audit looks at together."""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page in the publisher's package."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    return tmp_path


def about(*requests: Requests) -> list[object]:
    """Writes and reads of these together, or a sixth more or less: what happens in a shop is never quite the same."""
    writes, reads = sum(each.writes for each in requests), sum(each.reads for each in requests)
    return [pytest.approx(float(number), rel=1 / 6) for number in (writes, reads)]


def test_an_idle_tick_asks_for_what_is_assumed(source: str, empty_database: str, page: Path) -> None:
    found = asked_a_tick(source, empty_database, page, ticks=2, events=0)
    assert found == {LAKE: IDLE_TICK, DASHBOARD: IDLE_PUBLICATION}


def test_a_tick_with_changes_asks_for_about_what_is_assumed(
    another_database: str, empty_database: str, page: Path
) -> None:
    build(another_database, orders=1000, seed=1)  # three years of months
    found = asked_a_tick(another_database, empty_database, page, ticks=15, events=25)
    lake, dashboard = found[LAKE], found[DASHBOARD]
    assert [float(lake.writes), float(lake.reads)] == about(IDLE_TICK, CHANGED_TICK)
    assert [float(dashboard.writes), float(dashboard.reads)] == about(IDLE_PUBLICATION, PUBLICATION)


def test_a_nights_audit_asks_for_about_what_is_assumed_for_each_batch(pipeline: Pipeline, store: MemoryStore) -> None:
    assert grow_old(pipeline, rounds=STRETCH // 10) > STRETCH
    store.asked.clear()
    assert audit(pipeline.ingestion, pipeline.processed, day=0).batches == STRETCH
    found = store.calls
    assert [found["list"] / STRETCH, found["get"] / STRETCH] == about(AUDITED_BATCH)
    assert set(found) == {"list", "get"}
