"""A rebuild for which the server has no room fails one run by name, gives back what it took, and stops no batch."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.integration.totes.test_own_tables import LEFT
from tests.integration.totes.test_rebuild import after, rebuilt
from tests.support.content import content_of
from tests.support.databases import QUICK, execute, own_session, rows, session, value
from tests.support.full_disk import leave_no_room, resize, small_disk
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone, wait_for_recovery
from tests.support.versions import server_in
from totes import databases
from totes.answers.fitness import fitness
from totes.capture import SOURCE_TABLES
from totes.errors import ConfigurationError
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes.warehouse import batch, load
from totes.warehouse.rebuild import room, steps
from totes.warehouse.rebuild.setbacks import CrashedAgain, note_crash, note_given_up

FACT = "etl.fact_sales_order"
STAGED = "etl.staged_fact_sales_order"
ASK_AGAIN = r"it needs .* or more beside the .* of the database.*; make room, then ask for the rebuild again"


def edit(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")


def begin(pipeline: Pipeline) -> None:
    """Begin the rebuild that is wanted, and do nothing of it."""
    with own_session(pipeline.warehouse, "warehouse") as connection:
        assert load(connection, pipeline.processed, STAR_TABLES, time_is_up=after(1)).rebuilding
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.rebuild") == 1


def assert_given_up(pipeline: Pipeline) -> None:
    """It is not wanted any more, and nothing is left of it."""
    assert rows(pipeline.warehouse, LEFT) == []
    assert value(pipeline.warehouse, "SELECT rebuild FROM etl.content") is False


def assert_ticks_load(pipeline: Pipeline) -> None:
    for _ in range(2):
        edit(pipeline)
        loaded = pipeline.tick()
        assert loaded.batches.count == 1
        assert loaded.rebuilding is None
    assert rows(pipeline.warehouse, LEFT) == []


@pytest.fixture
def versions(pipeline: Pipeline) -> Pipeline:
    """A warehouse of two batches."""
    edit(pipeline)
    pipeline.tick()
    return pipeline


@pytest.mark.parametrize("table", [STAGED, FACT])
@pytest.mark.begun
def test_a_rebuild_that_finds_the_disk_full_fails_one_run_by_name_and_is_made_when_there_is_room(
    postgres: EmbeddedPostgres, versions: Pipeline, table: str
) -> None:
    execute(versions.warehouse, "UPDATE etl.content SET rebuild = true")
    begin(versions)
    leave_no_room(postgres, versions.warehouse, table)
    with pytest.raises(ConfigurationError, match=rf"no room: .*No space left on device.*{ASK_AGAIN}") as refused:
        versions.load()
    assert "by itself" not in str(refused.value)
    assert_given_up(versions)
    assert_ticks_load(versions)
    assert_warehouse_mirrors(versions.source, versions.warehouse)
    before = content_of(versions.warehouse)
    assert rebuilt(versions).rebuilding is None
    assert content_of(versions.warehouse) == before
    assert value(versions.warehouse, "SELECT count(*) FROM etl.setback") == 0


@pytest.mark.begun
def test_a_rebuild_that_comes_to_the_limit_of_temporary_files_is_given_up_too(
    versions: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(versions.warehouse, "UPDATE etl.content SET rebuild = true")
    begin(versions)
    monkeypatch.setattr(steps, "_MEMORY", {"work_mem": "64kB"})  # else so few rows need no file
    name = sql.Identifier(versions.warehouse.rpartition("/")[2])
    run_alone(versions.warehouse, sql.SQL("ALTER DATABASE {} SET temp_file_limit = 0").format(name))
    with pytest.raises(ConfigurationError, match=rf"no room: .*temp_file_limit.*{ASK_AGAIN}"):
        versions.load()
    assert_given_up(versions)
    assert_ticks_load(versions)


def test_the_room_that_is_tried_for_a_table_counts_its_long_texts(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL keeps them beside the rows, in a file of their own."""
    monkeypatch.setattr(room, "dry_run", nullcontext)  # so that what was written can be looked at
    with session(empty_database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA etl; CREATE UNLOGGED TABLE etl.staged_dim_design (file_name text)")
        long = "SELECT string_agg(md5(number::text), '') FROM generate_series(1, 20000) AS number"
        cursor.execute(f"INSERT INTO etl.staged_dim_design SELECT ({long}) FROM generate_series(1, 10)")
        room.must_have_room(cursor, sql.Identifier("etl", "staged_dim_design"))
        cursor.execute("SELECT pg_relation_size('pg_temp.room'), pg_table_size('etl.staged_dim_design')")
        [[tried, staged]] = cursor.fetchall()
    assert tried >= 4 * staged


@pytest.mark.parametrize("is_asked", [True, False])
@pytest.mark.begun
def test_one_that_the_warehouse_needs_begins_by_itself_a_day_later_or_at_once_if_a_person_asks(
    postgres: EmbeddedPostgres, versions: Pipeline, *, is_asked: bool
) -> None:
    before = content_of(versions.warehouse)
    execute(versions.warehouse, "DROP TABLE dim_design CASCADE")
    begin(versions)
    leave_no_room(postgres, versions.warehouse, FACT)
    with pytest.raises(ConfigurationError, match=rf"{ASK_AGAIN}.*the warehouse needs it, so in a day it begins by it"):
        versions.load()
    assert_given_up(versions)
    assert versions.load().rebuilding is None
    assert value(versions.warehouse, "SELECT count(*) FROM dim_design") == 0
    found = fitness(lambda: session(versions.source), lambda: session(versions.warehouse), SOURCE_TABLES, STAR_TABLES)
    [said] = [finding.sentence for finding in found if finding.subject == "warehouse"]
    assert "; no rebuild begins by itself until 20" in said
    assert "the server has no room" in said
    if is_asked:
        rebuilt(versions)
    else:
        execute(versions.warehouse, "UPDATE etl.setback SET at = at - '1 day'::interval")
        versions.load()
    assert content_of(versions.warehouse) == before
    assert_ticks_load(versions)


@pytest.mark.begun
def test_a_large_batch_is_loaded_in_one_transaction_while_its_rebuild_has_no_room(
    postgres: EmbeddedPostgres, versions: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LARGE_ROWS", 20)
    execute(versions.source, "UPDATE payment SET paid = NOT paid")
    versions.capture()
    versions.transform()
    begin(versions)
    leave_no_room(postgres, versions.warehouse, FACT)
    with pytest.raises(ConfigurationError, match=ASK_AGAIN):
        versions.load()
    loaded = versions.load()
    assert (loaded.newest, loaded.batches.count) == (3, 1), "a rebuild would have brought all three"
    assert_warehouse_mirrors(versions.source, versions.warehouse)


def test_a_first_load_without_room_says_so_in_every_run_and_takes_no_room_until_it_is_asked_for(
    postgres: EmbeddedPostgres, pipeline: Pipeline
) -> None:
    pipeline.capture()
    pipeline.transform()
    begin(pipeline)
    leave_no_room(postgres, pipeline.warehouse, FACT)
    for _ in range(3):
        with pytest.raises(ConfigurationError, match=rf"No space left on device.*{ASK_AGAIN}"):
            pipeline.load()
        assert_given_up(pipeline)
    rebuilt(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_batch_that_finds_the_disk_full_makes_the_rebuild_give_way(
    postgres: EmbeddedPostgres, versions: Pipeline
) -> None:
    """What a rebuild has built so far may be what fills the disk."""
    execute(versions.warehouse, "UPDATE etl.content SET rebuild = true; CREATE TABLE filled (batch_id integer)")
    begin(versions)
    leave_no_room(postgres, versions.warehouse, "filled")
    execute(
        versions.warehouse,
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO public.filled VALUES (NEW.batch_id); RETURN NULL; END $$;"
        "CREATE TRIGGER fill AFTER INSERT ON etl.batch FOR EACH ROW EXECUTE FUNCTION fill()",
    )
    edit(versions)
    with pytest.raises(ConfigurationError, match=ASK_AGAIN):
        versions.tick()
    assert_given_up(versions)
    with pytest.raises(psycopg2.errors.DiskFull):
        versions.load()
    execute(versions.warehouse, "DROP FUNCTION fill CASCADE; DROP TABLE filled")
    assert versions.load().batches.count == 1


@pytest.fixture
def fragile(folder: Path, source: str, lake: tuple[Bucket, Bucket]) -> Iterator[Pipeline]:
    """A warehouse on a server that may crash; others have another one."""
    server = server_in(folder / "server", settings=QUICK)
    server.start()
    try:
        server.create_database("warehouse")
        ingestion, processed = lake
        yield Pipeline(source=source, warehouse=server.uri("warehouse"), ingestion=ingestion, processed=processed)
    finally:
        server.stop()


def crash(pipeline: Pipeline, steps: int) -> None:
    """Load, and let the server crash after so many steps, as it does where its log finds no room."""
    left = iter(range(steps - 1))
    with own_session(pipeline.warehouse, "warehouse") as connection:
        backend = connection.info.backend_pid

        def time_is_up() -> bool:
            if next(left, None) is None:
                os.kill(backend, signal.SIGKILL)
            return False

        with pytest.raises((psycopg2.OperationalError, psycopg2.InterfaceError)):
            load(connection, pipeline.processed, STAR_TABLES, time_is_up=time_is_up)
    wait_for_recovery(pipeline.warehouse, backend)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.rebuild") == 0


def test_a_rebuild_in_which_the_server_crashes_is_begun_again_once_and_then_given_up(fragile: Pipeline) -> None:
    fragile.tick()
    edit(fragile)
    fragile.tick()
    execute(fragile.warehouse, "UPDATE etl.content SET rebuild = true")
    crash(fragile, steps=1)
    crash(fragile, steps=2)
    with pytest.raises(ConfigurationError, match=rf"crashed in two rebuilds running.*{ASK_AGAIN}"):
        fragile.load()
    assert_given_up(fragile)
    assert_ticks_load(fragile)
    assert_warehouse_mirrors(fragile.source, fragile.warehouse)
    assert rebuilt(fragile).rebuilding is None
    assert value(fragile.warehouse, "SELECT count(*) FROM etl.setback") == 0


@pytest.mark.begun
def test_a_crash_of_an_earlier_day_or_from_before_a_rebuild_was_given_up_is_no_second_one(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        note_crash(cursor)
        cursor.execute("UPDATE etl.setback SET at = at - '1 day'::interval")
        note_crash(cursor)
        with pytest.raises(CrashedAgain):
            note_crash(cursor)
        note_given_up(cursor, "the server has no room")
        note_crash(cursor)
        with pytest.raises(CrashedAgain):
            note_crash(cursor)


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    with small_disk(folder / "disk", 2**30) as disk:
        yield disk


@pytest.fixture
def on_small_disk(
    disk: Path, empty_database: str, lake: tuple[Bucket, Bucket]
) -> Iterator[tuple[Pipeline, Callable[[float], None]]]:
    """A warehouse of some megabytes, and what leaves so many times its size free on the server's disk."""
    build(empty_database, orders=20_000, seed=1)
    server = server_in(disk / "server", settings=QUICK)
    server.start()
    try:
        server.create_database("warehouse")
        ingestion, processed = lake
        pipeline = Pipeline(
            source=empty_database, warehouse=server.uri("warehouse"), ingestion=ingestion, processed=processed
        )
        pipeline.tick()
        edit(pipeline)
        pipeline.tick()
        run_alone(pipeline.warehouse, "VACUUM ANALYZE", "CHECKPOINT", "CHECKPOINT")
        live = value(pipeline.warehouse, "SELECT pg_database_size(current_database())")

        def leave(share: float) -> None:
            resize(disk, shutil.disk_usage(disk).used + int(share * live))

        yield pipeline, leave
        assert "PANIC" not in (disk / "server" / "log").read_text()
    finally:
        server.stop()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_disk_that_is_full_ends_a_rebuild_and_no_server(
    on_small_disk: tuple[Pipeline, Callable[[float], None]], disk: Path, share: float
) -> None:
    pipeline, leave = on_small_disk
    leave(share)
    free = shutil.disk_usage(disk).free
    with session(pipeline.warehouse) as reader:
        with pytest.raises(ConfigurationError, match=rf"No space left on device.*{ASK_AGAIN}"):
            rebuilt(pipeline)
        reader.cursor().execute("SELECT count(*) FROM fact_sales_order")
    assert shutil.disk_usage(disk).free > free * 0.9
    assert_ticks_load(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.fixture
def small_local_storage(
    postgres: EmbeddedPostgres, versions: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """A warehouse whose server keeps temporary tables on a disk that is too small for a star table, as Aurora does."""
    with small_disk(postgres._data.parent / "local", 2**17) as local:
        owner = postgres._data.stat()
        os.chown(local, owner.st_uid, owner.st_gid)
        run_alone(versions.warehouse, f"CREATE TABLESPACE local LOCATION '{local}'")
        monkeypatch.setitem(databases._SESSION, "temp_tablespaces", "local")
        try:
            yield versions
        finally:
            run_alone(versions.warehouse, "DROP TABLESPACE local")


@pytest.mark.begun
def test_a_rebuild_on_aurora_is_not_refused_for_want_of_the_instances_local_storage(
    small_local_storage: Pipeline,
) -> None:
    """Tables and log lie on the cluster's volume, which has no end, and temporary tables do not."""
    with pytest.raises(ConfigurationError, match=rf"No space left on device.*{ASK_AGAIN}"):
        rebuilt(small_local_storage)
    execute(
        small_local_storage.warehouse,
        "CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql RETURN '17.7.2'",
    )
    rebuilt(small_local_storage)
    assert_warehouse_mirrors(small_local_storage.source, small_local_storage.warehouse)
