"""What one function cannot read of a source that was captured before, after a restart or a migration, many do."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from simulator import Shop
from tests.integration.totes.test_pieces import ROWS_IN_ONE_FUNCTION, begin, read, read_all
from tests.support.databases import execute, session, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, capture, read_piece, sizes
from totes.capture.holdings.content import Holdings
from totes.capture.holdings.merging import overlap_little
from totes.capture.pieces.plan import Plan, Plans
from totes.capture.rows import streaming
from totes.capture.source import snapshot
from totes.capture.source.snapshot import Snapshot, snapshot_of
from totes.errors import MassDeletion, SourceUnavailable
from totes.lake import Bucket, CapturedTable, CaptureManifest, FailedPiece, Journal, Part, read_part, sweep

KEYS = {table.name: table.key for table in SOURCE_TABLES}

ALTERED = (
    "ALTER TABLE payment ADD COLUMN note text DEFAULT 'none'; "
    "ALTER TABLE sales_order ADD COLUMN gift text DEFAULT 'no'; "
    "ALTER TABLE transaction ADD COLUMN till int DEFAULT 1; ALTER TABLE purchase_order ADD COLUMN till int DEFAULT 1"
)
ADDRESS_LINES = "UPDATE address SET address_line_1 = address_line_1 || '.' WHERE address_id % 3 = 0"


STARTED_EARLIER = snapshot._STATE.replace("extract(epoch FROM pg_postmaster_start_time())", "1")


@pytest.fixture
def restarted(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline whose source has been restarted since its first run."""
    with monkeypatch.context() as earlier:
        earlier.setattr(snapshot, "_STATE", STARTED_EARLIER)
        assert pipeline.tick().newest == 1
    return pipeline


def copy_of(lake: Bucket) -> Bucket:
    alone = MemoryStore().bucket("alone")
    for key in keys_of(lake):
        alone.put_new(key, lake.get(key))
    return alone


def newest(lake: Bucket) -> CaptureManifest:
    journal = Journal(lake)
    return CaptureManifest.from_json(journal.read(journal.newest()))


def rows_of(lake: Bucket, parts: Sequence[Part]) -> list[tuple[object, ...]]:
    found = [row for part in parts for row in read_part(lake, part).rows()]
    return sorted(found, key=lambda row: int(str(row[0])))


def held(lake: Bucket, name: str, table: CapturedTable) -> list[int]:
    """The keys that the lake holds of a table, from its sorted runs."""
    return [key for found in Holdings(table.holdings, KEYS[name], lake).held_keys() for key in found.keys]


def assert_is_what_one_function_reads(pipeline: Pipeline, alone: Bucket) -> None:
    """Hold the newest batch against the one that a single function makes of the lake as it was, and of the source."""
    with session(pipeline.source) as connection:
        capture(connection, alone, SOURCE_TABLES)
    batch, other = newest(pipeline.ingestion), newest(alone)
    assert (batch.batch, batch.parent, batch.drift, batch.source) == (
        other.batch,
        other.parent,
        other.drift,
        other.source,
    )
    for name, table in batch.tables.items():
        by_one = other.tables[name]
        assert (table.held, table.columns, table.identity) == (by_one.held, by_one.columns, by_one.identity)
        assert rows_of(pipeline.ingestion, table.changes) == rows_of(alone, by_one.changes)
        assert rows_of(pipeline.ingestion, table.context) == rows_of(alone, by_one.context)
        assert table.ranges is not None
        assert by_one.ranges is not None
        assert table.ranges.frame().rows() == by_one.ranges.frame().rows()
        assert held(pipeline.ingestion, name, table) == held(alone, name, by_one)
        assert table.ranges.rows == table.held == len(held(alone, name, by_one))
        gone, gone_by_one = (
            {key for (key,) in rows_of(where, what.deletes)}
            for where, what in ((pipeline.ingestion, table), (alone, by_one))
        )
        assert gone_by_one <= gone, "it may name rows too that came and went between pieces"


def test_after_a_restart_nothing_has_changed_and_the_next_tick_is_an_ordinary_one(restarted: Pipeline) -> None:
    alone = copy_of(restarted.ingestion)
    captured = begin(restarted)
    assert (captured.batch, captured.newest) == (None, 1)
    read_all(restarted, captured)
    assert begin(restarted).batch == 2
    assert not any(table.changes or table.deletes for table in newest(restarted.ingestion).tables.values())
    assert_is_what_one_function_reads(restarted, alone)
    assert begin(restarted).unread is None
    assert restarted.tick().newest == 2
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)


@pytest.mark.parametrize("seed", range(6))
def test_what_has_changed_before_and_meanwhile_is_found_exactly(restarted: Pipeline, seed: int) -> None:
    alone, shop = copy_of(restarted.ingestion), Shop(restarted.source, seed=seed)
    shop.trade(30)
    execute(restarted.source, "DELETE FROM payment WHERE payment_id % 31 = 1")
    captured = begin(restarted)
    assert captured.unread is not None
    for piece in captured.unread.pieces:
        shop.trade(6)
        execute(restarted.source, "DELETE FROM payment WHERE payment_id = %s", [2 + seed + 19 * piece])
        assert read(restarted, captured.unread.of, piece)
        execute(
            restarted.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = %s", [piece]
        )
    shop.trade(20)
    execute(restarted.source, f"{ADDRESS_LINES}; UPDATE payment SET payment_id = -payment_id WHERE payment_id % 31 = 0")
    assert begin(restarted).batch == 2
    assert_is_what_one_function_reads(restarted, alone)
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)
    shop.trade(30)
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)


def test_what_was_gone_before_a_plan_is_found_though_no_transaction_has_ended_since(restarted: Pipeline) -> None:
    execute(restarted.source, "DELETE FROM payment WHERE payment_id IN (3, 17)")
    captured = begin(restarted)
    read_all(restarted, captured)
    assert begin(restarted).batch == 2
    assert rows_of(restarted.ingestion, newest(restarted.ingestion).tables["payment"].deletes) == [(3,), (17,)]
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)


@pytest.mark.begun
def test_a_migration_of_every_row_leaves_the_lake_no_older_sorted_run_to_merge(pipeline: Pipeline) -> None:
    alone = copy_of(pipeline.ingestion)
    execute(pipeline.source, ALTERED)
    captured = begin(pipeline)
    assert captured.unread is not None
    for piece in captured.unread.pieces:
        execute(pipeline.source, "UPDATE payment SET note = 'some' WHERE payment_id = %s", [piece + 1])
        assert read(pipeline, captured.unread.of, piece)
    execute(
        pipeline.source,
        "UPDATE payment SET paid = NOT paid WHERE payment_id < 9; DELETE FROM payment WHERE payment_id = 9",
    )
    assert begin(pipeline).batch == 2
    assert_is_what_one_function_reads(pipeline, alone)
    payment = newest(pipeline.ingestion).tables["payment"]
    assert sum(sorted_run.rows for sorted_run in payment.holdings) == payment.held
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_joined_rows_that_pieces_have_read_bring_those_that_complete_them(pipeline: Pipeline) -> None:
    alone = copy_of(pipeline.ingestion)
    execute(
        pipeline.source,
        "INSERT INTO address SELECT 1000 + n, 'line ' || n, NULL, NULL, 'town', 'AB1 2CD', 'Wales', '1', now(), now() "
        "FROM generate_series(1, 220) AS n; "
        "UPDATE counterparty SET legal_address_id = 1000 + counterparty_id; " + ADDRESS_LINES,
    )
    captured = begin(pipeline)
    read_all(pipeline, captured)
    assert {piece.table for piece in Plans(pipeline.ingestion, 2).read(1).pieces} == {"address"}
    execute(pipeline.source, "UPDATE address SET city = 'meanwhile' WHERE address_id IN (3, 1003)")
    assert begin(pipeline).batch == 2
    assert_is_what_one_function_reads(pipeline, alone)
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_so_many_rows_that_come_at_once_are_read_by_many_and_not_those_of_before(pipeline: Pipeline) -> None:
    alone = copy_of(pipeline.ingestion)
    execute(
        pipeline.source,
        "INSERT INTO design (design_name, file_location, file_name, last_updated) "
        "SELECT 'new', '/lib', n || '.json', now() FROM generate_series(1, 250) AS n; "
        "UPDATE payment SET paid = NOT paid WHERE payment_id = 4",
    )
    captured = begin(pipeline)
    read_all(pipeline, captured)
    assert begin(pipeline).batch == 2
    assert sum(part.rows for part in newest(pipeline.ingestion).tables["design"].changes) == 250
    assert_is_what_one_function_reads(pipeline, alone)


def test_a_source_that_is_restarted_again_is_planned_again(
    restarted: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = copy_of(restarted.ingestion)
    with monkeypatch.context() as earlier:
        earlier.setattr(
            snapshot, "_STATE", snapshot._STATE.replace("extract(epoch FROM pg_postmaster_start_time())", "2")
        )
        captured = begin(restarted)
        assert captured.unread is not None
        first, second, *_ = captured.unread.pieces
        assert read(restarted, 1, first)
    assert not read(restarted, 1, second)
    again = begin(restarted)
    assert again.unread is not None
    assert again.unread.of == 2
    execute(restarted.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 60")
    read_all(restarted, again)
    assert begin(restarted).batch == 2
    assert_is_what_one_function_reads(restarted, alone)


def test_a_piece_of_a_batch_that_is_there_by_now_is_not_read(restarted: Pipeline) -> None:
    captured = begin(restarted)
    assert captured.unread is not None
    assert restarted.capture().batch == 2
    before = restarted.objects()
    assert not read(restarted, captured.unread.of, captured.unread.pieces[0])
    assert restarted.objects() == before


def test_deletes_that_may_not_be_are_told_before_a_piece_is_read_and_after(restarted: Pipeline) -> None:
    execute(restarted.source, "CREATE TABLE kept AS TABLE payment; DELETE FROM payment WHERE payment_id % 2 = 0")
    with pytest.raises(MassDeletion, match="payment"):
        begin(restarted)
    assert not Plans(restarted.ingestion, 2).newest()
    execute(restarted.source, "INSERT INTO payment SELECT * FROM kept ON CONFLICT DO NOTHING")
    read_all(restarted, begin(restarted))
    execute(restarted.source, "DELETE FROM payment WHERE payment_id % 2 = 0")
    with pytest.raises(MassDeletion, match="payment"):
        begin(restarted)
    assert begin(restarted, accept_deletes=["payment"]).batch == 2
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)


def test_rows_that_are_asked_for_are_there_once(restarted: Pipeline) -> None:
    execute(restarted.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
    read_all(restarted, begin(restarted))
    assert begin(restarted, recapture={"payment": [4, 5, 999_999]}).batch == 2
    payment = newest(restarted.ingestion).tables["payment"]
    assert [row[0] for row in rows_of(restarted.ingestion, payment.changes)] == [4, 5]
    assert rows_of(restarted.ingestion, payment.deletes) == [(999_999,)]
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)


def test_a_standby_that_is_behind_the_plan_reads_no_piece(restarted: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = begin(restarted)
    assert captured.unread is not None
    position = Plans(restarted.ingestion, 2).read(captured.unread.of).base.position
    assert position is not None
    monkeypatch.setattr(snapshot, "_ABILITIES", snapshot._ABILITIES.replace("pg_is_in_recovery()", "true"))
    monkeypatch.setattr(snapshot, "_REPLAYED", "SELECT '0/1'::pg_lsn::text")
    replaying = snapshot._STATE.replace("pg_is_in_recovery()", "true")
    monkeypatch.setattr(snapshot, "_STATE", replaying)
    with pytest.raises(SourceUnavailable, match=r"a standby that has replayed up to 0/1, and .* up to"):
        read(restarted, captured.unread.of, captured.unread.pieces[0])


def test_what_such_a_batch_has_left_goes_with_the_nightly_sweep(restarted: Pipeline) -> None:
    Shop(restarted.source, seed=3).trade(40)
    read_all(restarted, begin(restarted))
    execute(restarted.source, "UPDATE payment SET paid = NOT paid")
    assert begin(restarted).batch == 2
    assert Plans(restarted.ingestion, 2).newest()
    written = max(found.written for found in restarted.ingestion.listed(""))
    restarted.transform()
    sweep(restarted.ingestion, restarted.processed, written_before=written)
    assert not Plans(restarted.ingestion, 2).newest()
    restarted.tick()
    assert_warehouse_mirrors(restarted.source, restarted.warehouse)
    assert value(restarted.warehouse, "SELECT max(batch_id) FROM etl.batch") == 2


DESIGNS = (
    "INSERT INTO design (design_id, design_name, file_location, file_name, last_updated) "
    "SELECT {first} + n, 'new', '/lib', 'n.json', now() FROM generate_series(1, {many}) AS n ORDER BY md5(n::text)"
)


def test_runs_in_no_order_are_put_in_order_and_lose_nothing_of_what_pieces_have_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, DESIGNS.format(first=1000, many=300))
    with monkeypatch.context() as earlier:
        earlier.setattr(sizes, "UNORDERED_ROWS", 10**9)
        earlier.setattr(streaming, "CHUNK_BYTES", 600)
        earlier.setattr(snapshot, "_STATE", STARTED_EARLIER)
        pipeline.tick()
    monkeypatch.setattr(sizes, "UNORDERED_ROWS", 50)
    assert not overlap_little(newest(pipeline.ingestion).tables["design"].holdings)
    alone = copy_of(pipeline.ingestion)
    execute(pipeline.source, DESIGNS.format(first=9000, many=3))
    execute(pipeline.source, "UPDATE design SET design_name = 'before' WHERE design_id = 1005")
    read_all(pipeline, begin(pipeline))
    execute(pipeline.source, "UPDATE design SET design_name = 'new' WHERE design_id = 1005")
    execute(pipeline.source, "DELETE FROM design WHERE design_id = 9001")
    assert begin(pipeline).batch == 2
    design = newest(pipeline.ingestion).tables["design"]
    assert overlap_little(design.holdings)
    with session(pipeline.source) as connection:
        capture(connection, alone, SOURCE_TABLES)
    assert held(pipeline.ingestion, "design", design) == held(alone, "design", newest(alone).tables["design"])
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_rows_that_came_at_once_do_not_make_a_mass_deletion_look_small(pipeline: Pipeline) -> None:
    execute(pipeline.source, DESIGNS.format(first=1000, many=100))
    pipeline.tick()
    designs = value(pipeline.source, "SELECT count(*) FROM design")
    execute(pipeline.source, DESIGNS.format(first=2000, many=500))
    execute(pipeline.source, "DELETE FROM design WHERE design_id BETWEEN 1001 AND 1100")
    read_all(pipeline, begin(pipeline))
    with pytest.raises(MassDeletion, match=f"100 of {designs} rows of design"):
        begin(pipeline)


def test_what_was_read_is_asked_before_the_snapshot_that_puts_it_together(
    restarted: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece that is read after it may have what that snapshot has not."""
    open_, unread = list[int](), Plans.unread

    @contextmanager
    def watched(*asked: Any) -> Iterator[Snapshot]:
        with snapshot_of(*asked) as found:
            open_.append(1)
            yield found
        open_.pop()

    def asked_with_none_open(plans: Plans, plan: Plan) -> list[int]:
        assert not open_
        return unread(plans, plan)

    monkeypatch.setattr("totes.capture.reading.snapshot_of", watched)
    monkeypatch.setattr(Plans, "unread", asked_with_none_open)
    read_all(restarted, begin(restarted))
    assert begin(restarted).batch == 2


def test_a_failure_of_a_piece_whose_batch_is_there_by_now_is_none(restarted: Pipeline) -> None:
    captured = begin(restarted)
    assert captured.unread is not None
    assert restarted.capture().batch == 2
    failed = [FailedPiece(of=captured.unread.of, piece=0, error="SourceUnavailable")]
    found = begin(restarted, failed=failed)
    assert (found.batch, found.newest) == (None, 2)


def test_a_table_that_is_not_captured_any_more_is_in_no_plan(restarted: Pipeline) -> None:
    captured = begin(restarted)
    assert captured.unread is not None
    fewer = [table for table in SOURCE_TABLES if table.name != "payment"]
    with session(restarted.source) as connection:
        done = [
            read_piece(connection, restarted.ingestion, fewer, captured.unread.of, piece)
            for piece in captured.unread.pieces
        ]
        assert not all(done)
        assert not read_piece(connection, restarted.ingestion, fewer, captured.unread.of, len(done))
        again = capture(connection, restarted.ingestion, fewer, rows_in_one_function=ROWS_IN_ONE_FUNCTION)
    assert again.unread is not None
    assert again.unread.of == 2


def test_more_changes_since_a_plan_than_one_function_reads_are_told(
    restarted: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    read_all(restarted, begin(restarted))
    execute(restarted.source, "UPDATE payment SET paid = NOT paid; UPDATE sales_order SET units_sold = units_sold + 1")
    with caplog.at_level(logging.WARNING):
        assert begin(restarted).batch == 2
    assert "rows may have changed since the plan was made" in caplog.text
