"""A standby can be the source: one that is named, and none that goes back behind what was captured."""

import dataclasses
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from psycopg2 import sql
from psycopg2.extensions import make_dsn, parse_dsn

from local_cloud import lifecycle
from local_cloud.folder import StateFolder
from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import execute, own_session, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import catch_up, run_alone, shop_server, standby_of
from tests.support.versions import server_in
from tests.support.waiting import until
from totes.answers import fitness
from totes.capture import SOURCE_TABLES
from totes.capture.source import standby, succession
from totes.database_errors import translated_errors
from totes.errors import ConfigurationError, ContractError, SourceUnavailable, UserError, WarehouseUnavailable
from totes.lake import Bucket, CaptureManifest, Journal
from totes.star import STAR_TABLES
from totes.verify import verify
from totes.warehouse import load


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[EmbeddedPostgres]:
    with shop_server(folder / "primary", orders=60) as server:
        yield server


@pytest.fixture
def shop(primary: EmbeddedPostgres, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    return Pipeline(source=primary.uri("shop"), warehouse=empty_database, ingestion=lake[0], processed=lake[1])


def edit(primary: EmbeddedPostgres, units: int) -> None:
    execute(primary.uri("shop"), "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 9", [units])


def as_ordinary(server: EmbeddedPostgres) -> str:
    """The URI of the shop for a role that may read its tables and no more."""
    uri: str = make_dsn(**{**parse_dsn(server.uri("shop")), "user": "ordinary", "password": "o"})
    return uri


@contextmanager
def cut_off(server: EmbeddedPostgres) -> Iterator[None]:
    """A standby that does not know its primary any more, for a while."""
    uri = server.uri("postgres")
    primary_conninfo = value(uri, "SHOW primary_conninfo")
    set_to(server, "primary_conninfo", "")
    until(lambda: not value(uri, "SELECT count(*) FROM pg_stat_wal_receiver"))
    try:
        yield
    finally:
        set_to(server, "primary_conninfo", primary_conninfo)
        until(lambda: bool(value(uri, "SELECT count(*) FROM pg_stat_wal_receiver")))


def set_to(server: EmbeddedPostgres, setting: str, text: str) -> None:
    statement = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), sql.Literal(text))
    run_alone(server.uri("postgres"), statement, "SELECT pg_reload_conf()")


def test_of_two_standbys_behind_one_name_none_goes_back_and_no_batch_alternates(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "first") as first, standby_of(primary, folder / "second") as second:
        one, two = (dataclasses.replace(shop, source=server.uri("shop")) for server in (first, second))
        for units in (11, 12):
            edit(primary, units)
            catch_up(first, primary)
            one.tick()
            assert_warehouse_mirrors(one.source, one.warehouse)
        assert one.capture().batch is None
        catch_up(second, primary)
        with cut_off(second):
            edit(primary, 13)
            catch_up(first, primary)
            one.tick()
            with pytest.raises(
                SourceUnavailable, match=r"a standby that has replayed up to .* wait until it has caught up"
            ):
                two.capture()
        assert one.capture().batch is None
        catch_up(second, primary)
        assert two.capture().batch == 4, "it may be the same name's new server"
        with pytest.raises(ConfigurationError, match=r"several servers answer to the name 127\.0\.0\.1"):
            one.capture()
        named = dataclasses.replace(one, source=one.source.replace("127.0.0.1", "localhost"))
        assert named.capture().batch == 5
        assert named.capture().batch is None
        named.transform()
        named.load()
        assert value(shop.warehouse, "SELECT count(*) FROM fact_sales_order WHERE sales_order_id = 9") == 3


def test_a_standby_that_is_behind_a_plan_of_pieces_does_not_go_on_with_it(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "behind a plan") as behind:
        on_standby = dataclasses.replace(shop, source=behind.uri("shop"))
        catch_up(behind, primary)
        with cut_off(behind):
            edit(primary, 14)
            planned = shop.capture(rows_in_one_function=100)
            assert planned.unread is not None
            with pytest.raises(SourceUnavailable, match="wait until it has caught up"):
                on_standby.capture(rows_in_one_function=100)
        assert shop.capture(rows_in_one_function=100).unread == planned.unread


@pytest.fixture
def copied(folder: Path) -> Iterator[tuple[EmbeddedPostgres, EmbeddedPostgres]]:
    """A server with a shop, and one that was restored from a copy of its disk."""
    own = Path(tempfile.mkdtemp(dir=folder))
    with shop_server(own / "copied", orders=20) as server:
        server.stop()
        subprocess.run(["cp", "-a", own / "copied", own / "copy"], check=True)
        server.start()
        copy = server_in(own / "copy")
        copy.start()
        try:
            yield server, copy
        finally:
            copy.stop()


def test_a_standby_of_a_restored_source_is_read_after_the_restored_source_itself_as_the_error_says(
    copied: tuple[EmbeddedPostgres, EmbeddedPostgres], shop: Pipeline, folder: Path
) -> None:
    """The copy's log has not come to where the lost server's was, and nobody can name that one any more."""
    lost, copy = copied
    for _ in range(3):
        edit(lost, 11)
        run_alone(lost.uri("postgres"), "SELECT pg_switch_wal()")
    dataclasses.replace(shop, source=lost.uri("shop")).tick()
    restored = dataclasses.replace(shop, source=copy.uri("shop"))
    with standby_of(copy, folder / "standby-of-copy") as standby:
        catch_up(standby, copy)
        read = dataclasses.replace(shop, source=standby.uri("shop").replace("127.0.0.1", "localhost"))
        with pytest.raises(
            SourceUnavailable, match=r"restored: name its primary for one run, and then the standby again"
        ):
            read.capture()
        assert restored.capture().batch == 2
        edit(copy, 12)
        catch_up(standby, copy)
        read.tick()
        assert_warehouse_mirrors(copy.uri("shop"), shop.warehouse)


@contextmanager
def refused_if(sentence: str, *, is_refused: bool) -> Iterator[None]:
    with pytest.raises(UserError, match=sentence) if is_refused else nullcontext():
        yield


def test_servers_of_one_copy_are_two_databases_and_a_standby_and_its_primary_are_one(
    copied: tuple[EmbeddedPostgres, EmbeddedPostgres], folder: Path
) -> None:
    """The doctor says so, and a local cloud is not made for one database twice."""
    server, copy = copied
    with standby_of(copy, folder / "same") as standby:
        for other, is_one in ((server, False), (copy, True), (standby, True)):
            found = fitness(
                lambda: own_session(copy.uri("shop"), "source"),
                partial(own_session, other.uri("shop"), "warehouse"),
                SOURCE_TABLES,
                STAR_TABLES,
            )
            assert [finding.good for finding in found if finding.subject == "identity"] == [not is_one]
            named = {"source": copy.uri("postgres"), "warehouse": other.uri("postgres")}
            with refused_if("are the same database", is_refused=is_one):
                lifecycle._looked_at(StateFolder(folder / "up"), None, named, None, lambda _: None, persistent=False)


def test_a_standby_that_answers_to_its_primarys_name_is_waited_out_and_the_primary_is_never_refused(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Aurora after a failover, while DNS still leads to the old writer, which has begun again as a reader."""
    shop.tick()
    with standby_of(primary, folder / "answers") as standby:
        catch_up(standby, primary)
        elsewhere = dataclasses.replace(shop, source=standby.uri("shop"))
        with pytest.raises(SourceUnavailable, match=r"a standby of the primary that batch 1 .* the new primary"):
            elsewhere.capture()
        monkeypatch.setattr(succession, "_FAILOVER", timedelta())
        assert elsewhere.capture().batch == 2, "a name that goes on leading there is meant to"
        execute(primary.uri("shop"), "UPDATE sales_order SET units_sold = 77 WHERE sales_order_id = 9")
        assert shop.capture().batch == 3, "it had started before the standby that batch 2 was read from"
        shop.transform()
        shop.load()
        assert_warehouse_mirrors(primary.uri("shop"), shop.warehouse)


def test_a_warehouse_that_is_a_standby_now_may_be_a_primary_soon(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    run_alone(primary.uri("postgres"), "CREATE DATABASE star")
    shop.capture()
    shop.transform()
    with standby_of(primary, folder / "read-only") as standby:
        catch_up(standby, primary)
        with (
            session(standby.uri("star")) as connection,
            pytest.raises(WarehouseUnavailable, match=r"is a standby and takes no writes.* after a failover"),
            translated_errors(connection, "warehouse", WarehouseUnavailable),
        ):
            load(connection, shop.processed, STAR_TABLES)


def test_a_standby_that_is_promoted_is_seen_at_once_and_nothing_is_lost(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "promoted") as standby:
        catch_up(standby, primary)
        replica = dataclasses.replace(shop, source=standby.uri("shop"))
        replica.tick()
        assert CaptureManifest.from_json(Journal(shop.ingestion).read(1)).source.in_recovery
        run_alone(standby.uri("postgres"), "SELECT pg_promote(true)")
        execute(replica.source, "UPDATE sales_order SET units_sold = 88 WHERE sales_order_id = 10")
        assert replica.tick().tables["fact_sales_order"].versions == 1
        assert not CaptureManifest.from_json(Journal(shop.ingestion).read(2)).source.in_recovery
        assert_warehouse_mirrors(replica.source, replica.warehouse)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every commit is old, and what must come comes within a second."""
    monkeypatch.setattr(standby, "STALE_SECONDS", 0.0)
    monkeypatch.setattr(standby, "PATIENCE_SECONDS", 1.0)


def test_a_standby_whose_replay_is_paused_is_no_source(primary: EmbeddedPostgres, shop: Pipeline, folder: Path) -> None:
    with standby_of(primary, folder / "paused") as paused:
        catch_up(paused, primary)
        replica = dataclasses.replace(shop, source=paused.uri("shop"))
        replica.tick()
        run_alone(paused.uri("postgres"), "SELECT pg_wal_replay_pause()")
        edit(primary, 14)
        with pytest.raises(SourceUnavailable, match=r"replay is paused, .* pg_wal_replay_resume\(\)"):
            replica.capture()
        with (
            session(replica.source) as source,
            session(replica.warehouse) as warehouse,
            pytest.raises(SourceUnavailable, match="replay is paused"),
        ):
            verify(source, warehouse, replica.ingestion, SOURCE_TABLES, STAR_TABLES)
        run_alone(paused.uri("postgres"), "SELECT pg_wal_replay_resume()")
        catch_up(paused, primary)
        replica.tick()
        assert_warehouse_mirrors(primary.uri("shop"), replica.warehouse)


@pytest.mark.usefixtures("impatient")
def test_a_standby_that_replays_too_late_is_no_source(primary: EmbeddedPostgres, shop: Pipeline, folder: Path) -> None:
    with standby_of(primary, folder / "late") as late:
        catch_up(late, primary)
        replica = dataclasses.replace(shop, source=late.uri("shop"))
        replica.tick()
        set_to(late, "recovery_min_apply_delay", "1h")

        def lags() -> bool:
            edit(primary, 15)
            return bool(value(late.uri("postgres"), "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"))

        until(lags)  # a busy machine takes a moment to send the change, and to learn of the delay
        with pytest.raises(SourceUnavailable, match=r"has received up to .* minutes old; .* recovery_min_apply_delay"):
            replica.capture()
        set_to(late, "recovery_min_apply_delay", "0")
        catch_up(late, primary)
        assert replica.capture().batch == 2, "a primary without commits, however old the last, is no reason"
        assert replica.capture().batch is None


def test_a_standby_that_is_to_be_a_little_late_is_a_source_after_a_quiet_spell(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "STALE_SECONDS", 2.0)
    monkeypatch.setattr(standby, "PATIENCE_SECONDS", 0.1)
    with standby_of(primary, folder / "later") as later:
        catch_up(later, primary)
        replica = dataclasses.replace(shop, source=later.uri("shop"))
        replica.tick()
        set_to(later, "recovery_min_apply_delay", "1900ms")
        time.sleep(2)
        edit(primary, 17)
        assert replica.capture().batch is None, "what it has received a moment ago it may replay later"
        catch_up(later, primary)
        assert replica.capture().batch == 2


@pytest.mark.usefixtures("impatient")
def test_a_standby_that_has_lost_its_primary_is_no_source_unless_it_has_an_archive(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "lonely") as lonely:
        catch_up(lonely, primary)
        execute(
            primary.uri("shop"),
            "DROP ROLE IF EXISTS ordinary; CREATE ROLE ordinary LOGIN PASSWORD 'o';"
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO ordinary",
        )
        catch_up(lonely, primary)
        replica = dataclasses.replace(shop, source=as_ordinary(lonely))
        replica.tick()
        with cut_off(lonely):
            with pytest.raises(SourceUnavailable, match="receives nothing from its primary"):
                replica.capture()
            set_to(lonely, "restore_command", "false")
            assert replica.capture().batch is None
            set_to(lonely, "restore_command", "")
        assert replica.capture().batch is None


_REFUSES = """
    SET allow_system_table_mods = on;
    CREATE OR REPLACE FUNCTION pg_catalog.pg_is_wal_replay_paused() RETURNS boolean LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'not supported' USING ERRCODE = '{}'; END $$
"""
"""Aurora's functions are there, anybody may call them, and they refuse."""


@pytest.mark.parametrize(
    ("name", "silence"),
    [
        ("not-now", _REFUSES.format("55000")),
        ("never", _REFUSES.format("0A000")),
        ("not-you", "REVOKE EXECUTE ON FUNCTION pg_is_wal_replay_paused() FROM PUBLIC"),
    ],
)
def test_a_standby_that_does_not_tell_is_captured(
    empty_database: str, lake: tuple[Bucket, Bucket], folder: Path, name: str, silence: str
) -> None:
    with shop_server(folder / f"{name}-primary", orders=9) as server:
        execute(
            server.uri("shop"),
            "CREATE ROLE ordinary LOGIN PASSWORD 'o'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ordinary;"
            + silence,
        )
        with standby_of(server, folder / name) as silent:
            catch_up(silent, server)
            replica = Pipeline(
                source=as_ordinary(silent), warehouse=empty_database, ingestion=lake[0], processed=lake[1]
            )
            assert replica.capture().batch == 1
            assert CaptureManifest.from_json(Journal(lake[0]).read(1)).position is not None


def test_an_unlogged_table_whose_rows_a_standby_lacks_is_named(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    execute(shop.source, "ALTER TABLE payment SET UNLOGGED")
    with standby_of(primary, folder / "lacks") as standby_server:
        catch_up(standby_server, primary)
        with pytest.raises(ContractError, match=r"has no rows of unlogged tables, and public\.payment is unlogged"):
            dataclasses.replace(shop, source=standby_server.uri("shop")).capture()
    execute(shop.source, "ALTER TABLE payment SET LOGGED")
