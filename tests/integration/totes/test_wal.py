"""Transaction ids mean what they meant: after a crash in place, after thousands of millions of them."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg2
import pytest

from tests.support.databases import execute, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import crash_in_place, jump_to_transaction, run_alone
from totes.capture import SOURCE_TABLES, capture, changes, durability, reader
from totes.lake import Bucket
from workbench.cloud.postgres import EmbeddedPostgres
from workbench.simulator import build

_numbers = itertools.count(1)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own, with a shop."""
    server = EmbeddedPostgres(folder / f"server-{next(_numbers)}")
    server.start()
    server.create_database("shop")
    build(server.uri("shop"), orders=60, seed=1)
    yield server
    server.stop()


@pytest.fixture
def shop(server: EmbeddedPostgres, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    return Pipeline(source=server.uri("shop"), warehouse=empty_database, ingestion=lake[0], processed=lake[1])


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_ids_that_a_crash_in_place_gives_out_again_lose_nothing(shop: Pipeline, end: str) -> None:
    run_alone(
        shop.source,
        "ALTER SYSTEM SET wal_writer_delay = '2s'",
        "ALTER SYSTEM SET bgwriter_delay = '10s'",
        "SELECT pg_reload_conf()",
    )
    shop.tick()
    run_alone(shop.source, "CHECKPOINT", "UPDATE design SET file_name = file_name || '!' WHERE design_id = 2")
    started = value(shop.source, "SELECT pg_postmaster_start_time()")
    run_alone(
        shop.source,
        "SET synchronous_commit = off",
        *(
            statement
            for order in range(1, 21)
            for statement in (
                "BEGIN",
                f"UPDATE sales_order SET units_sold = 555 WHERE sales_order_id = {order}",
                end,
            )
        ),
    )
    shop.tick()
    crash_in_place(shop.source)
    assert value(shop.source, "SELECT pg_postmaster_start_time()") == started
    for order in range(21, 51):
        execute(shop.source, "UPDATE sales_order SET unit_price = 4242 WHERE sales_order_id = %s", [order])
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)


def test_an_open_transactions_half_page_does_not_hold_a_batch_back(shop: Pipeline) -> None:
    shop.capture()
    with session(shop.source) as writing, writing.cursor() as cursor:
        cursor.execute("UPDATE design SET file_name = 'open' WHERE design_id = 1")
        execute(shop.source, "UPDATE staff SET first_name = 'Ada' WHERE staff_id = 1")
        cursor.execute("UPDATE design SET file_name = 'open' WHERE design_id = 2")
        assert shop.capture().batch == 2


def test_an_idle_tick_waits_for_no_disk(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.capture()
    monkeypatch.setattr(durability, "_is_flushed", lambda *_: pytest.fail("asked"))
    assert shop.capture().batch is None


def test_a_role_that_may_not_ask_for_positions_waits_its_time(shop: Pipeline) -> None:
    functions = ("pg_current_wal_insert_lsn()", "pg_current_wal_flush_lsn()", "pg_last_wal_replay_lsn()")
    execute(
        shop.source,
        "CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
        + "".join(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;" for function in functions),
    )
    with contextlib.closing(psycopg2.connect(shop.source, user="reader", password="r")) as connection:
        assert capture(connection, shop.ingestion, SOURCE_TABLES).batch == 1
    assert shop.capture().batch is None


def test_after_more_transactions_than_ids_compare_only_what_is_new_is_read(
    server: EmbeddedPostgres, shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tick()
    for number in (1_200_000_000, 2_400_000_000):
        jump_to_transaction(server, number)
        shop = dataclasses.replace(shop, source=server.uri("shop"))
        shop.tick()
    assert value(shop.source, "SELECT max(age(xmin)) FROM sales_order") < 0
    execute(shop.source, "UPDATE design SET file_name = file_name || '.' WHERE design_id = 1")
    read = []

    def counting(snapshot, table, columns, condition, consume):  # type: ignore[no-untyped-def]
        def count(frame: pl.DataFrame) -> None:
            read.append(frame.height)
            consume(frame)

        reader.stream_rows(snapshot, table, columns, condition, count)

    monkeypatch.setattr(changes, "stream_rows", counting)
    assert shop.tick().tables["dim_design"].versions == 1
    assert sum(read) == 1
    assert_warehouse_mirrors(shop.source, shop.warehouse)
