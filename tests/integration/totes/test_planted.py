"""Nothing that somebody has planted in schema public runs with the rights of totes, or is built into its views."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.integration.totes.test_roles import TABLES, Role, drop
from tests.integration.totes.test_rotation import assert_connects, password, secrets, steps  # noqa: F401 - a fixture
from tests.support.databases import execute, own_session, session
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.planted import built_on_what_is_planted, plant
from tests.support.snapshots import folder_of
from totes import databases
from totes.answers import fitness, quarantine, state_of
from totes.capture import SOURCE_TABLES
from totes.dashboard_snapshot import publish
from totes.roles import DASHBOARD, prepare_source, prepare_warehouse, role_of
from totes.star import READABLE, STAR_TABLES
from totes.verify import verify, write_verification
from totes.warehouse import load, load_rates
from totes.warehouse.definitions import create_rate_ledger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ROOT = Path(__file__).parents[3]

READER, LOADER = Role("planted_reader", "a-password"), Role("planted_loader", "b-password")
SHOWS = Role(DASHBOARD, "c-password")

REFUSED_DAY = (
    "INSERT INTO etl.rate_day VALUES ('EUR', '2024-03-05', 1), ('EUR', '2024-03-06', 2);"
    "INSERT INTO etl.refused_rate VALUES ('EUR', '2024-03-05', 'GBP', '0', 'it is not above zero', true)"
)


@pytest.fixture
def planted(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline by roles of totes' own, which were made in databases that others have planted overloads in."""
    execute(
        pipeline.source,
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE staff ADD COLUMN mood mood DEFAULT 'sad', "
        "ADD COLUMN shout text GENERATED ALWAYS AS (upper(first_name)) STORED; "
        "UPDATE payment SET payment_date = 'no date' WHERE payment_id = 4",
    )
    plant(pipeline.source)
    plant(pipeline.warehouse)
    try:
        with own_session(pipeline.source, "init") as admin:
            for _ in range(2):
                prepare_source(admin, READER.login, TABLES)
            found = role_of(admin, READER.username)
            assert found is not None
            assert found.made_by_totes
        with own_session(pipeline.warehouse, "init") as admin:
            for _ in range(2):
                prepare_warehouse(admin, LOADER.login, SHOWS.login, READABLE)
        yield Pipeline(
            source=READER.uri(pipeline.source),
            warehouse=LOADER.uri(pipeline.warehouse),
            ingestion=pipeline.ingestion,
            processed=pipeline.processed,
        )
    finally:
        drop(pipeline.source, READER)
        for role in (SHOWS, LOADER):
            drop(pipeline.warehouse, role)


def test_what_anybody_has_planted_is_never_called(pipeline: Pipeline, planted: Pipeline, store: MemoryStore) -> None:
    planted.tick()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 6")
    planted.tick()
    with own_session(planted.warehouse, "warehouse") as warehouse:
        load(warehouse, planted.processed, STAR_TABLES, rebuild=True)
        load_rates(warehouse, planted.processed, "EUR")
        with warehouse, warehouse.cursor() as cursor:
            cursor.execute(REFUSED_DAY)
        assert state_of(warehouse, STAR_TABLES).newest == 2
        assert {row.star_table for row in quarantine(warehouse).rows} == {"fact_payment"}
        with own_session(planted.source, "source") as source:
            verdict = verify(source, warehouse, planted.ingestion, SOURCE_TABLES, STAR_TABLES)
        assert verdict.differences == 0
        write_verification(warehouse, batch=verdict.batch, differences=0)
    findings = fitness(
        lambda: own_session(planted.source, "source"),
        lambda: own_session(planted.warehouse, "warehouse"),
        SOURCE_TABLES,
        STAR_TABLES,
    )
    assert [finding.sentence for finding in findings if not finding.good] == []
    with own_session(SHOWS.uri(pipeline.warehouse), "dashboard") as dashboard:
        published = publish(dashboard, folder_of(store), checked_at=datetime.now(UTC))
        assert published is not None
        assert published.batch == 2
    assert built_on_what_is_planted(pipeline.warehouse) == []


def test_a_view_into_which_an_earlier_totes_has_built_a_planted_function_is_made_again(pipeline: Pipeline) -> None:
    pipeline.tick()
    execute(
        pipeline.warehouse,
        "CREATE FUNCTION to_char(date, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$",
    )
    with session(pipeline.warehouse) as earlier, earlier, earlier.cursor() as cursor:
        create_rate_ledger(cursor)
    assert built_on_what_is_planted(pipeline.warehouse) == ["rule _RETURN on view etl.rate_quarantine"]
    pipeline.load()
    assert built_on_what_is_planted(pipeline.warehouse) == []


def test_a_password_is_rotated_where_anybody_has_planted_something(
    secrets: "SecretsManagerClient",  # noqa: F811 - the fixture
    empty_database: str,
) -> None:
    plant(empty_database)
    for step in steps(secrets):
        step()
        assert_connects(secrets)
    assert password(secrets) != "first"


def test_what_is_planted_runs_in_a_session_that_looks_in_schema_public(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of an earlier totes did: so the other tests see whether it runs."""
    plant(empty_database)
    monkeypatch.setitem(databases._SESSION, "search_path", "public")
    with (
        own_session(empty_database, "source") as connection,
        pytest.raises(psycopg2.errors.RaiseException, match="planted function shobj_description"),
    ):
        role_of(connection, "postgres")


def test_every_session_of_a_function_looks_for_functions_in_pg_catalog_alone(empty_database: str) -> None:
    with own_session(empty_database, "warehouse") as connection, connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchall() == [("pg_catalog",)]
    assert files_with("totes.connecting", "layers", "lambdas") == ["layers/totes/python/totes/databases.py"]


def test_every_session_is_opened_in_one_place() -> None:
    shipped = ("layers", "lambdas", "command_line", "local_cloud", "simulator")
    assert files_with("psycopg2.connect(", *shipped) == ["layers/totes/python/totes/connecting.py"]


def files_with(words: str, *folders: str) -> list[str]:
    return [
        file.relative_to(ROOT).as_posix()
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        if words in file.read_text(encoding="utf-8")
    ]
