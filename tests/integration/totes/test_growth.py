"""What a tick reads and holds does not grow with the table: whole reads, deletes and their guard."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, capture, sizes
from totes.capture.holdings import merging
from totes.capture.rows import streaming
from totes.capture.rows.keys import SourceKeys
from totes.capture.source.snapshot import Snapshot
from totes.errors import MassDeletion
from totes.lake import Bucket, CapturedTable, CaptureManifest, Journal, SortedRun, sweep
from totes.lake.manifests import digest

ROWS = 20_000
DESIGNS = (
    "INSERT INTO design (design_id, created_at, design_name, file_location, file_name, last_updated) "
    f"SELECT n, now(), 'd' || n, '/', 'f', now() FROM generate_series(1001, {1000 + ROWS}) AS n ORDER BY {{}}"
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(sizes, "PART_ROWS", 500)
    monkeypatch.setattr(sizes, "KEYS_AT_ONCE", 100)
    monkeypatch.setattr(sizes, "ROWS_AT_ONCE", 2_000)
    monkeypatch.setattr(sizes, "KEPT_ROWS", 2_000)
    monkeypatch.setattr(sizes, "UNORDERED_ROWS", 500)


@pytest.fixture
def gets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the parts of designs that were read."""
    read: list[str] = []
    get = Bucket.get

    def counted(bucket: Bucket, key: str) -> bytes:
        if "/design/" in key:
            read.append(key)
        return get(bucket, key)

    monkeypatch.setattr(Bucket, "get", counted)
    return read


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many keys of the source were read, each time."""
    read: list[int] = []
    between = SourceKeys.between

    def counted(source: SourceKeys, lowest: int, highest: int) -> pl.Series:
        keys = between(source, lowest, highest)
        read.append(keys.len())
        return keys

    monkeypatch.setattr(SourceKeys, "between", counted)
    return read


def newest(pipeline: Pipeline) -> CapturedTable:
    journal = Journal(pipeline.ingestion)
    return CaptureManifest.from_json(journal.read(journal.newest())).tables["design"]


def recommit(pipeline: Pipeline, change: Callable[[CapturedTable], CapturedTable]) -> None:
    """A batch that says of every table what the one before said, but for a change."""
    journal = Journal(pipeline.ingestion)
    body = journal.read(journal.newest())
    manifest = CaptureManifest.from_json(body)
    tables = {
        name: change(dataclasses.replace(table, changes=(), context=(), deletes=()))
        for name, table in manifest.tables.items()
    }
    following = dataclasses.replace(manifest, batch=manifest.batch + 1, parent=digest(body), tables=tables)
    journal.commit(following.batch, following.to_json())


def test_a_whole_read_of_a_heap_in_no_order_reads_each_part_once(
    pipeline: Pipeline, gets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, DESIGNS.format("hashint4(n)"))
    pipeline.capture()
    for step in (3, 11):
        edit = "UPDATE design SET file_name = %s WHERE design_id %% %s = 0"
        execute(pipeline.source, edit, [str(step), step])
        pipeline.capture()
    parts = [part for sorted_run in newest(pipeline).holdings for part in sorted_run.parts]
    assert len(parts) > ROWS / sizes.PART_ROWS
    monkeypatch.setattr(Snapshot, "continues", lambda *_: False)
    gets.clear()
    pipeline.capture()
    assert newest(pipeline).changes == ()
    assert sorted(gets) == sorted(part.key for part in parts)


def test_a_delete_in_a_large_table_reads_a_sliver_of_both_sides(
    pipeline: Pipeline, gets: list[str], compared: list[int]
) -> None:
    execute(pipeline.source, DESIGNS.format("n"))
    pipeline.capture()
    assert sum(len(sorted_run.parts) for sorted_run in newest(pipeline).holdings) >= ROWS / sizes.PART_ROWS
    execute(pipeline.source, "DELETE FROM design WHERE design_id = 7777")
    gets.clear()
    captured = pipeline.capture()
    assert captured.batch == 2
    assert newest(pipeline).held == value(pipeline.source, "SELECT count(*) FROM design")
    assert len(set(gets)) == len(gets) <= 2
    assert sum(compared) <= 16


def test_deletes_all_over_a_table_are_found_a_bounded_number_at_a_time(pipeline: Pipeline, compared: list[int]) -> None:
    execute(pipeline.source, DESIGNS.format("n"))
    pipeline.capture()
    execute(pipeline.source, "DELETE FROM design WHERE design_id > 1000 AND design_id % 7 = 0")
    execute(
        pipeline.source,
        "INSERT INTO design SELECT * FROM jsonb_populate_recordset(NULL::design, (SELECT "
        "jsonb_agg(to_jsonb(d) || '{\"design_id\": -5}') FROM design AS d WHERE design_id = 1001))",
    )
    pipeline.capture()
    table = newest(pipeline)
    assert sum(part.rows for part in table.deletes) == len([n for n in range(1001, 1001 + ROWS) if n % 7 == 0])
    assert all(part.rows <= sizes.PART_ROWS for part in table.deletes)
    assert max(compared) <= sizes.KEYS_AT_ONCE
    assert table.ranges is not None
    assert table.ranges.rows == table.held == value(pipeline.source, "SELECT count(*) FROM design")
    by_range = "SELECT design_id >> %s, count(*) FROM design GROUP BY 1 ORDER BY 1"
    assert table.ranges.frame().rows() == rows(pipeline.source, by_range, [table.ranges.shift])
    assert pipeline.capture().batch is None


def test_a_lake_that_has_counted_no_ranges_yet_counts_them_once(pipeline: Pipeline, gets: list[str]) -> None:
    execute(pipeline.source, DESIGNS.format("n"))
    pipeline.capture()
    recommit(pipeline, lambda table: dataclasses.replace(table, ranges=None))
    execute(pipeline.source, "DELETE FROM design WHERE design_id = 7777")
    pipeline.capture()
    assert newest(pipeline).ranges is not None
    execute(pipeline.source, "DELETE FROM design WHERE design_id = 7778")
    gets.clear()
    pipeline.capture()
    assert sum(part.rows for part in newest(pipeline).deletes) == 1
    assert len(gets) <= 4, "a part of rows, and those of deletes, which are merged"


def test_counts_by_ranges_that_do_not_add_up_are_not_trusted(pipeline: Pipeline) -> None:
    pipeline.capture()
    recommit(
        pipeline,
        lambda table: dataclasses.replace(
            table, ranges=table.ranges and table.ranges.plus(pl.Series([1], dtype=pl.Int64))
        ),
    )
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    pipeline.capture()
    journal = Journal(pipeline.ingestion)
    payment = CaptureManifest.from_json(journal.read(journal.newest())).tables["payment"]
    assert sum(part.rows for part in payment.deletes) == 1
    assert payment.ranges is not None
    assert payment.ranges.rows == payment.held


def test_a_mass_deletion_is_reported_before_a_key_is_read_or_an_object_written(
    pipeline: Pipeline, compared: list[int]
) -> None:
    pipeline.capture()
    before = keys_of(pipeline.ingestion)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1; DELETE FROM payment")
    with pytest.raises(MassDeletion):
        pipeline.capture()
    assert keys_of(pipeline.ingestion) == before
    assert compared == []


def test_a_mass_deletion_that_new_rows_hide_is_reported_before_a_key_is_read(
    pipeline: Pipeline, compared: list[int]
) -> None:
    pipeline.capture()
    execute(pipeline.source, "UPDATE payment SET payment_id = payment_id + 1000000")
    with session(pipeline.source) as connection, pytest.raises(MassDeletion):
        capture(connection, pipeline.ingestion, SOURCE_TABLES)
    assert compared == []


def test_what_runs_that_a_mass_deletion_stopped_have_left_is_swept(pipeline: Pipeline) -> None:
    pipeline.capture()
    execute(pipeline.source, "UPDATE payment SET payment_id = payment_id + 1000000")
    for payment in (1, 2, 3):
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1000000 + %s", [payment])
        with pytest.raises(MassDeletion):
            pipeline.capture()
    later = datetime.now(UTC) + timedelta(days=2)
    pipeline.transform()
    assert sweep(pipeline.ingestion, pipeline.processed, written_before=later).deleted == 0, (
        "batch 2 may still come to name them"
    )
    execute(pipeline.source, "UPDATE payment SET payment_id = payment_id - 1000000")
    assert pipeline.capture().batch == 2
    pipeline.transform()
    assert sweep(pipeline.ingestion, pipeline.processed, written_before=later).deleted >= 3
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    journal = Journal(pipeline.ingestion)
    named = {key for n in (1, 2) for key in CaptureManifest.from_json(journal.read(n)).objects()}
    left = {key for key in keys_of(pipeline.ingestion) if key.startswith(("batches/", "holdings/"))}
    assert left == named


def test_a_heap_in_no_order_that_an_older_totes_captured_is_put_in_order_by_the_next_whole_read(
    pipeline: Pipeline, gets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, DESIGNS.format("hashint4(n)"))
    with monkeypatch.context() as older:
        older.setattr(sizes, "UNORDERED_ROWS", 10**9)
        pipeline.capture()
    parts = sum(len(sorted_run.parts) for sorted_run in newest(pipeline).holdings)
    monkeypatch.setattr(Snapshot, "continues", lambda *_: False)
    gets.clear()
    pipeline.capture()
    assert newest(pipeline).changes == ()
    assert len(gets) < 8 * parts, "a few passes, and not each part once a chunk"
    gets.clear()
    pipeline.capture()
    assert len(gets) == sum(len(sorted_run.parts) for sorted_run in newest(pipeline).holdings)


@pytest.fixture
def held(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """How many snapshots of the source are open, by the lock that each has, when sorted runs are merged or ordered."""
    seen: set[int] = set()
    merged_at_once = merging._merged_at_once

    def watched(*arguments: Any) -> SortedRun:
        query = "SELECT count(*) FROM pg_locks WHERE relation = 'design'::regclass AND mode = 'AccessShareLock'"
        seen.add(value(pipeline.source, query))
        return merged_at_once(*arguments)

    monkeypatch.setattr(merging, "_merged_at_once", watched)
    return seen


def test_sorted_runs_are_merged_while_nothing_of_the_source_is_held(pipeline: Pipeline, held: set[int]) -> None:
    execute(pipeline.source, DESIGNS.format("n"))
    pipeline.capture()
    for run in range(3):
        execute(pipeline.source, f"UPDATE design SET file_name = '{run}' WHERE design_id <= 1400")
        pipeline.capture()
    assert held == {0}


def test_runs_are_put_in_order_while_nothing_of_the_source_is_held_and_once_only(
    pipeline: Pipeline, held: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, DESIGNS.format("hashint4(n)"))
    with monkeypatch.context() as older:
        older.setattr(sizes, "UNORDERED_ROWS", 10**9)
        pipeline.capture()
    assert not held
    # The rows are read again for as long as this transaction of the same server is open, and nothing else changes.
    with session(pipeline.warehouse) as long, long.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        execute(pipeline.source, "UPDATE design SET file_name = file_name WHERE design_id > 1000")
        pipeline.capture()
        assert held == {0}
        held.clear()
        pipeline.capture()
        assert not held
