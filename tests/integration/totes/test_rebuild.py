"""A warehouse is built as a whole beside the live one, in steps, and is what one batch after the other comes to."""

import dataclasses
import random
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg2
import pytest
from psycopg2 import sql

from simulator import Shop
from tests.support.content import content_of
from tests.support.databases import execute, own_session, rows, session, value
from tests.support.first_warehouse import make_first_warehouse
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.waiting import until
from totes.answers import fitness
from totes.capture import SOURCE_TABLES, capture
from totes.errors import ConfigurationError
from totes.lake import StarJournal, StarManifest, StarParts, read_part, write_part
from totes.outcomes import Span
from totes.star import STAR_TABLES, fingerprint, how_far, replay, transform
from totes.star_schema import Column, Dimension, Kind, StarTable, integer, text
from totes.verify import verify
from totes.warehouse import Loaded, batch, load
from totes.warehouse.ledger import WarehouseState, content, newest_entry, write_content
from totes.warehouse.rebuild import bulk, steps, swap


def live(pipeline: Pipeline, seed: int, ticks: int = 5) -> None:
    """A random history, loaded batch by batch: versions, deletes, keys that come again, quarantine, dimensions."""
    random_ = random.Random(seed)  # noqa: S311 - a history, not a secret
    pipeline.tick()
    execute(pipeline.source, "CREATE TABLE gone AS SELECT * FROM payment WHERE false")
    for _ in range(ticks):
        edits = {
            "UPDATE payment SET paid = NOT paid WHERE payment_id % %s = 0": random_.randint(2, 9),
            "WITH taken AS (DELETE FROM payment WHERE payment_id % 17 = %s RETURNING *) "
            "INSERT INTO gone SELECT * FROM taken": random_.randint(0, 16),
            "WITH back AS (DELETE FROM gone WHERE payment_id % 2 = %s RETURNING *) "
            "INSERT INTO payment SELECT * FROM back": random_.randint(0, 1),
            "UPDATE sales_order SET agreed_delivery_date = reverse(agreed_delivery_date) "
            "WHERE sales_order_id % 40 = %s": random_.randint(0, 3),
            "UPDATE address SET phone = reverse(phone) WHERE address_id % 5 = %s": random_.randint(0, 4),
            "UPDATE design SET file_name = file_name || '!' WHERE design_id % 7 = %s": random_.randint(0, 6),
            "UPDATE department SET location = 'Hull' WHERE department_id = %s": random_.randint(1, 8),
            "INSERT INTO currency (currency_id, currency_code, last_updated) "
            "SELECT max(currency_id) + 1, 'Z' || %s, now() FROM currency": (random_.randint(0, 9)),
            "UPDATE currency SET currency_code = 'USD' "
            "WHERE currency_code LIKE 'Z%%' AND currency_id % 2 = %s": random_.randint(0, 1),
            "DELETE FROM currency WHERE currency_code LIKE 'Z%%' AND currency_id % 3 = %s "
            "AND NOT EXISTS (SELECT FROM sales_order WHERE sales_order.currency_id = currency.currency_id) "
            "AND NOT EXISTS (SELECT FROM purchase_order WHERE purchase_order.currency_id = currency.currency_id) "
            "AND NOT EXISTS (SELECT FROM payment WHERE payment.currency_id = currency.currency_id)": (
                random_.randint(0, 2)
            ),
        }
        with session(pipeline.source) as connection:
            connection.autocommit = True
            for statement, number in edits.items():
                if random_.random() < 0.6:
                    connection.cursor().execute(statement.replace("% ", "%% "), [number])
        Shop(pipeline.source, seed=random_.randint(1, 10**6)).trade(5)
        pipeline.tick()


def rebuilt(pipeline: Pipeline, tables: Sequence[StarTable] = STAR_TABLES) -> Loaded:
    with own_session(pipeline.warehouse, "warehouse") as connection:
        return load(connection, pipeline.processed, tables, rebuild=True)


def step_of_load(pipeline: Pipeline) -> Loaded:
    """A load that has time for one step."""
    with own_session(pipeline.warehouse, "warehouse") as connection:
        return load(connection, pipeline.processed, STAR_TABLES, time_is_up=after(2))


def after(calls: int) -> Callable[[], bool]:
    """Time that is up when it was asked for so often."""
    left = iter([False] * (calls - 1))
    return lambda: next(left, True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.begun
def test_a_rebuild_and_an_initial_load_come_to_what_one_batch_after_the_other_comes_to(
    pipeline: Pipeline, another_database: str, seed: int
) -> None:
    live(pipeline, seed)
    before = content_of(pipeline.warehouse)
    assert before["quarantine"]
    dataclasses.replace(pipeline, warehouse=another_database).load()
    assert content_of(another_database) == before
    rebuilt(pipeline)
    assert content_of(pipeline.warehouse) == before
    assert pipeline.tick().batches == Span(first=None, last=None, count=0)


@pytest.mark.begun
def test_a_rebuild_goes_on_where_the_last_run_ended_and_ordinary_loads_go_on_beside_it(
    pipeline: Pipeline, another_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK_BATCHES", 1)
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    live(pipeline, seed=7, ticks=3)
    asked, runs, left = True, 0, []
    while True:
        with session(pipeline.warehouse) as connection:
            loaded = load(connection, pipeline.processed, STAR_TABLES, rebuild=asked, time_is_up=after(2))
        asked, runs = False, runs + 1
        if loaded.rebuilding is None:
            break
        left.append(loaded.rebuilding.staged)
        if runs % 4 == 0:
            execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
            pipeline.capture()
            pipeline.transform()
    assert runs > 5
    assert left == sorted(left)
    dataclasses.replace(pipeline, warehouse=another_database).load()
    assert content_of(pipeline.warehouse) == content_of(another_database)
    assert rows(pipeline.warehouse, "SELECT relname FROM pg_class WHERE relname ~ '^(staged|rebuil)'") == []


@pytest.mark.begun
def test_the_rows_that_are_staged_for_a_table_give_back_their_room_with_its_first_key_the_most_first(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    pipeline.tick()
    execute(pipeline.warehouse, "UPDATE etl.content SET rebuild = true")
    staged = (
        "SELECT substr(relname, 8), pg_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'etl'::regnamespace AND relname ~ '^staged_(dim|fact)' ORDER BY 2 DESC"
    )
    most: dict[str, int] = {}
    keyed: list[str] = []
    while step_of_load(pipeline).rebuilding:
        [[built]] = rows(pipeline.warehouse, "SELECT built FROM etl.rebuild")
        sizes = dict(rows(pipeline.warehouse, staged))
        most = most or (sizes if built else {})
        keyed = [name for name in sizes if f"{name}, key 1" in built]
        assert [name for name, size in sizes.items() if size and name in keyed] == []
        if len(keyed) == 1:
            assert most[keyed[0]] == max(most.values())
    assert len(keyed) == len(STAR_TABLES)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_an_initial_load_that_is_not_done_yet_has_the_views_that_others_read_meanwhile(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    pipeline.capture()
    pipeline.transform()
    runs = 0
    while step_of_load(pipeline).rebuilding:
        runs += 1
        assert rows(pipeline.warehouse, "SELECT * FROM report.sales_by_day") == []
    assert runs > 5
    assert rows(pipeline.warehouse, "SELECT * FROM report.sales_by_day") != []
    assert value(pipeline.warehouse, "SELECT obj_description('fact_payment'::regclass, 'pg_class')")


@pytest.mark.begun
def test_a_rebuild_deals_record_ids_out_again_and_a_version_keeps_its_key_and_its_batch(pipeline: Pipeline) -> None:
    # A load that is rolled back leaves such a gap.
    execute(pipeline.warehouse, "SELECT setval('fact_payment_payment_record_id_seq', 1000000)")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    pipeline.tick()
    asked = "SELECT {} FROM fact_payment ORDER BY payment_id, batch_id"
    versions, ids = asked.format("payment_id, batch_id, paid"), asked.format("payment_record_id")
    before, dealt = rows(pipeline.warehouse, versions), rows(pipeline.warehouse, ids)
    rebuilt(pipeline)
    assert rows(pipeline.warehouse, versions) == before
    assert rows(pipeline.warehouse, ids) != dealt


@pytest.mark.begun
def test_a_batch_too_large_for_a_transaction_is_loaded_step_by_step(
    pipeline: Pipeline, another_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, seed=8, ticks=2)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    pipeline.capture()
    pipeline.transform()
    held = content_of(pipeline.warehouse)
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 40)
    monkeypatch.setattr(batch, "LARGE_ROWS", 20)
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    came_late, begun_again, runs = False, False, 0
    while step_of_load(pipeline).rebuilding:
        runs += 1
        begun_again |= came_late and value(pipeline.warehouse, "SELECT built = '{}' FROM etl.rebuild")
        assert content_of(pipeline.warehouse) == held, "a reader sees no half of it"
        if not came_late and value(pipeline.warehouse, "SELECT built <> '{}' FROM etl.rebuild"):
            came_late = True
            execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
            pipeline.capture()
            pipeline.transform()
    assert begun_again, "what came late is too large for a transaction too"
    assert runs > 20
    dataclasses.replace(pipeline, warehouse=another_database).load()
    assert content_of(pipeline.warehouse) == content_of(another_database)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert pipeline.tick().batches.count == 1


@pytest.mark.begun
def test_a_rebuild_that_another_loader_has_done_meanwhile_is_not_begun_again(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection:
        with connection, connection.cursor() as cursor:
            wanted = dataclasses.replace(content(cursor), rebuild=True)
            write_content(cursor, wanted)
            seen = WarehouseState(content=wanted, newest=newest_entry(cursor))
        assert step_of_load(pipeline).rebuilding
        while step_of_load(pipeline).rebuilding:
            pass
        assert steps.Rebuild(connection, pipeline.processed, STAR_TABLES).step(seen) is steps.StepResult.MORE
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")


def test_an_initial_load_leaves_it_to_autovacuum_what_the_columns_hold(pipeline: Pipeline) -> None:
    pipeline.tick()
    table = "fact_sales_order"
    seen = rows(pipeline.warehouse, "SELECT attname FROM pg_stats WHERE tablename = %s", [table])
    assert ("sales_order_id",) in seen
    owed_or_done = (
        "SELECT n_mod_since_analyze > 0 OR last_autoanalyze IS NOT NULL FROM pg_stat_user_tables "
        "WHERE schemaname = 'public' AND relname = %s"
    )
    until(lambda: value(pipeline.warehouse, owed_or_done, [table]))


@pytest.mark.begun
def test_grants_comments_indexes_and_views_of_others_outlive_a_rebuild(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "DO $$ BEGIN CREATE ROLE analyst; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT SELECT ON fact_payment TO analyst; GRANT UPDATE (paid) ON fact_payment TO analyst;"
        "GRANT SELECT ON etl.batch TO analyst; GRANT SELECT ON current_payment TO analyst;"
        "COMMENT ON TABLE fact_payment IS 'mine'; COMMENT ON COLUMN fact_payment.paid IS 'ours';"
        "CREATE INDEX mine ON fact_payment (payment_date);"
        "CREATE VIEW unpaid AS SELECT * FROM current_payment WHERE NOT paid; GRANT SELECT ON unpaid TO analyst;"
        "CREATE VIEW unpaid_by_currency AS SELECT currency_id, count(*) FROM unpaid GROUP BY 1",
    )
    asked = (
        "SELECT relname, relkind::text, relowner, relacl::text, obj_description(oid, 'pg_class'), "
        "(SELECT string_agg(attname || coalesce(attacl::text, '') || coalesce(col_description(oid, attnum), ''), ' ' "
        "ORDER BY attnum) FROM pg_attribute WHERE attrelid = oid AND attnum > 0) FROM pg_class "
        "WHERE relnamespace IN ('public'::regnamespace, 'etl'::regnamespace) AND relkind IN ('r', 'v', 'i', 'S') "
        "ORDER BY relname"
    )
    before, unpaid = rows(pipeline.warehouse, asked), rows(pipeline.warehouse, "TABLE unpaid_by_currency ORDER BY 1")
    rebuilt(pipeline)
    assert rows(pipeline.warehouse, asked) == before
    assert rows(pipeline.warehouse, "TABLE unpaid_by_currency ORDER BY 1") == unpaid


@pytest.mark.begun
def test_a_rebuild_that_would_lose_what_others_made_says_so_and_changes_nothing(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE MATERIALIZED VIEW kept AS SELECT * FROM fact_payment")
    before = content_of(pipeline.warehouse)
    with pytest.raises(ConfigurationError, match=r"materialized view public\.kept.*; then ask for the rebuild again"):
        rebuilt(pipeline)
    assert content_of(pipeline.warehouse) == before
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    assert pipeline.tick().rebuilding is None, "only the run that has asked fails"
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_rebuild_that_is_refused_half_done_is_given_up_and_fails_one_run(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "UPDATE etl.content SET rebuild = true")
    while not value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NOT NULL"):
        step_of_load(pipeline)
    execute(pipeline.warehouse, "CREATE MATERIALIZED VIEW kept AS SELECT * FROM fact_payment")
    with pytest.raises(ConfigurationError, match=r"materialized view public\.kept.*; then ask for the rebuild again"):
        pipeline.load()
    assert pipeline.load().rebuilding is None
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")
    execute(pipeline.warehouse, "DROP MATERIALIZED VIEW kept")
    assert rebuilt(pipeline).rebuilding is None


@pytest.mark.begun
def test_a_rebuild_that_the_warehouse_needs_is_wanted_until_it_is_no_more_refused(pipeline: Pipeline) -> None:
    """Nobody else would bring back what was dropped, also where a person asks for a rebuild too."""
    before = content_of(pipeline.warehouse)
    execute(
        pipeline.warehouse, "CREATE MATERIALIZED VIEW kept AS SELECT * FROM fact_payment; DROP TABLE dim_design CASCADE"
    )
    for run in (pipeline.load, partial(rebuilt, pipeline), pipeline.load):
        with pytest.raises(ConfigurationError, match=r"materialized view public\.kept"):
            run()
    execute(pipeline.warehouse, "DROP MATERIALIZED VIEW kept")
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_a_reader_in_an_open_transaction_delays_the_swap_and_no_other_reader(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fact_payment")
        assert rebuilt(pipeline).rebuilding is not None
        assert value(pipeline.warehouse, "SELECT count(*) FROM fact_payment") == cursor.fetchall()[0][0]
    assert pipeline.load().rebuilding is None
    assert value(pipeline.warehouse, "SELECT rebuild FROM etl.content") is False


@pytest.mark.begun
def test_a_warehouse_of_the_first_totes_is_taken_up(pipeline: Pipeline, another_database: str) -> None:
    live(pipeline, seed=3, ticks=2)
    make_first_warehouse(another_database, STAR_TABLES, pipeline.warehouse)
    old = dataclasses.replace(pipeline, warehouse=another_database)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    old.tick()
    pipeline.load()
    assert content_of(another_database) == content_of(pipeline.warehouse)
    assert value(another_database, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0
    execute(another_database, "SELECT setval('fact_payment_payment_record_id_seq', 2147483647)")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    old.tick()
    assert value(another_database, "SELECT max(payment_record_id) FROM fact_payment") == 2147483648


def changed(name: str, change: Callable[[Sequence[Column]], Sequence[Column]]) -> Sequence[StarTable]:
    return tuple(
        dataclasses.replace(table, columns=change(table.columns)) if table.name == name else table
        for table in STAR_TABLES
    )


def priced_in_text() -> Sequence[StarTable]:
    """A star whose orders have a text for a price, which no column of a number can be brought to in place."""
    return changed(
        "fact_sales_order",
        lambda columns: [
            dataclasses.replace(each, kind=Kind.TEXT) if each.name == "unit_price" else each for each in columns
        ],
    )


def of_precision(precision: int, scale: int) -> Sequence[StarTable]:
    return changed(
        "fact_sales_order",
        lambda columns: [
            dataclasses.replace(column, precision=precision, scale=scale) if column.name == "unit_price" else column
            for column in columns
        ],
    )


WITH_A_COLUMN = changed("dim_design", lambda columns: (*columns, text("made", of="created_at", nullable=True)))


@pytest.mark.parametrize("tables", [WITH_A_COLUMN, of_precision(12, 4)])
@pytest.mark.begun
def test_a_star_that_can_hold_more_is_brought_in_place(pipeline: Pipeline, tables: Sequence[StarTable]) -> None:
    before = rows(pipeline.warehouse, "SELECT sales_order_id, unit_price FROM current_sales_order ORDER BY 1")
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, tables)
    assert rows(pipeline.warehouse, "SELECT sales_order_id, unit_price FROM current_sales_order ORDER BY 1") == before


def test_a_column_that_need_have_no_value_any_more_is_brought_in_place(pipeline: Pipeline) -> None:
    strict = changed("dim_staff", lambda columns: [dataclasses.replace(column, nullable=False) for column in columns])
    pipeline.capture()
    pipeline.transform()
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, strict)
    execute(pipeline.source, "UPDATE department SET location = NULL WHERE department_id IN (1, 2, 3)")
    assert pipeline.tick().quarantined == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_that_a_wider_star_can_hold_waits_until_it_is_converted_again(pipeline: Pipeline) -> None:
    """A date that is NULL is none of the calendar's."""
    execute(pipeline.source, "ALTER TABLE payment ALTER COLUMN payment_date DROP NOT NULL")
    execute(pipeline.source, "ALTER TABLE payment ALTER COLUMN payment_amount TYPE numeric(14, 2)")
    execute(pipeline.source, "UPDATE payment SET payment_date = NULL WHERE payment_id = 3")
    execute(pipeline.source, "UPDATE payment SET payment_amount = 12345678901.25 WHERE payment_id IN (4, 5)")
    tables = changed(
        "fact_payment",
        lambda columns: [
            dataclasses.replace(
                column,
                nullable=column.nullable or column.name == "payment_date",
                precision=14 if column.name == "payment_amount" else column.precision,
            )
            for column in columns
        ],
    )
    waiting = "SELECT key FROM etl.quarantine WHERE resolved_by IS NULL ORDER BY 1"
    pipeline.tick()
    transform(pipeline.ingestion, pipeline.processed, tables)
    with session(pipeline.warehouse) as connection, session(pipeline.source) as shop:
        load(connection, pipeline.processed, tables)
        assert rows(pipeline.warehouse, waiting) == [(3,), (4,), (5,)]
        capture(shop, pipeline.ingestion, SOURCE_TABLES, recapture={"payment": [3, 4]})
        transform(pipeline.ingestion, pipeline.processed, tables)
        load(connection, pipeline.processed, tables)
        assert rows(pipeline.warehouse, waiting) == [(5,)]
        replay(pipeline.ingestion, pipeline.processed, tables, first=1)
        load(connection, pipeline.processed, tables)
        assert rows(pipeline.warehouse, waiting) == []
        assert verify(shop, connection, pipeline.ingestion, SOURCE_TABLES, tables).differences == 0
    assert rows(pipeline.warehouse, "SELECT payment_id FROM current_payment WHERE payment_date IS NULL") == [(3,)]


@pytest.mark.begun
def test_a_new_star_table_is_filled_with_what_the_lake_has_by_a_replay(pipeline: Pipeline) -> None:
    dim_department = Dimension(
        name="dim_department",
        source="department",
        key="department_id",
        columns=(integer("department_id"), text("department_name"), text("manager", nullable=True)),
    )
    pipeline.tick()
    execute(pipeline.source, "UPDATE department SET manager = 'Somebody' WHERE department_id = 2")
    pipeline.tick()
    tables = (*STAR_TABLES, dim_department)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, tables)
        assert value(pipeline.warehouse, "SELECT count(*) FROM dim_department") == 0
        replay(pipeline.ingestion, pipeline.processed, tables, first=1)
        load(connection, pipeline.processed, tables)
    expected = rows(pipeline.source, "SELECT department_id, department_name, manager FROM department ORDER BY 1")
    found = rows(pipeline.warehouse, "SELECT department_id, department_name, manager FROM dim_department ORDER BY 1")
    assert found == expected


@pytest.mark.begun
def test_a_star_that_cannot_be_brought_in_place_is_refused_and_made_again_by_a_replay(pipeline: Pipeline) -> None:
    tables = of_precision(9, 2)
    pipeline.tick()
    with session(pipeline.warehouse) as connection:
        with pytest.raises(ConfigurationError, match=r"fact_sales_order.unit_price is numeric\(10,2\).*totes replay"):
            load(connection, pipeline.processed, tables)
        replay(pipeline.ingestion, pipeline.processed, tables, first=1)
        assert load(connection, pipeline.processed, tables).batches.count == 1
        assert load(connection, pipeline.processed, tables).batches.count == 0


@pytest.mark.parametrize(
    "tables",
    [
        changed("fact_payment", lambda columns: [each for each in columns if each.name != "paid"]),
        tuple(table for table in STAR_TABLES if table.name != "dim_payment_type"),
    ],
)
@pytest.mark.begun
def test_what_is_taken_out_of_the_star_goes_by_a_replay_that_may_take_many_runs(
    pipeline: Pipeline, tables: Sequence[StarTable]
) -> None:
    code = fingerprint(tables)
    pipeline.tick()
    execute(pipeline.warehouse, "COMMENT ON COLUMN current_payment.paid IS 'has it come?'")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    pipeline.tick()
    with session(pipeline.warehouse) as connection:
        with pytest.raises(ConfigurationError, match=r"taken out of the star.*totes replay --from 1"):
            load(connection, pipeline.processed, tables, code=code)
        replay(pipeline.ingestion, pipeline.processed, tables, first=1, time_is_up=after(1))
        assert load(connection, pipeline.processed, tables, code=code).batches.count == 0
        replay(pipeline.ingestion, pipeline.processed, tables)
        assert load(connection, pipeline.processed, tables, code=code).batches.count == 2
        assert load(connection, pipeline.processed, tables, code=code).batches.count == 0
    assert value(pipeline.warehouse, "SELECT count(*) FROM current_payment") > 0


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.begun
def test_a_large_batch_is_loaded_at_once_where_a_rebuild_is_refused_or_waits_for_readers(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    if refused:
        execute(pipeline.warehouse, "CREATE MATERIALIZED VIEW kept AS SELECT * FROM fact_payment")
    monkeypatch.setattr(batch, "LARGE_ROWS", 20)
    monkeypatch.setattr(steps, "_PAUSE", 0.1)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor:
        if not refused:
            cursor.execute("SELECT count(*) FROM dim_currency")
        assert pipeline.tick().newest == 2
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
        assert pipeline.tick().newest == 3
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.load().rebuilding is None
    before = content_of(pipeline.warehouse)
    execute(pipeline.warehouse, "DROP MATERIALIZED VIEW IF EXISTS kept")
    rebuilt(pipeline)
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_readers_of_views_come_to_no_harm_by_a_swap(pipeline: Pipeline) -> None:
    """Each locks a view and then its tables, as BI tools do all day; PostgreSQL ends who waits in a circle first."""
    over = threading.Event()

    def read(view: str) -> int:
        times = 0
        with session(pipeline.warehouse) as connection:
            connection.autocommit = True
            while not over.wait(0.05):
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT count(*) FROM {view}")
                times += 1
        return times

    with ThreadPoolExecutor(2) as others:
        readers = [others.submit(read, view) for view in ("current_sales_order", "current_payment")]
        for _ in range(3):
            assert rebuilt(pipeline).rebuilding is None
        over.set()
        assert all(reader.result() > 3 for reader in readers)


@pytest.mark.begun
def test_who_has_locked_all_tables_and_looks_at_the_views_is_not_ended_by_a_swap(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pg_dump does: a swap that held the views, and waited for the tables, would be waited for by it."""
    monkeypatch.setattr(steps, "_TRIES", 2)
    monkeypatch.setattr(steps, "_PAUSE", 0.1)
    execute(
        pipeline.warehouse, f"ALTER DATABASE {pipeline.warehouse.rpartition('/')[2]} SET deadlock_timeout = '300ms'"
    )
    definitions = (
        "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v' AND relnamespace = 'report'::regnamespace"
    )
    locked = "SELECT FROM pg_locks JOIN pg_class ON oid = relation WHERE relkind = 'v' AND mode = 'AccessExclusiveLock'"
    with session(pipeline.warehouse) as dump, dump.cursor() as cursor, ThreadPoolExecutor(1) as others:
        cursor.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(
                sql.SQL(", ").join(sql.Identifier(table.name) for table in STAR_TABLES)
            )
        )
        load_ = others.submit(rebuilt, pipeline)
        until(lambda: load_.done() or rows(pipeline.warehouse, locked), seconds=300, pause=0.05)
        cursor.execute(definitions)
        assert load_.result().rebuilding is not None
        dump.rollback()
    assert pipeline.load().rebuilding is None


@pytest.mark.begun
def test_a_reader_that_would_make_a_deadlock_with_the_swap_makes_it_later(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has begun to read at the very moment at which the swap looked who does."""
    monkeypatch.setattr(steps, "_PAUSE", 0.1)
    monkeypatch.setattr(swap, "users_are_gone", lambda *_: True)
    name = pipeline.warehouse.rpartition("/")[2]
    execute(pipeline.warehouse, f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'")
    first, second = STAR_TABLES[0].name, STAR_TABLES[-1].name
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor, ThreadPoolExecutor(1) as others:
        cursor.execute("SET deadlock_timeout = '1min'")
        cursor.execute(f"SELECT count(*) FROM {second}")
        load_ = others.submit(rebuilt, pipeline)
        while not rows(pipeline.warehouse, "SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"):
            assert not load_.done(), load_.result()
        cursor.execute(f"SELECT count(*) FROM {first}")
        reader.rollback()
        load_.result()
    assert pipeline.load().rebuilding is None
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("begun", ["by a large batch", "by a replay that is published", "by a rebuild that was asked"])
def test_what_a_newer_totes_has_begun_is_no_leave_for_an_older_one_to_take_its_columns_away(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    pipeline.capture()
    transform(pipeline.ingestion, pipeline.processed, WITH_A_COLUMN)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, WITH_A_COLUMN)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    pipeline.capture()
    transform(pipeline.ingestion, pipeline.processed, WITH_A_COLUMN)
    if begun == "by a large batch":
        monkeypatch.setattr(batch, "LARGE_ROWS", 20)
        monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    elif begun == "by a replay that is published":
        replay(pipeline.ingestion, pipeline.processed, WITH_A_COLUMN, first=1)
    asked = begun == "by a rebuild that was asked"
    with session(pipeline.warehouse) as connection:
        said = load(connection, pipeline.processed, WITH_A_COLUMN, rebuild=asked, time_is_up=after(3))
        assert said.rebuilding
    before = content_of(pipeline.warehouse)
    with pytest.raises(ConfigurationError, match=r"newer totes.*dim_design\.made"):
        pipeline.load()
    assert content_of(pipeline.warehouse) == before
    with session(pipeline.warehouse) as connection:
        assert load(connection, pipeline.processed, WITH_A_COLUMN).newest == 2


def test_a_replay_that_a_newer_totes_has_begun_waits_for_it_and_an_older_one_makes_one_if_it_is_asked(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    newer = changed("dim_design", lambda columns: (*columns, text("made", of="file_name", nullable=True)))

    def tick(tables: Sequence[StarTable], first: int | None = None) -> Loaded:
        transform(pipeline.ingestion, pipeline.processed, tables)
        replay(pipeline.ingestion, pipeline.processed, tables, first=first)
        with session(pipeline.warehouse) as connection:
            return load(connection, pipeline.processed, tables, code=fingerprint(tables))

    filled = "SELECT count(*) = count(made) FROM dim_design"
    pipeline.capture()
    tick(newer)
    replay(pipeline.ingestion, pipeline.processed, newer, first=1, time_is_up=lambda: True)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"newer totes.*dim_design\.made"):
            tick(STAR_TABLES)
    assert "edition 2, which is to have dim_design.made, waits for the totes that has begun it" in caplog.text
    for tables, unknown in ((STAR_TABLES, ["dim_design.made"]), (newer, [])):
        replaying = how_far(pipeline.ingestion, pipeline.processed, tables)
        assert replaying is not None
        assert list(replaying.unknown) == unknown
    assert value(pipeline.warehouse, filled)
    tick(newer)
    assert StarJournal(pipeline.processed).unfinished() is None
    assert value(pipeline.warehouse, filled)
    tick(STAR_TABLES, first=1)
    assert not rows(pipeline.warehouse, "SELECT FROM information_schema.columns WHERE column_name = 'made'")


@pytest.mark.parametrize("name", ["dim_location", "fact_payment"])
@pytest.mark.begun
def test_a_star_table_that_was_dropped_comes_back_with_its_rows(pipeline: Pipeline, name: str) -> None:
    live(pipeline, seed=3, ticks=2)
    before = content_of(pipeline.warehouse)
    execute(pipeline.warehouse, f"DROP TABLE {name} CASCADE")
    with (
        session(pipeline.source) as source,
        session(pipeline.warehouse) as warehouse,
        pytest.raises(ConfigurationError, match=f"the warehouse lacks {name}"),
    ):
        verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
    while pipeline.load().rebuilding:
        pass
    assert content_of(pipeline.warehouse) == before
    assert pipeline.load().batches.count == 0


@pytest.mark.begun
def test_a_star_column_that_was_dropped_comes_back_with_its_content(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    live(pipeline, seed=3, ticks=2)
    reported = "SELECT * FROM report.order_to_payment_days ORDER BY 1"
    before, report = content_of(pipeline.warehouse), rows(pipeline.warehouse, reported)
    execute(
        pipeline.warehouse,
        "ALTER TABLE dim_transaction DROP COLUMN sales_order_id CASCADE;"
        "ALTER TABLE dim_location DROP COLUMN address_line_2 CASCADE",
    )
    said = r"dim_location\.address_line_2, dim_transaction\.sales_order_id"
    with (
        session(pipeline.source) as source,
        session(pipeline.warehouse) as warehouse,
        pytest.raises(ConfigurationError, match=f"the warehouse lacks {said}, which was lost, or .*; the next run"),
    ):
        verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
    found = fitness(lambda: session(pipeline.source), lambda: session(pipeline.warehouse), SOURCE_TABLES, STAR_TABLES)
    assert re.search(f"{said} was dropped; the next run makes all of it again", str([*found]))
    while pipeline.load().rebuilding:
        pass
    assert re.search(f"{said} was dropped; the warehouse is rebuilt", caplog.text)
    assert content_of(pipeline.warehouse) == before
    assert rows(pipeline.warehouse, reported) == report
    assert pipeline.load().batches.count == 0


@pytest.mark.begun
def test_a_column_that_is_new_in_the_star_is_added_without_a_rebuild(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    with session(pipeline.warehouse) as connection:
        assert load(connection, pipeline.processed, WITH_A_COLUMN).batches.count == 0
    assert value(pipeline.warehouse, "SELECT count(*) FROM dim_design WHERE made IS NULL") > 0
    assert "rebuil" not in caplog.text


def test_an_older_totes_says_that_a_newer_one_was_here_and_writes_nothing(pipeline: Pipeline) -> None:
    pipeline.capture()
    pipeline.transform()
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, WITH_A_COLUMN)
    before = content_of(pipeline.warehouse)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    with pytest.raises(ConfigurationError, match=r"newer totes.*dim_design\.made"):
        pipeline.tick()
    assert content_of(pipeline.warehouse) == before
    with session(pipeline.warehouse) as connection:
        said = load(connection, pipeline.processed, STAR_TABLES, rebuild=True, time_is_up=lambda: True)
    assert said.rebuilding, "the next runs go on with what one was asked for"
    while (said := step_of_load(pipeline)).rebuilding:
        pass
    assert said.batches.count == 2


def test_a_warehouse_that_cannot_hold_every_text_is_refused_at_its_first_load(pipeline: Pipeline) -> None:
    admin = psycopg2.connect(pipeline.warehouse)
    admin.autocommit = True
    name = f"latin_{pipeline.warehouse.rpartition('/')[2]}"
    admin.cursor().execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    admin.close()
    pipeline.capture()
    pipeline.transform()
    with pytest.raises(ConfigurationError, match=f"{name} has the encoding LATIN1"):
        dataclasses.replace(pipeline, warehouse=pipeline.warehouse.rpartition("/")[0] + f"/{name}").load()


@pytest.mark.begun
def test_rows_that_the_warehouse_refuses_are_in_quarantine_and_stop_none_of_the_others(
    pipeline: Pipeline, another_database: str
) -> None:
    first = StarManifest.from_json(StarJournal(pipeline.processed).read(1))
    [part] = first.tables["fact_payment"].parts
    held = read_part(pipeline.processed, part)
    changed_ = held[:4].with_columns(paid=~held[:4]["paid"], currency_id=held[:4]["currency_id"].cast(int))
    beyond = changed_[:1].with_columns(currency_id=changed_[:1]["currency_id"] + 2**40)
    twice = changed_[2:3].with_columns(paid=~changed_[2:3]["paid"])
    frame = beyond.vstack(changed_[1:]).vstack(twice)
    parts = StarParts(rows_in=5, parts=(write_part(pipeline.processed, "batches/2/refused", frame),))
    second = dataclasses.replace(first, batch=2, parent=first.capture, capture="0" * 64, tables={"fact_payment": parts})
    StarJournal(pipeline.processed).commit(2, second.to_json())
    counts = pipeline.load().tables["fact_payment"]
    assert (counts.versions, counts.quarantined, counts.unchanged) == (3, 2, 0)
    reasons = rows(pipeline.warehouse, "SELECT reason FROM etl.quarantine WHERE batch_id = 2 ORDER BY key")
    assert "refuses it (22003)" in reasons[0][0]
    assert "comes twice" in reasons[1][0]
    before = content_of(pipeline.warehouse)
    dataclasses.replace(pipeline, warehouse=another_database).load()
    assert content_of(another_database) == before
