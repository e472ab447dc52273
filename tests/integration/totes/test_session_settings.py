"""A session is totes' own, whatever is set for role, database or server; what hides or breaks rows is reported."""

import importlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import execute, own_session, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone, shop_server
from tests.support.versions import VERSION, since
from tests.support.waiting import until
from totes import databases
from totes.answers import fitness, quarantine, state_of
from totes.capture import SOURCE_TABLES, capture
from totes.capture.source import locks
from totes.capture.source.snapshot import snapshot_of
from totes.database_errors import translated_errors
from totes.databases import open_session
from totes.errors import ConfigurationError, ContractError, SourceUnavailable, StatementRefused, WarehouseUnavailable
from totes.lake import Bucket, CaptureManifest, Journal, read_part
from totes.roles import make_roles
from totes.star import STAR_TABLES
from totes.verify import verify, write_verification
from totes.warehouse import ledger, load

HOSTILE = {
    "statement_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "lock_timeout": "1ms",
    "transaction_timeout": "100ms",
    "tcp_user_timeout": "1ms",
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "timezone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "0",
    "quote_all_identifiers": "on",
    "search_path": "nowhere",
    "lc_monetary": "C.UTF-8",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
}
if VERSION < 17:
    del HOSTILE["transaction_timeout"]


LONG_STATEMENT = """
import sys
from psycopg2.extensions import parse_dsn
from totes.databases import open_session

with open_session(parse_dsn(sys.argv[1]), "warehouse").cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(1)")
    cursor.execute("SELECT pg_sleep(600)")
"""


@contextmanager
def opened(uri: str, role: str = "source", **keywords: str) -> Iterator[Connection]:
    dsn = parse_dsn(uri)
    login = {"host": dsn["host"], "port": dsn["port"], "username": dsn["user"], "dbname": dsn["dbname"]}
    connection = open_session(login | {"password": dsn["password"]} | keywords, role)
    try:
        with translated_errors(connection, role, SourceUnavailable):
            yield connection
    finally:
        connection.close()


def make_hostile(uri: str, version: int = VERSION) -> None:
    with session(uri) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for name, hostile in HOSTILE.items():
                if name != "transaction_timeout" or version >= 17:
                    cursor.execute(f"ALTER DATABASE {parse_dsn(uri)['dbname']} SET {name} = %s", [hostile])


def as_login(pipeline: Pipeline, role: str) -> str:
    """Where the source is for a role whose password is x."""
    return pipeline.source.replace(parse_dsn(pipeline.source)["password"], "x").replace("postgres:", f"{role}:")


def test_no_setting_of_a_database_reaches_a_session_of_totes(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE design ADD COLUMN odd bytea DEFAULT '\\x00ff', ADD COLUMN price money DEFAULT 1234.5,"
        "ADD COLUMN seen timestamptz DEFAULT '2024-01-02 03:04:05+00', ADD COLUMN took interval DEFAULT '1 day'",
    )
    with opened(pipeline.source) as source:
        assert capture(source, pipeline.ingestion, SOURCE_TABLES).batch == 1
    make_hostile(pipeline.source)
    with opened(pipeline.source) as source:
        assert capture(source, pipeline.ingestion, SOURCE_TABLES).batch is None
        with source.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [[*HOSTILE]])
            settings = dict(cursor.fetchall())
    limits = {"statement_timeout", "transaction_timeout", "idle_session_timeout"} & settings.keys()
    assert {settings[name] for name in limits} == {"0"}
    assert settings["default_transaction_read_only"] == "off"


@pytest.mark.begun
@pytest.mark.parametrize(
    ("keywords", "variables"),
    [
        ({"client_encoding": "WIN1252"}, {}),
        ({"client_encoding": "auto"}, {"LC_ALL": "C"}),
        ({"options": " ".join(f"-c {name}={each.replace(' ', '')}" for name, each in HOSTILE.items())}, {}),
        ({}, {"PGCLIENTENCODING": "WIN1252", "PGTZ": "Asia/Kathmandu", "PGDATESTYLE": "German, DMY"}),
    ],
    ids=["encoding", "encoding of the machine", "options", "environment"],
)
def test_neither_a_keyword_of_a_login_nor_a_variable_changes_what_is_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, keywords: dict[str, str], variables: dict[str, str]
) -> None:
    execute(pipeline.source, "UPDATE design SET file_name = 'crème brûlée' WHERE design_id = 1")
    for name, each in variables.items():
        monkeypatch.setenv(name, each)
    with opened(pipeline.source, **keywords) as source:
        capture(source, pipeline.ingestion, SOURCE_TABLES)
        with source.cursor() as cursor:
            cursor.execute("SELECT current_setting(name) FROM unnest(%s) AS name", [[*databases._SESSION]])
            settings = cursor.fetchall()
    pipeline.transform()
    with opened(pipeline.warehouse, "warehouse", **keywords) as warehouse:
        load(warehouse, pipeline.processed, STAR_TABLES)
    for name in variables:
        monkeypatch.delenv(name)
    assert value(pipeline.warehouse, "SELECT file_name FROM dim_design WHERE design_id = 1") == "crème brûlée"
    with opened(pipeline.source) as source, source.cursor() as cursor:
        cursor.execute("SELECT current_setting(name) FROM unnest(%s) AS name", [[*databases._SESSION]])
        assert settings == cursor.fetchall()


def test_a_login_acts_as_itself_whatever_role_is_set_for_it(pipeline: Pipeline) -> None:
    """Its rights are those that it was granted, and the password that a rotation changes is its own."""
    execute(
        pipeline.source,
        "CREATE ROLE somebody; CREATE ROLE itself LOGIN PASSWORD 'x' IN ROLE somebody; "
        "ALTER ROLE itself SET role = somebody; GRANT SELECT ON ALL TABLES IN SCHEMA public TO itself",
    )
    login = as_login(pipeline, "itself")
    with opened(login) as source:
        with source, source.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE somebody; RESET ROLE; SELECT current_user")
            assert cursor.fetchall() == [("itself",)]
        assert capture(source, pipeline.ingestion, SOURCE_TABLES).batch == 1
    execute(pipeline.source, "DROP OWNED BY itself; DROP ROLE itself, somebody")


@pytest.mark.begun
def test_no_setting_of_a_database_reaches_a_load(pipeline: Pipeline) -> None:
    """Of two loaders that meet, the later one must see what the earlier one has loaded meanwhile."""
    make_hostile(pipeline.warehouse)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    pipeline.capture()
    pipeline.transform()

    def loaded() -> int:
        with opened(pipeline.warehouse, "warehouse") as warehouse:
            return load(warehouse, pipeline.processed, STAR_TABLES).batches.count

    with opened(pipeline.warehouse, "warehouse") as holder, ThreadPoolExecutor() as loaders:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(b"totes")])
        both = [loaders.submit(loaded), loaders.submit(loaded)]
        until(lambda: advisory_locks(pipeline.source, granted=False) == 2)
        holder.rollback()
        assert sorted(each.result() for each in both) == [0, 1]
    execute(pipeline.source, f"ALTER DATABASE {parse_dsn(pipeline.warehouse)['dbname']} RESET ALL")
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_tablespace_that_is_set_for_new_tables_hinders_no_rebuild(pipeline: Pipeline) -> None:
    dbname = parse_dsn(pipeline.warehouse)["dbname"]
    with session(pipeline.source) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SET allow_in_place_tablespaces = on")
            cursor.execute("CREATE TABLESPACE fast LOCATION ''")
            for name in ("default_tablespace", "temp_tablespaces"):
                cursor.execute(f"ALTER DATABASE {dbname} SET {name} = fast")
    with opened(pipeline.warehouse, "warehouse") as warehouse:
        load(warehouse, pipeline.processed, STAR_TABLES, rebuild=True)
        with warehouse.cursor() as cursor:
            cursor.execute("SHOW temp_tablespaces")
            assert cursor.fetchall() == [("",)]
    assert value(pipeline.warehouse, "SELECT reltablespace FROM pg_class WHERE relname = 'fact_payment'") == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    execute(pipeline.source, f"ALTER DATABASE {dbname} RESET ALL")
    run_alone(pipeline.source, "DROP TABLESPACE fast")


_numbers = itertools.count()
READ_ONLY = "ALTER SYSTEM SET default_transaction_read_only = on"


def set_for_server(server: EmbeddedPostgres, statement: str) -> None:
    """Change a setting of a server's own, and wait until new sessions have it."""
    uri = server.uri("postgres")
    before = value(uri, "SHOW default_transaction_read_only")
    with session(uri) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(statement)
            cursor.execute("SELECT pg_reload_conf()")
    until(lambda: value(uri, "SHOW default_transaction_read_only") != before)


@pytest.fixture
def guarded(folder: Path, lake: tuple[Bucket, Bucket]) -> Iterator[tuple[EmbeddedPostgres, Pipeline]]:
    """A server whose disk is nearly full, which its provider has made read-only; one batch waits to be loaded."""
    with shop_server(folder / f"guarded-{next(_numbers)}", orders=20) as server:
        server.create_database("star")
        source, warehouse = server.uri("shop"), server.uri("star")
        pipeline = Pipeline(source=source, warehouse=warehouse, ingestion=lake[0], processed=lake[1])
        pipeline.tick()
        execute(source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
        set_for_server(server, READ_ONLY)
        pipeline.capture()
        pipeline.transform()
        yield server, pipeline


def test_a_server_that_is_made_read_only_before_its_disk_is_full_is_obeyed_by_whoever_writes(
    guarded: tuple[EmbeddedPostgres, Pipeline],
) -> None:
    server, pipeline = guarded
    said = r"the warehouse takes no writes: .*; its server has default_transaction_read_only on.* larger disk"

    def refused(login_name: str, write: Callable[[Connection], object]) -> None:
        with (
            pytest.raises(WarehouseUnavailable, match=said),
            own_session(pipeline.warehouse, login_name) as connection,
            translated_errors(connection, "warehouse", WarehouseUnavailable),
        ):
            write(connection)

    refused("warehouse", lambda loader: load(loader, pipeline.processed, STAR_TABLES))
    refused("warehouse", lambda loader: load(loader, pipeline.processed, STAR_TABLES, rebuild=True))
    refused("init", lambda admin: make_roles(admin, [{"username": "totes_other", "password": "x"}], []))
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 1
    set_for_server(server, "ALTER SYSTEM RESET default_transaction_read_only")
    assert pipeline.load().newest == 2
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_who_only_reads_a_server_that_is_made_read_only_goes_on(guarded: tuple[EmbeddedPostgres, Pipeline]) -> None:
    _, pipeline = guarded
    assert Journal(pipeline.ingestion).newest() == 2
    with own_session(pipeline.source, "source") as source, own_session(pipeline.warehouse, "warehouse") as warehouse:
        verdict = verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
        assert verdict.differences == 0
        write_verification(warehouse, batch=verdict.batch, differences=0)
        assert state_of(warehouse, STAR_TABLES).newest == 1
        assert not quarantine(warehouse).rows
    findings = fitness(
        lambda: opened(pipeline.source), lambda: opened(pipeline.warehouse, "warehouse"), SOURCE_TABLES, STAR_TABLES
    )
    found = {finding.subject: finding for finding in findings}
    assert found["source"].good
    assert "takes no writes" in found["warehouse"].sentence


def advisory_locks(uri: str, *, granted: bool) -> int:
    """How many there are on the whole server."""
    return int(value(uri, f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = {granted}"))


def test_a_killed_loader_leaves_its_lock_in_the_middle_of_a_long_statement(empty_database: str) -> None:
    with subprocess.Popen([sys.executable, "-c", LONG_STATEMENT, empty_database]) as loader:
        until(lambda: advisory_locks(empty_database, granted=True) == 1)
        loader.kill()
    until(lambda: advisory_locks(empty_database, granted=True) == 0)


def test_a_server_that_does_not_know_a_setting_yet_is_no_hindrance(folder: Path) -> None:
    with shop_server(folder / "sixteen", orders=20, version=16) as server:
        make_hostile(server.uri("shop"), 16)
        with opened(server.uri("shop")) as source, source.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM public.payment WHERE pg_sleep(0.01) IS NOT NULL")


def test_row_level_security_that_hides_rows_is_refused_by_name(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "DROP ROLE IF EXISTS shortsighted; CREATE ROLE shortsighted LOGIN PASSWORD 'x';"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO shortsighted; ALTER TABLE payment ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY few ON payment FOR SELECT TO shortsighted USING (payment_id <= 20)",
    )
    reader = psycopg2.connect(pipeline.source, user="shortsighted", password="x")
    with pytest.raises(ConfigurationError, match=r"row-level security hides rows of payment .* BYPASSRLS"):
        capture(reader, pipeline.ingestion, SOURCE_TABLES)
    execute(pipeline.source, "ALTER ROLE shortsighted BYPASSRLS")
    assert capture(reader, pipeline.ingestion, SOURCE_TABLES).batch == 1
    reader.close()
    execute(pipeline.source, "DROP OWNED BY shortsighted; DROP ROLE shortsighted")


def test_a_query_that_row_level_security_would_shorten_fails(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "DROP ROLE IF EXISTS shortsighted; CREATE ROLE shortsighted LOGIN PASSWORD 'x';"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO shortsighted; ALTER TABLE payment ENABLE ROW LEVEL SECURITY",
    )
    login = as_login(pipeline, "shortsighted")
    with (
        pytest.raises(ConfigurationError, match=r"row-level security .*; give it BYPASSRLS"),
        opened(login) as source,
        source.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM public.payment")
    execute(pipeline.source, "DROP OWNED BY shortsighted; DROP ROLE shortsighted")


@pytest.mark.parametrize(
    ("code", "error", "sentence"),
    [
        ("08001", StatementRefused, r"\(08001\)"),
        ("08006", StatementRefused, r"\(08006\)"),
        ("57P01", SourceUnavailable, "cannot do this now"),
        ("40P01", SourceUnavailable, "cannot do this now"),
        ("55P03", SourceUnavailable, "cannot do this now"),
        ("53300", SourceUnavailable, "cannot do this now"),
        ("53100", SourceUnavailable, "cannot do this now"),
        ("25P03", SourceUnavailable, "cannot do this now"),
        ("25P04", SourceUnavailable, "cannot do this now"),
        ("40001", SourceUnavailable, "cannot do this now"),
        ("57014", SourceUnavailable, "cannot do this now"),
        ("72000", SourceUnavailable, "cannot do this now"),
        ("53200", ConfigurationError, r"is at a limit \(53200\)"),
        ("53400", ConfigurationError, r"is at a limit \(53400\)"),
        ("42501", ConfigurationError, "GRANT it"),
        ("22003", StatementRefused, r"\(22003\)"),
        ("58030", SourceUnavailable, "cannot do this now"),
        ("58P01", StatementRefused, r"\(58P01\)"),
        ("XX000", StatementRefused, r"\(XX000\)"),
    ],
)
def test_what_passes_by_itself_is_tried_again_and_nothing_else(
    empty_database: str, code: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence), opened(empty_database) as source, source.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("22P05", "; find that row, and fix or delete it"),
        ("XX001", "; find that row, and fix or delete it"),
        ("XX002", "; find that row, and fix or delete it"),
        ("XX000", ""),
        ("58P01", ""),
    ],
)
def test_only_where_a_row_is_at_fault_is_somebody_asked_to_find_it(empty_database: str, code: str, advice: str) -> None:
    """A fault of a provider's storage is an internal error too, and no row is the worse for it."""
    with (
        pytest.raises(StatementRefused, match=rf"\({code}\) as table payment was read: .*may quote a row{advice}$"),
        opened(empty_database) as source,
        snapshot_of(source) as snapshot,
        snapshot.reading("payment") as cursor,
    ):
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$")


def test_somebody_is_asked_to_find_a_row_that_takes_more_memory_than_a_value_may_have(empty_database: str) -> None:
    """PostgreSQL calls that an internal error, as it does of a value of half a gigabyte that is to be sent."""
    asked = r"\(XX000\) as table payment was read: invalid memory alloc request size \d+; find that row, and fix or"
    with (
        pytest.raises(StatementRefused, match=asked),
        opened(empty_database) as source,
        snapshot_of(source) as snapshot,
        snapshot.reading("payment") as cursor,
    ):
        cursor.execute("SELECT to_char(1, repeat('9', 70000000))")


def test_a_lock_that_somebody_holds_is_waited_for_and_then_tried_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.05)
    with session(pipeline.source) as migration, migration.cursor() as cursor:
        cursor.execute("ALTER TABLE staff ADD COLUMN nickname text")
        holder = rf"lock timeout; .* session {migration.info.backend_pid} of role postgres since 2.* UTC"
        with pytest.raises(SourceUnavailable, match=holder), opened(pipeline.source) as source:
            capture(source, pipeline.ingestion, SOURCE_TABLES)


@pytest.mark.parametrize("side", ["source", "warehouse"])
@pytest.mark.begun
def test_who_holds_a_lock_is_named_also_where_it_is_a_prepared_transaction_which_no_session_shows(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(ledger, "_LOCK_WAIT", "200ms")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    if side == "warehouse":
        pipeline.capture()
        pipeline.transform()
    uri, table = (pipeline.source, "payment") if side == "source" else (pipeline.warehouse, "fact_payment")

    def run() -> None:
        with opened(uri, side) as connection:
            if side == "source":
                capture(connection, pipeline.ingestion, SOURCE_TABLES)
            else:
                load(connection, pipeline.processed, STAR_TABLES)

    with session(uri) as holder, holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        who = f"lock timeout; the oldest locks are those of session {holder.info.backend_pid} of role postgres since 2"
        with pytest.raises(SourceUnavailable, match=who):
            run()
        # A savepoint's transaction has an id of its own, which is locked too.
        cursor.execute("SAVEPOINT within; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'ann''s'")
        try:
            named = (
                r"are those of prepared transaction ann's of role postgres since 2.* \(ROLLBACK PREPARED 'ann''s'\)$"
            )
            with pytest.raises(SourceUnavailable, match=named):
                run()
        finally:
            run_alone(uri, "ROLLBACK PREPARED 'ann''s'")
    run()


@pytest.mark.begun
def test_verify_outlives_its_own_work(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = importlib.import_module("totes.verify.verification")
    in_flight = module.in_flight

    def slow(*arguments: Any) -> Any:
        time.sleep(0.4)
        return in_flight(*arguments)

    monkeypatch.setattr(module, "in_flight", slow)
    monkeypatch.setitem(databases._SESSION, "idle_in_transaction_session_timeout", "200ms")
    with opened(pipeline.source) as source, opened(pipeline.warehouse, "warehouse") as warehouse:
        assert not verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES).differences


@since(18, "virtual columns")
@pytest.mark.begun
def test_a_value_that_the_source_cannot_send_is_named_by_its_table(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order RENAME unit_price TO total; ALTER TABLE sales_order ADD unit_price numeric(10,2) "
        "GENERATED ALWAYS AS (total / (units_sold - 77)) VIRTUAL; "
        "UPDATE sales_order SET units_sold = 77 WHERE sales_order_id = 3",
    )
    named = (
        r"the source refused a statement \(22012\) as table sales_order was read: division by zero; find that row, and "
        "fix or delete it$"
    )
    with pytest.raises(StatementRefused, match=named), opened(pipeline.source) as source:
        capture(source, pipeline.ingestion, SOURCE_TABLES)
    with (
        pytest.raises(StatementRefused, match=named),
        opened(pipeline.source) as source,
        opened(pipeline.warehouse, "warehouse") as warehouse,
    ):
        verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)


@pytest.mark.begun
def test_a_function_of_an_index_that_names_no_schema_is_told_what_helps(pipeline: Pipeline) -> None:
    """PostgreSQL looks into it to plan whatever reads the table; its own autovacuum fails at it too."""
    execute(
        pipeline.source,
        "CREATE FUNCTION inner_one(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN lower($1); "
        "CREATE FUNCTION outer_one(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT public.inner_one($1)'; "
        "CREATE INDEX ON staff (outer_one(first_name)); "
        "CREATE OR REPLACE FUNCTION outer_one(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT inner_one($1)'",
    )
    with (
        pytest.raises(StatementRefused, match=r"\(42883\) as table staff was .* ALTER FUNCTION ... SET search_path"),
        opened(pipeline.source) as source,
    ):
        capture(source, pipeline.ingestion, SOURCE_TABLES)
    execute(pipeline.source, "ALTER FUNCTION outer_one SET search_path = public")
    assert pipeline.capture().batch is None


def test_a_byte_that_its_encoding_does_not_know_is_named_by_its_table(
    postgres: EmbeddedPostgres, lake: tuple[Bucket, Bucket]
) -> None:
    uri = shop_of_encoding(postgres, "WIN1252")
    with session(uri) as connection, connection, connection.cursor() as cursor:
        connection.set_client_encoding("WIN1252")
        cursor.execute(b"UPDATE design SET file_name = 'caf\x81' WHERE design_id = 2")
    with pytest.raises(StatementRefused, match=r"\(22P05\) as table design was read"), opened(uri) as source:
        capture(source, lake[0], SOURCE_TABLES)


def test_a_columns_name_that_is_no_utf8_breaks_the_contract_by_its_table(
    postgres: EmbeddedPostgres, lake: tuple[Bucket, Bucket]
) -> None:
    uri = shop_of_encoding(postgres, "SQL_ASCII")
    with session(uri) as connection, connection, connection.cursor() as cursor:
        cursor.execute(b"SET client_encoding TO 'SQL_ASCII'; ALTER TABLE design ADD COLUMN \"gr\xf6sse\" int")
    with pytest.raises(ContractError, match=r"of design has a name that is no UTF-8.*RENAME"), opened(uri) as source:
        capture(source, lake[0], SOURCE_TABLES)


def shop_of_encoding(server: EmbeddedPostgres, encoding: str) -> str:
    """The URI of a new database in an encoding of its own, with a shop."""
    name = f"in_{encoding.lower()}"
    run_alone(
        server.uri("postgres"),
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    build(server.uri(name), orders=9, seed=1)
    return server.uri(name)


@pytest.fixture
def bytes_of_any_encoding(postgres: EmbeddedPostgres) -> str:
    """The URI of a shop in a database without an encoding."""
    name = "without_encoding"
    with session(postgres.uri("postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
            )
    build(postgres.uri(name), orders=60, seed=1)
    return f"{postgres.uri(name)}?client_encoding=utf8"


def test_a_byte_that_is_no_utf8_takes_its_row_to_quarantine_with_its_bytes(
    bytes_of_any_encoding: str, pipeline: Pipeline
) -> None:
    shop = Pipeline(
        source=bytes_of_any_encoding,
        warehouse=pipeline.warehouse,
        ingestion=pipeline.ingestion,
        processed=pipeline.processed,
    )
    shop.tick()
    execute(shop.source, "UPDATE design SET file_name = E'caf\\xe9' WHERE design_id = 3")
    execute(shop.source, "UPDATE address SET district = E'\\xff, \"x\"', city = 'Łódź' WHERE address_id = 2")
    execute(shop.source, "UPDATE design SET file_name = 'café \\xe9' WHERE design_id = 4")
    shop.tick()
    found = dict(
        rows(shop.warehouse, "SELECT star_table, source_row ->> '_raw' FROM etl.quarantine WHERE batch_id = 2")
    )
    assert found["dim_design"] == '{"file_name":"caf\\\\xe9"}'
    assert found["dim_location"] == '{"district":"\\\\xff, \\"x\\""}'
    assert value(shop.warehouse, "SELECT file_name FROM dim_design WHERE design_id = 4") == "café \\xe9"
    [part] = CaptureManifest.from_json(Journal(shop.ingestion).read(2)).tables["address"].changes
    assert read_part(shop.ingestion, part)["city"].to_list() == ["Łódź"]
    assert shop.capture().batch is None
    execute(shop.source, "UPDATE design SET file_name = 'cafe' WHERE design_id = 3")
    execute(shop.source, "UPDATE address SET district = NULL WHERE address_id = 2")
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)
