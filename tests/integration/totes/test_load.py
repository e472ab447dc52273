"""Each batch is in the warehouse once or not yet, whatever dies, is repeated or overlaps."""

import threading
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor
from psycopg2.sql import Composable

from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import EXPECTED, assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError
from totes.outcomes import Span
from totes.star import STAR_TABLES
from totes.warehouse import load

CONTENT = [f"SELECT * FROM {table}" for table in (*EXPECTED, "dim_date")] + [
    "SELECT batch_id, capture_sha256, horizon, captured_at FROM etl.batch",
    "SELECT * FROM etl.batch_table",
    "SELECT * FROM etl.quarantine",
]


def content(warehouse: str) -> list[list[tuple[object, ...]]]:
    """All that a warehouse holds but for when it was loaded and which serial numbers its versions drew."""
    return [sorted((_without_serial(query, row) for row in rows(warehouse, query)), key=repr) for query in CONTENT]


def _without_serial(query: str, row: tuple[object, ...]) -> tuple[object, ...]:
    return row[1:] if "fact_" in query else row


def edited_twice(pipeline: Pipeline) -> None:
    """Three batches: the shop, edits of every kind, and edits of edits with a row for quarantine."""
    pipeline.capture()
    execute(
        pipeline.source,
        "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % 3 = 0;"
        "UPDATE payment SET paid = NOT paid WHERE payment_id % 5 = 0;"
        "UPDATE department SET location = 'Hull' WHERE department_id < 4;"
        "UPDATE address SET phone = '1' WHERE address_id < 9",
    )
    pipeline.capture()
    execute(
        pipeline.source,
        "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % 6 = 0;"
        "UPDATE purchase_order SET agreed_delivery_date = 'TBC' WHERE purchase_order_id = 2",
    )
    pipeline.capture()
    pipeline.transform()


def test_a_batch_loaded_twice_is_loaded_once(pipeline: Pipeline) -> None:
    edited_twice(pipeline)
    assert pipeline.load().batches == Span(first=1, last=3, count=3)
    before = content(pipeline.warehouse)
    assert pipeline.load().batches.count == 0
    assert content(pipeline.warehouse) == before


def test_what_waits_is_loaded_in_order_and_the_ledger_accounts_for_every_row(pipeline: Pipeline) -> None:
    edited_twice(pipeline)
    loaded = pipeline.load()
    assert loaded.newest == 3
    ledger = rows(
        pipeline.warehouse,
        "SELECT star_table, sum(rows_in)::int, sum(versions)::int, sum(unchanged)::int, sum(quarantined)::int "
        "FROM etl.batch_table GROUP BY star_table",
    )
    assert {row[0]: row[1:] for row in ledger} == {
        name: (counts.rows_in, counts.versions, counts.unchanged, counts.quarantined)
        for name, counts in loaded.tables.items()
    }
    assert loaded.tables["fact_purchase_order"].quarantined == 1
    assert (
        value(pipeline.warehouse, "SELECT count(*) FROM fact_sales_order") == loaded.tables["fact_sales_order"].versions
    )


def test_loaders_at_once_load_each_batch_once(pipeline: Pipeline, another_database: str) -> None:
    edited_twice(pipeline)
    undisturbed = Pipeline(
        source=pipeline.source,
        warehouse=another_database,
        ingestion=pipeline.ingestion,
        processed=pipeline.processed,
    )
    undisturbed.load()
    threads = [threading.Thread(target=pipeline.load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(pipeline.warehouse, "SELECT batch_id FROM etl.batch ORDER BY 1") == [(1,), (2,), (3,)]
    assert content(pipeline.warehouse) == content(undisturbed.warehouse)


def _seen_by_a_reader(warehouse: str) -> tuple[list[tuple[int]], list[tuple[int]]]:
    if not value(warehouse, "SELECT to_regclass('etl.batch') IS NOT NULL"):
        return [], []
    ledger = rows(warehouse, "SELECT batch_id FROM etl.batch ORDER BY 1")
    facts = rows(warehouse, "SELECT DISTINCT batch_id FROM fact_sales_order ORDER BY 1")
    return ledger, facts


@pytest.mark.begun
def test_a_reader_sees_a_batch_whole_or_not_at_all(pipeline: Pipeline) -> None:
    """While a loader is at its last statement, everybody else still sees the state before the batch."""
    edited_twice(pipeline)
    seen: list[tuple[list[tuple[int]], list[tuple[int]]]] = []

    class Watched(Cursor):
        def execute(self, query: Any, *arguments: Any) -> None:
            super().execute(query, *arguments)
            said = query.as_string(self) if isinstance(query, Composable) else str(query)
            if "batch_table" in said and "INSERT" in said:
                seen.append(_seen_by_a_reader(pipeline.warehouse))

    connection = psycopg2.connect(pipeline.warehouse, cursor_factory=Watched)
    load(connection, pipeline.processed, STAR_TABLES)
    connection.close()
    assert all(ledger[: len(facts)] == facts for ledger, facts in seen)
    assert ([(1,)], [(1,)]) in seen
    assert_warehouse_has(pipeline, batches=3)


def assert_warehouse_has(pipeline: Pipeline, batches: int) -> None:
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.batch") == batches


@pytest.mark.begun
def test_the_warehouse_itself_refuses_a_second_version_of_one_batch(pipeline: Pipeline) -> None:
    columns = "sales_order_id, created_date, created_time, last_updated_date, last_updated_time, sales_staff_id, \
        counterparty_id, units_sold, unit_price, currency_id, design_id, agreed_payment_date, agreed_delivery_date, \
        agreed_delivery_location_id, batch_id"
    with pytest.raises(psycopg2.errors.UniqueViolation):
        execute(
            pipeline.warehouse,
            f"INSERT INTO fact_sales_order ({columns}) SELECT {columns} FROM fact_sales_order LIMIT 1",
        )


@pytest.mark.begun
def test_a_warehouse_of_another_lake_is_refused(pipeline: Pipeline, store: MemoryStore) -> None:
    other = Pipeline(
        source=pipeline.source,
        warehouse=pipeline.warehouse,
        ingestion=store.bucket("other-ingestion"),
        processed=store.bucket("other-processed"),
    )
    with pytest.raises(ConfigurationError, match="filled from another lake"):
        other.tick()


def test_a_lake_that_is_younger_than_the_warehouse_is_refused(pipeline: Pipeline) -> None:
    edited_twice(pipeline)
    pipeline.load()
    for name in (pipeline.ingestion, pipeline.processed):
        for key in list(pipeline.objects()):
            name.client.delete_object(Bucket=name.name, Key=key.partition("/")[2])
    with pytest.raises(ConfigurationError, match="filled from another lake"):
        pipeline.tick()


def test_a_table_that_totes_did_not_make_is_left_alone(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE TABLE dim_staff (mine text)")
    with pytest.raises(ConfigurationError, match="dim_staff that totes did not make"):
        pipeline.tick()
    assert rows(pipeline.warehouse, "SELECT * FROM dim_staff") == []


def test_a_warehouse_put_back_to_an_earlier_day_catches_up_from_the_lake(pipeline: Pipeline) -> None:
    edited_twice(pipeline)
    pipeline.load()
    before = content(pipeline.warehouse)
    execute(pipeline.warehouse, "DROP SCHEMA public CASCADE; DROP SCHEMA etl CASCADE; CREATE SCHEMA public")
    assert pipeline.tick().batches == Span(first=1, last=3, count=3)
    assert content(pipeline.warehouse) == before


@pytest.mark.begun
def test_history_and_the_current_state_are_one_plain_query_each(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
    pipeline.tick()
    history = rows(pipeline.warehouse, "SELECT paid, batch_id FROM fact_payment WHERE payment_id = 4 ORDER BY batch_id")
    [current] = rows(pipeline.warehouse, "SELECT paid, batch_id FROM current_payment WHERE payment_id = 4")
    assert [batch for _, batch in history] == [1, 2]
    assert current == history[-1]
    assert history[0][0] is not history[1][0]


@pytest.mark.begun
def test_only_what_changed_becomes_a_version(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET company_ac_number = 1 WHERE payment_id = 4")
    counts = pipeline.tick().tables["fact_payment"]
    assert (counts.rows_in, counts.versions, counts.unchanged) == (1, 0, 1)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_loader_that_is_refused_leaves_no_transaction_behind(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE TABLE dim_staff (mine text)")
    with session(pipeline.warehouse) as connection:
        pipeline.capture()
        pipeline.transform()
        with pytest.raises(ConfigurationError):
            load(connection, pipeline.processed, STAR_TABLES)
        execute(pipeline.warehouse, "DROP TABLE dim_staff")
        assert load(connection, pipeline.processed, STAR_TABLES).batches == Span(first=1, last=1, count=1)


def test_the_star_is_never_written_into_a_source(pipeline: Pipeline) -> None:
    misled = replace(pipeline, warehouse=pipeline.source)
    tables = rows(pipeline.source, "SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2")
    misled.capture()
    misled.transform()
    with pytest.raises(ConfigurationError, match="the warehouse is a source: it has the tables that totes reads"):
        misled.load()
    assert rows(pipeline.source, "SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2") == tables
