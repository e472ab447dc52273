"""The shop comes first: where totes cannot have all its locks at once, it holds none while it waits."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from tests.support.databases import execute, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.waiting import until
from totes.capture import SOURCE_TABLES, changes
from totes.capture.rows import streaming
from totes.capture.source import locks, snapshot
from totes.capture.source.snapshot import snapshot_of
from totes.databases import open_session
from totes.errors import SourceUnavailable
from totes.star import STAR_TABLES
from totes.verify import pages, verify

_WAITS = "SELECT count(*) FROM pg_locks WHERE relation = 'transaction'::regclass AND NOT granted"


def captured(pipeline: Pipeline) -> None:
    pipeline.capture()


def verified(pipeline: Pipeline) -> None:
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)


@contextmanager
def waiting(pipeline: Pipeline, read: Callable[[Pipeline], None]) -> Iterator[Future[None]]:
    """A reading of the source that cannot have the lock of one table, which somebody else holds."""
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read, pipeline)
        until(lambda: bool(value(pipeline.source, _WAITS)))
        yield reading


@pytest.mark.begun
@pytest.mark.parametrize("read", [captured, verified])
def test_a_migration_that_locks_one_table_after_another_is_ended_by_no_deadlock(
    pipeline: Pipeline, read: Callable[[Pipeline], None]
) -> None:
    with session(pipeline.source) as migration, migration.cursor() as cursor:
        cursor.execute("ALTER TABLE transaction ADD COLUMN note text DEFAULT 'n'")
        with waiting(pipeline, read) as reading:
            cursor.execute("ALTER TABLE address ADD COLUMN note text DEFAULT 'n'")
            migration.commit()
            reading.result()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
@pytest.mark.parametrize("read", [captured, verified])
def test_while_one_table_is_locked_nobody_waits_for_another(
    pipeline: Pipeline, read: Callable[[Pipeline], None]
) -> None:
    with session(pipeline.source) as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLE transaction IN ACCESS EXCLUSIVE MODE")
        with waiting(pipeline, read) as reading:
            execute(pipeline.source, "SET lock_timeout = '900ms'; ALTER TABLE address ADD COLUMN note text")
            migration.rollback()
            reading.result()


@pytest.mark.begun
def test_what_is_changed_while_the_locks_are_waited_for_is_captured(pipeline: Pipeline) -> None:
    with session(pipeline.source) as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLE transaction IN ACCESS EXCLUSIVE MODE")
        with waiting(pipeline, captured) as reading:
            cursor.execute("CREATE TABLE kept AS TABLE payment; TRUNCATE payment; INSERT INTO payment TABLE kept")
            cursor.execute("UPDATE design SET file_name = 'meanwhile' WHERE design_id = 1")
            migration.commit()
            reading.result()
    pipeline.transform()
    pipeline.load()
    assert value(pipeline.warehouse, "SELECT file_name FROM dim_design WHERE design_id = 1") == "meanwhile"
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_only_the_locks_of_the_tables_are_waited_for_so_shortly(pipeline: Pipeline) -> None:
    """What comes later, such as an index that is built again, is waited for as long as the session says."""
    with (
        closing(open_session(parse_dsn(pipeline.source), "source")) as connection,
        snapshot_of(connection, SOURCE_TABLES),
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchall() == [("1min",)]


@pytest.mark.begun
@pytest.mark.parametrize(("read", "where"), [(captured, changes), (verified, pages)])
def test_who_reads_for_long_gives_way_to_a_migration_and_all_who_wait_behind_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, read: Callable[[Pipeline], None], where: ModuleType
) -> None:
    altered: list[Future[None]] = []

    def read_slowly(*arguments: Any) -> None:
        streaming.stream_rows(*arguments)
        if not altered:
            altered.append(thread.submit(execute, pipeline.source, "ALTER TABLE transaction ADD COLUMN note text"))
            until(lambda: bool(value(pipeline.source, _WAITS)))

    execute(pipeline.source, "UPDATE address SET phone = '1'; UPDATE transaction SET last_updated = now()")
    monkeypatch.setattr(snapshot, "_GIVES_WAY_AFTER_SECONDS", 0.0)
    with ThreadPoolExecutor(1) as thread, monkeypatch.context() as reading:
        reading.setattr(where, "stream_rows", read_slowly)
        with pytest.raises(SourceUnavailable, match=r"process \d+ of the source waits for table transaction, to"):
            read(pipeline)
        altered[0].result()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_short_tick_is_not_given_up_for_who_waits(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_WAITS", "SELECT 'never asked', 1")
    monkeypatch.setattr(snapshot, "_GIVES_WAY_AFTER_SECONDS", 3600.0)
    assert pipeline.capture().batch is None
