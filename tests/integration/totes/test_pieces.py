"""A source that is too large for one function is read in pieces by many, and the batch is what one would have read."""

import itertools
import logging
import threading
from datetime import timedelta
from typing import Any

import polars as pl
import psycopg2
import pytest

from simulator import Shop
from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, Captured, capture, read_piece, sizes
from totes.capture.holdings.slices import HIGHEST, LOWEST
from totes.capture.pieces import coordinator, cutting, reader
from totes.capture.pieces.cutting import cut_tables, estimated_rows
from totes.capture.pieces.plan import PlannedPiece, Plans
from totes.capture.source.contract import columns_of
from totes.capture.source.identity import identities_of
from totes.capture.source.snapshot import Snapshot, snapshot_of
from totes.errors import ContractError, PieceFailed, SourceUnavailable
from totes.lake import Bucket, CapturedTable, CaptureManifest, FailedPiece, Journal, read_part, sweep

ROWS_IN_ONE_FUNCTION = 200
"""The shop of these tests has some 500 rows, so it has pieces of at most 25."""

NEW_DESIGN = (
    "INSERT INTO design (design_name, file_location, file_name, last_updated) VALUES (%s, '/lib', 'new.json', now())"
)


def begin(pipeline: Pipeline, rows_in_one_function: int = ROWS_IN_ONE_FUNCTION, **asked: Any) -> Captured:
    """The capture's function, at the beginning of a run and after its pieces."""
    with session(pipeline.source) as connection:
        return capture(
            connection, pipeline.ingestion, SOURCE_TABLES, rows_in_one_function=rows_in_one_function, **asked
        )


def read(pipeline: Pipeline, plan: int, piece: int) -> bool:
    """A function of the map."""
    with session(pipeline.source) as connection:
        return read_piece(connection, pipeline.ingestion, SOURCE_TABLES, plan, piece)


def read_all(pipeline: Pipeline, captured: Captured) -> None:
    assert captured.unread is not None
    for piece in captured.unread.pieces:
        assert read(pipeline, captured.unread.of, piece)


def planned(pipeline: Pipeline) -> tuple[PlannedPiece, ...]:
    plan = Plans(pipeline.ingestion, 1).newest()
    assert plan is not None
    return plan.pieces


def cut(snapshot: Snapshot, rows_in_one_function: int) -> tuple[dict[str, CapturedTable], tuple[PlannedPiece, ...]]:
    columns, identities = columns_of(snapshot, SOURCE_TABLES), identities_of(snapshot, SOURCE_TABLES)
    rows = estimated_rows(snapshot, identities)
    return cut_tables(snapshot, SOURCE_TABLES, columns, identities, rows, None, rows_in_one_function)


def manifest_of(lake: Bucket) -> CaptureManifest:
    return CaptureManifest.from_json(Journal(lake).read(1))


def content_of(lake: Bucket) -> dict[str, list[tuple[object, ...]]]:
    """What the first batch brings of each table, in the order of its keys."""
    keys = {table.name: table.key for table in SOURCE_TABLES}
    content = {}
    for name, table in manifest_of(lake).tables.items():
        frames = [read_part(lake, part) for part in table.changes]
        content[name] = pl.concat(frames).sort(keys[name]).rows() if frames else []
    return content


def assert_is_what_one_function_reads(pipeline: Pipeline) -> None:
    """Hold the first batch against one that a single function reads of the source as it is now."""
    alone = MemoryStore().bucket("alone")
    with session(pipeline.source) as connection:
        capture(connection, alone, SOURCE_TABLES)
    assert content_of(pipeline.ingestion) == content_of(alone)
    batch, other = manifest_of(pipeline.ingestion), manifest_of(alone)
    for name, table in batch.tables.items():
        by_one = other.tables[name]
        assert (table.held, table.columns, table.identity) == (by_one.held, by_one.columns, by_one.identity)
        assert (table.deletes, table.context) == ((), ())
        assert table.ranges is not None
        assert by_one.ranges is not None
        assert table.ranges.frame().rows() == by_one.ranges.frame().rows()
        keys = [row[0] for row in content_of(pipeline.ingestion)[name]]
        assert len(keys) == len(set(keys)) == table.held
    assert (batch.parent, batch.source, batch.drift) == (None, other.source, ())


def test_a_source_that_one_function_may_read_is_read_by_one(pipeline: Pipeline) -> None:
    captured = begin(pipeline, rows_in_one_function=10_000)
    assert (captured.batch, captured.unread) == (1, None)
    assert not [key for key in keys_of(pipeline.ingestion) if "/plans/" in key]


def test_what_was_analysed_is_not_counted_to_find_that_out(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ANALYZE")
    execute(pipeline.source, "DELETE FROM payment")
    with session(pipeline.source) as connection, snapshot_of(connection, SOURCE_TABLES) as snapshot:
        _, found = cut(snapshot, ROWS_IN_ONE_FUNCTION)
    of_payment = [piece for piece in found if piece.table == "payment"]
    assert of_payment == [PlannedPiece(table="payment", lowest=LOWEST, highest=HIGHEST)]


def test_there_are_at_most_a_thousand_pieces_or_so_whatever_the_statistics_say(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "MOST_PIECES", 10)
    with session(pipeline.source) as connection, snapshot_of(connection, SOURCE_TABLES) as snapshot:
        described, found = cut(snapshot, 20)
    assert len(described) <= len(found) <= 10 + len(described)


def test_pieces_put_together_are_what_one_function_reads(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert (captured.batch, captured.newest) == (None, 0)
    read_all(pipeline, captured)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


def test_parts_in_which_nothing_has_changed_are_named_as_they_are(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    read_all(pipeline, captured)
    assert captured.unread is not None
    found = Plans(pipeline.ingestion, 1)
    plan = found.read(captured.unread.of)
    of_pieces = {part.key for piece in found.pieces(plan).values() for part in piece.parts}
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 60")
    begin(pipeline)
    named = manifest_of(pipeline.ingestion).objects()
    [touched] = of_pieces - named
    assert "/payment/" in touched


@pytest.mark.parametrize("seed", range(6))
def test_pieces_are_put_together_exactly_while_the_shop_goes_on(pipeline: Pipeline, seed: int) -> None:
    captured, shop = begin(pipeline, ROWS_IN_ONE_FUNCTION * 3 // 2), Shop(pipeline.source, seed=seed)
    assert captured.unread is not None
    victims = iter(range(1 + seed, 140, 5))
    for piece in captured.unread.pieces:
        shop.trade(8)
        execute(pipeline.source, "DELETE FROM payment WHERE payment_id = %s", [next(victims)])
        assert read(pipeline, captured.unread.of, piece)
        execute(
            pipeline.source,
            "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id %% 40 = %s",
            [piece],
        )
    shop.trade(20)
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id > (SELECT max(payment_id) - 3 FROM payment)")
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)
    pipeline.transform()
    pipeline.load()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_row_whose_key_wanders_between_pieces_is_there_once(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    of_payment = [number for number, piece in enumerate(planned(pipeline)) if piece.table == "payment"]
    others = [number for number in captured.unread.pieces if number not in of_payment]
    first, *middle, last = of_payment
    execute(pipeline.source, "UPDATE payment SET payment_id = 100001 WHERE payment_id = 2")
    assert read(pipeline, captured.unread.of, first)
    execute(pipeline.source, "UPDATE payment SET payment_id = 2 WHERE payment_id = 100001")
    execute(pipeline.source, "UPDATE payment SET payment_id = 100002 WHERE payment_id = 3")
    for number in (last, *middle, *others):
        assert read(pipeline, captured.unread.of, number)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


def test_a_transaction_that_was_open_all_the_while_is_in_this_batch_or_in_the_next(pipeline: Pipeline) -> None:
    with session(pipeline.source) as early, session(pipeline.source) as late:
        for connection, name in ((early, "early"), (late, "late")):
            with connection.cursor() as cursor:
                cursor.execute(NEW_DESIGN, [name])
                cursor.execute("UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [len(name)])
        execute(pipeline.source, NEW_DESIGN, ["begun later and committed before"])
        captured = begin(pipeline)
        read_all(pipeline, captured)
        early.commit()
        assert begin(pipeline).batch == 1
        assert_is_what_one_function_reads(pipeline)
        late.commit()
    assert begin(pipeline).batch == 2
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_ticks_go_on_from_such_a_batch_as_from_any_other(pipeline: Pipeline) -> None:
    shop = Shop(pipeline.source, seed=11)
    captured = begin(pipeline)
    shop.trade(50)
    read_all(pipeline, captured)
    shop.trade(50)
    begin(pipeline)
    assert begin(pipeline).batch is None
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id < 9")
    shop.trade(50)
    assert begin(pipeline).batch == 2
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_pieces_may_be_read_by_many_at_once_while_many_write(pipeline: Pipeline) -> None:
    captured, stop = begin(pipeline), threading.Event()
    assert captured.unread is not None
    plan = captured.unread.of
    shop = Shop(pipeline.source, seed=5)
    living = threading.Thread(target=shop.live, kwargs={"rate": 200, "writers": 2, "stop": stop})
    living.start()
    try:
        readers = [
            threading.Thread(target=lambda share=share: [read(pipeline, plan, piece) for piece in share])
            for share in (captured.unread.pieces[0::2], captured.unread.pieces[1::2])
        ]
        for thread in readers:
            thread.start()
        for thread in readers:
            thread.join()
        assert begin(pipeline).batch == 1
    finally:
        stop.set()
        living.join()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_piece_that_is_killed_on_the_way_is_read_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Plans, "finish", killed)
        read(pipeline, captured.unread.of, 0)
    shop = Shop(pipeline.source, seed=3)
    shop.trade(30)
    again = begin(pipeline)
    assert again.unread == captured.unread, "what was killed has not been read"
    read_all(pipeline, again)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


def test_a_piece_is_read_once_whoever_asks_for_it_again(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    assert read(pipeline, captured.unread.of, 4)
    before = pipeline.objects()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1")
    assert read(pipeline, captured.unread.of, 4)
    assert pipeline.objects() == before


def test_what_the_source_could_still_lose_by_a_crash_is_no_piece(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None

    def not_flushed(*_: object) -> None:
        raise SourceUnavailable("the disk stands still")

    with monkeypatch.context() as patched, pytest.raises(SourceUnavailable):
        patched.setattr(reader, "wait_until_durable", not_flushed)
        read(pipeline, captured.unread.of, 0)
    assert begin(pipeline).unread == captured.unread


def test_nor_is_there_a_plan_of_it(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_flushed(*_: object) -> None:
        raise SourceUnavailable("the disk stands still")

    monkeypatch.setattr(coordinator, "wait_until_durable", not_flushed)
    with pytest.raises(SourceUnavailable):
        begin(pipeline)
    assert keys_of(pipeline.ingestion) == []


def test_a_run_that_ends_between_pieces_leaves_the_next_one_what_is_missing(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    first, second, *others = captured.unread.pieces
    for piece in (first, second):
        read(pipeline, captured.unread.of, piece)
    again = begin(pipeline)
    assert again.unread is not None
    assert (again.unread.of, again.unread.pieces) == (captured.unread.of, tuple(others))


def test_pieces_that_failed_end_the_run_with_their_names(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    piece = planned(pipeline)[2]
    failed = [
        FailedPiece(of=1, piece=5, error="SourceUnavailable"),
        FailedPiece(of=1, piece=2, error="ContractError"),
    ]
    with session(pipeline.source) as connection, pytest.raises(PieceFailed) as failure:
        capture(connection, pipeline.ingestion, SOURCE_TABLES, rows_in_one_function=200, failed=failed)
    said = str(failure.value)
    assert f"piece 2 ({piece.table} from key {piece.lowest} to {piece.highest}): ContractError; piece 5 (" in said
    assert "2 of 23 pieces of plan 1" in said


def test_a_plan_that_was_left_behind_for_long_is_made_again_and_nothing_is_doubled(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    for piece in captured.unread.pieces[:-1]:
        read(pipeline, captured.unread.of, piece)
    Shop(pipeline.source, seed=7).trade(40)
    with monkeypatch.context() as later:
        later.setattr(coordinator, "_PLAN_KEEPS", timedelta(0))
        again = begin(pipeline)
    assert again.unread is not None
    assert again.unread.of == captured.unread.of + 1
    read(pipeline, captured.unread.of, captured.unread.pieces[-1])  # one that was still at work for the old one
    read_all(pipeline, again)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


def test_what_plans_have_left_goes_with_the_nightly_sweep(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    read_all(pipeline, begin(pipeline))
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    with monkeypatch.context() as later:
        later.setattr(coordinator, "_PLAN_KEEPS", timedelta(0))
        again = begin(pipeline)
    read_all(pipeline, again)
    begin(pipeline)
    newest = max(found.written for found in pipeline.ingestion.listed(""))
    pipeline.transform()
    sweep(pipeline.ingestion, pipeline.processed, written_before=newest)
    left = {key for key in keys_of(pipeline.ingestion) if key.startswith("batches/")}
    assert left == manifest_of(pipeline.ingestion).objects()


ALTERED = "ALTER TABLE payment ADD COLUMN note text DEFAULT 'none'"
SWAPPED = (
    "CREATE TABLE swapped (LIKE payment INCLUDING INDEXES); INSERT INTO swapped SELECT * FROM payment; "
    "UPDATE swapped SET paid = NOT paid WHERE payment_id < 9; "
    "DROP TABLE payment; ALTER TABLE swapped RENAME TO payment"
)


def assert_is_planned_again_and_read(pipeline: Pipeline) -> None:
    again = begin(pipeline)
    assert again.unread is not None
    assert again.unread.of == 2
    read_all(pipeline, again)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


@pytest.mark.parametrize("change", [ALTERED, SWAPPED], ids=["altered", "swapped"])
def test_a_table_that_becomes_another_one_before_a_piece_is_read_is_planned_again(
    pipeline: Pipeline, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    execute(pipeline.source, change)
    of_payment = [number for number, piece in enumerate(planned(pipeline)) if piece.table == "payment"]
    with caplog.at_level(logging.WARNING):
        assert [number for number in captured.unread.pieces if not read(pipeline, 1, number)] == of_payment
    assert "plan 1 does not hold any more" in caplog.text
    assert_is_planned_again_and_read(pipeline)


@pytest.mark.parametrize("change", [ALTERED, SWAPPED], ids=["altered", "swapped"])
def test_and_so_it_is_where_all_pieces_were_read_before(pipeline: Pipeline, change: str) -> None:
    read_all(pipeline, begin(pipeline))
    execute(pipeline.source, change)
    assert_is_planned_again_and_read(pipeline)


def test_a_table_that_was_another_one_only_while_a_piece_was_read_brings_nothing_of_it(pipeline: Pipeline) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    number = next(number for number, piece in enumerate(planned(pipeline)) if piece.table == "payment")
    execute(
        pipeline.source,
        "ALTER TABLE payment RENAME TO away; CREATE TABLE payment (LIKE away INCLUDING ALL); "
        "INSERT INTO payment SELECT * FROM away; UPDATE payment SET paid = NOT paid",
    )
    assert not read(pipeline, captured.unread.of, number)
    execute(pipeline.source, "DROP TABLE payment; ALTER TABLE away RENAME TO payment")
    again = begin(pipeline)
    assert again.unread == captured.unread
    read_all(pipeline, again)
    assert begin(pipeline).batch == 1
    assert_is_what_one_function_reads(pipeline)


def test_another_source_under_the_same_name_is_planned_again(pipeline: Pipeline, another_database: str) -> None:
    captured = begin(pipeline)
    assert captured.unread is not None
    read(pipeline, 1, 0)
    dump = rows(pipeline.source, "SELECT current_database()")[0][0]
    with session(pipeline.warehouse) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            name = psycopg2.extensions.parse_dsn(another_database)["dbname"]
            cursor.execute(f"DROP DATABASE {name}")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {dump}")
    moved = Pipeline(
        source=another_database,
        warehouse=pipeline.warehouse,
        ingestion=pipeline.ingestion,
        processed=pipeline.processed,
    )
    assert not read(moved, 1, 1)
    assert_is_planned_again_and_read(moved)


def test_of_two_runs_that_plan_at_once_both_know_one_plan(pipeline: Pipeline) -> None:
    first, second = begin(pipeline), begin(pipeline)
    assert first.unread == second.unread


def test_a_key_that_is_there_twice_is_refused_where_no_index_does(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TABLE more_payments () INHERITS (payment); INSERT INTO more_payments SELECT * FROM payment "
        "WHERE payment_id = 3",
    )
    captured = begin(pipeline)
    assert captured.unread is not None
    number = next(number for number, piece in enumerate(planned(pipeline)) if piece.table == "payment")
    with pytest.raises(
        ContractError, match="payment_id 3 is there more than once in table payment and the tables that"
    ):
        read(pipeline, captured.unread.of, number)


def test_pieces_have_every_key_and_about_equally_many_rows_however_keys_lie(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TABLE far AS SELECT * FROM sales_order; UPDATE far SET sales_order_id = sales_order_id + 2000000000; "
        "INSERT INTO sales_order SELECT * FROM far; UPDATE far SET sales_order_id = -sales_order_id; "
        "INSERT INTO sales_order SELECT * FROM far; DROP TABLE far",
    )
    with session(pipeline.source) as connection, snapshot_of(connection, SOURCE_TABLES) as snapshot:
        described, found = cut(snapshot, ROWS_IN_ONE_FUNCTION)
    assert {piece.table for piece in found} == set(described)
    for name in described:
        key = next(table.key for table in SOURCE_TABLES if table.name == name)
        of_table = [piece for piece in found if piece.table == name]
        assert (of_table[0].lowest, of_table[-1].highest) == (LOWEST, HIGHEST)
        assert all(before.highest + 1 == after.lowest for before, after in itertools.pairwise(of_table))
        for piece in of_table:
            held = value(
                pipeline.source,
                f"SELECT count(*) FROM {name} WHERE {key} BETWEEN %s::bigint AND %s::bigint",
                [str(piece.lowest), str(piece.highest)],
            )
            assert 1 <= held <= 30


def test_a_piece_that_is_larger_than_a_part_is_several(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "PART_ROWS", 7)
    captured = begin(pipeline)
    read_all(pipeline, captured)
    Shop(pipeline.source, seed=2).trade(60)
    assert begin(pipeline).batch == 1
    assert all(part.rows <= 7 for table in manifest_of(pipeline.ingestion).tables.values() for part in table.changes)
    assert_is_what_one_function_reads(pipeline)
