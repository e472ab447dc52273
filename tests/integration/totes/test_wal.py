"""Transaction ids mean what they meant: after a crash in place, after thousands of millions of them."""

import contextlib
import dataclasses
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import crash_in_place, jump_to_transaction, run_alone, shop_server
from totes.capture import SOURCE_TABLES, capture, changes
from totes.capture.rows import streaming
from totes.capture.source import durability
from totes.errors import SourceUnavailable
from totes.lake import Bucket, CaptureManifest, Journal

_numbers = itertools.count(1)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own, with a shop."""
    with shop_server(folder / f"server-{next(_numbers)}", orders=60) as server:
        yield server


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


@contextlib.contextmanager
def stalled_log_writer(uri: str) -> Iterator[None]:
    """A WAL writer that stands still, as on a disk that does; the server's crash ends it too."""
    pid = value(uri, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def lose_nothing_but_wait(shop: Pipeline, orders: int) -> None:
    """Write asynchronously while the log's writer stands still, and let a tick find it; then the server crashes."""
    with stalled_log_writer(shop.source):
        run_alone(
            shop.source,
            "SET synchronous_commit = off",
            *(
                f"UPDATE sales_order SET units_sold = 555 WHERE sales_order_id <= {last}"
                for last in range(1, orders + 1)
            ),
        )
        with pytest.raises(SourceUnavailable, match=r"has not flushed its log up to .+ look at"):
            shop.capture()
        crash_in_place(shop.source)


@pytest.mark.parametrize("orders", [1, 20], ids=["half a page", "pages"])
def test_a_batch_is_not_committed_while_the_sources_disk_stands_still(
    shop: Pipeline, orders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "_PATIENCE_SECONDS", 3.0)
    run_alone(
        shop.source,
        "ALTER SYSTEM SET bgwriter_delay = '10s'",
        "ALTER SYSTEM SET autovacuum = off",
        "SELECT pg_reload_conf()",
    )
    shop.tick()
    # The pages' images of after a checkpoint, so that a write is short; and all is flushed up to here.
    run_alone(
        shop.source, "CHECKPOINT", "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id <= 20"
    )
    shop.tick()
    lose_nothing_but_wait(shop, orders)
    assert value(shop.source, "SELECT count(*) FROM sales_order WHERE units_sold = 555") == 0
    for order in range(21, 51):
        execute(shop.source, "UPDATE sales_order SET unit_price = 4242 WHERE sales_order_id = %s", [order])
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)


@contextlib.contextmanager
def half_a_page_left_open(shop: Pipeline) -> Iterator[None]:
    """A change, and behind it in the log the half page of a transaction that stays open."""
    with session(shop.source) as writing, writing.cursor() as cursor:
        cursor.execute("UPDATE design SET file_name = 'open' WHERE design_id = 1")
        execute(shop.source, "UPDATE staff SET first_name = first_name || '!' WHERE staff_id = 1")
        cursor.execute("UPDATE design SET file_name = 'open' WHERE design_id = 2")
        yield


def test_an_open_transactions_half_page_does_not_hold_a_batch_back_and_is_flushed(shop: Pipeline) -> None:
    shop.capture()
    with half_a_page_left_open(shop):
        assert shop.capture().batch == 2
        position = CaptureManifest.from_json(Journal(shop.ingestion).read(2)).position
        assert value(shop.source, "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", [position])


def test_a_role_that_may_not_take_a_transaction_id_waits_for_whatever_comes_next_in_the_log(
    shop: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.capture()
    execute(
        shop.source,
        "CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; "
        "REVOKE EXECUTE ON FUNCTION pg_current_xact_id() FROM PUBLIC",
    )
    asked, ask = [], durability._value

    def ask_and_let_somebody_write(connection: Connection, query: str, *values: str) -> Any:
        try:
            return ask(connection, query, *values)
        except psycopg2.errors.InsufficientPrivilege:
            asked.append(query)
            execute(shop.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
            raise

    monkeypatch.setattr(durability, "_value", ask_and_let_somebody_write)
    with (
        stalled_log_writer(shop.source),  # nor does PostgreSQL itself log what moves the flush on, as it does at times
        half_a_page_left_open(shop),
        contextlib.closing(psycopg2.connect(shop.source, user="reader", password="r")) as connection,
    ):
        assert capture(connection, shop.ingestion, SOURCE_TABLES).batch == 2
    assert len(asked) == 1


def test_an_idle_tick_waits_for_no_disk(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.capture()
    monkeypatch.setattr(durability, "_is_flushed", lambda *_: pytest.fail("asked"))
    assert shop.capture().batch is None


def test_a_role_that_may_not_ask_for_positions_waits_its_time(shop: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    run_alone(shop.source, "ALTER SYSTEM SET wal_writer_delay = '10s'", "SELECT pg_reload_conf()")
    waits: list[float] = []
    monkeypatch.setattr(durability, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits.append))
    functions = ("pg_current_wal_insert_lsn()", "pg_current_wal_flush_lsn()", "pg_last_wal_replay_lsn()")
    execute(
        shop.source,
        "CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
        + "".join(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;" for function in functions),
    )
    with contextlib.closing(psycopg2.connect(shop.source, user="reader", password="r")) as connection:
        began = time.monotonic()
        assert capture(connection, shop.ingestion, SOURCE_TABLES).batch == 1
        took = time.monotonic() - began
    [waited] = waits
    assert 30 - took <= waited <= 30, "three times wal_writer_delay, from when the snapshot was taken"
    assert shop.capture().batch is None


@pytest.mark.parametrize("state", ["55000", "0A000"])
def test_a_server_that_tells_no_positions_is_captured_as_by_a_role_that_may_not_ask(shop: Pipeline, state: str) -> None:
    """Aurora's functions are there, anybody may call them, and they refuse."""
    execute(
        shop.source,
        "SET allow_system_table_mods = on; "
        + "".join(
            f"CREATE OR REPLACE FUNCTION pg_catalog.{function}() RETURNS pg_lsn LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE 'wal_level must be set to logical' USING ERRCODE = '{state}'; END $$; "
            for function in ("pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn", "pg_current_wal_lsn")
        ),
    )
    shop.tick()
    execute(shop.source, "UPDATE payment SET paid = NOT paid")
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)


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

        streaming.stream_rows(snapshot, table, columns, condition, count)

    monkeypatch.setattr(changes, "stream_rows", counting)
    assert shop.tick().tables["dim_design"].versions == 1
    assert sum(read) == 1
    assert_warehouse_mirrors(shop.source, shop.warehouse)
