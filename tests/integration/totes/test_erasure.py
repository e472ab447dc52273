"""Somebody's data are erased as docs/operating.md says, and stay where it says that they stay, and nowhere else."""

import io
import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import polars as pl
import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from tests.integration.totes.test_publishing import Reader, published
from tests.integration.totes.test_verify import assert_equal
from tests.support.databases import execute, reader, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes.warehouse import load

DOCS = Path(__file__).parents[3] / "docs"

KEY, ADDRESS = 9001, 9002
FORMER, PRESENT, STREET, TOWN, MANAGER = "Zerubbabel", "Quillfeather", "Thistlewick Row", "Wexcombe", "Montmorillon"
WORDS = (FORMER, PRESENT, STREET, TOWN, MANAGER)

COME = {
    "staff": f"""
        INSERT INTO staff (staff_id, first_name, last_name, department_id, email_address, last_updated)
        VALUES ({KEY}, '{FORMER}', '{PRESENT}', 1, '{PRESENT}@shop.example', now())""",
    "address": f"""
        INSERT INTO address (address_id, address_line_1, address_line_2, district, city, postal_code, country, phone,
            last_updated)
        VALUES ({KEY}, '{FORMER}', '{PRESENT}', '{STREET}', '{TOWN}', '{TOWN}', '{TOWN}', '{TOWN}', now())""",
    "counterparty": f"""
        INSERT INTO address (address_id, address_line_1, city, postal_code, country, phone, last_updated)
        VALUES ({ADDRESS}, '{STREET}', '{TOWN}', '{TOWN}', '{TOWN}', '{TOWN}', now());
        INSERT INTO counterparty (counterparty_id, counterparty_legal_name, legal_address_id, commercial_contact,
            delivery_contact, last_updated)
        VALUES ({KEY}, '{FORMER}', {ADDRESS}, '{PRESENT}', '{PRESENT}', now())""",
}
CHANGE = {
    "staff": f"UPDATE staff SET first_name = '{PRESENT}' WHERE staff_id = {KEY}",
    "address": f"UPDATE address SET address_line_1 = '{PRESENT}' WHERE address_id = {KEY}",
    "counterparty": f"UPDATE counterparty SET counterparty_legal_name = '{PRESENT}' WHERE counterparty_id = {KEY}",
}
GO = {
    "staff": f"DELETE FROM staff WHERE staff_id = {KEY}",
    "address": f"DELETE FROM address WHERE address_id = {KEY}",
    "counterparty": f"DELETE FROM counterparty WHERE counterparty_id = {KEY}; "
    f"DELETE FROM address WHERE address_id = {ADDRESS}",
}
STATISTICS = "pg_catalog.pg_stats"
OF_NOBODY = {
    ("department", "department_name"),
    ("department", "location"),
    ("design", "design_name"),
    ("design", "file_location"),
    ("design", "file_name"),
    ("purchase_order", "agreed_delivery_date"),
    ("purchase_order", "agreed_payment_date"),
    ("purchase_order", "item_code"),
    ("purchase_order", "item_quantity"),
    ("sales_order", "agreed_delivery_date"),
    ("sales_order", "agreed_payment_date"),
    ("sales_order", "units_sold"),
    ("payment", "payment_date"),
}
STAR = {"staff": "dim_staff", "address": "dim_location", "counterparty": "dim_counterparty"}
OF_THE_COUNTERPARTY = {"staff": (), "address": (), "counterparty": ("address",)}
"""Whatever else is about a person of that table, first to last."""


def typed(page: str, begins: str, key: int = KEY) -> str:
    """The only statement of a page's SQL that begins so, with the keys for which its capitals stand."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sql\n(.+?)^ *```", text, flags=re.MULTILINE | re.DOTALL)
    [found] = [each.strip() for block in blocks for each in block.split(";") if each.strip().startswith(begins)]
    return re.sub(r"\bKEY\b", str(key), found).replace("ADDRESS", str(ADDRESS))


def overwrite(pipeline: Pipeline, table: str, key: int = KEY) -> None:
    execute(pipeline.source, typed("operating.md", f"UPDATE {table} ", key))


def insert_and_delete_again(pipeline: Pipeline, table: str) -> None:
    """Two runs, one with the row and one without it."""
    keys = {"address": ADDRESS} if table == "counterparty" else {}
    for each in (*OF_THE_COUNTERPARTY[table], table):
        execute(pipeline.source, typed("operating.md", f"INSERT INTO {each} ", keys.get(each, KEY)))
    pipeline.tick()
    execute(pipeline.source, GO[table])
    pipeline.tick()


def vacuum(uri: str) -> None:
    with session(uri) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(typed("operating.md", "VACUUM"))


def places_in_the_warehouse(uri: str, words: Sequence[str] = WORDS) -> set[str]:
    """The tables and views of which some row, as a text, has one of the words."""
    with reader(uri) as ask:
        relations = ask(
            "SELECT format('%I.%I', nspname, relname) "
            "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            "WHERE nspname IN ('public', 'report', 'etl') AND relkind IN ('r', 'v', 'm', 'p', 'f')"
        )
        names = {name for [name] in relations} | {STATISTICS}
        assert {"public.dim_staff", "report.staff", "etl.quarantine"} <= names
        pattern = "|".join(words)
        return {name for name in names if ask(f"SELECT FROM {name} AS t WHERE t::text ~* '{pattern}' LIMIT 1")}


def is_in_the_lake(bucket: Bucket, words: Sequence[str]) -> bool:
    """Whether some file of a bucket has one of the words."""
    found = (bucket.get(each.key) for each in bucket.listed("") if each.key.endswith(".parquet"))
    texts = (str(pl.read_parquet(io.BytesIO(body)).rows()) for body in found)
    return any(word in text for text in texts for word in words)


def looked_up(pipeline: Pipeline, word: str) -> list[tuple[str, int, bool]]:
    """What the page's own question finds."""
    return rows(pipeline.warehouse, typed("operating.md", "SELECT 'dim_staff'").replace("WORD", word))


def has_lived(pipeline: Pipeline, table: str) -> None:
    """A person comes, is changed, and the server's statistics know of them."""
    execute(pipeline.source, COME[table])
    pipeline.tick()
    execute(pipeline.source, CHANGE[table])
    pipeline.tick()
    execute(pipeline.warehouse, f"ANALYZE {STAR[table]}")
    assert {f"public.{STAR[table]}", STATISTICS} <= places_in_the_warehouse(pipeline.warehouse)
    assert (STAR[table], KEY, False) in looked_up(pipeline, PRESENT)


def rebuilt(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection:
        assert load(connection, pipeline.processed, STAR_TABLES, rebuild=True).rebuilding is None


def assert_the_lake_keeps_them(pipeline: Pipeline) -> None:
    assert is_in_the_lake(pipeline.ingestion, [PRESENT])
    assert is_in_the_lake(pipeline.processed, [PRESENT])


def test_the_page_names_every_text_and_number_of_the_source_that_may_be_of_people(source: str) -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8").partition("\n## Personal data\n")[2]
    named = {
        (table, column)
        for table, columns in re.findall(r"^\| `(\w+)` \| (.+) \|$", page.partition("From there")[0], re.MULTILINE)
        for column in re.findall(r"`(\w+)`", columns) or [columns]
    }
    captured = [table.name for table in SOURCE_TABLES]
    columns = rows(
        source,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name = ANY(%s) AND data_type IN ('text', 'integer')",
        [captured],
    )
    told = {(table, column) for table, column in columns if {(table, column), (table, "all")} & named}
    keys = {(table, column) for table, column in columns if column.endswith("_id")}
    assert set(columns) - keys - told == OF_NOBODY
    assert {table for table, _ in told} == {table for table, _ in named}


@pytest.mark.begun
@pytest.mark.parametrize("table", STAR)
def test_whom_the_source_still_has_is_gone_from_the_warehouse_with_the_next_run(pipeline: Pipeline, table: str) -> None:
    has_lived(pipeline, table)
    overwrite(pipeline, table)
    for each in OF_THE_COUNTERPARTY[table]:
        overwrite(pipeline, each, ADDRESS)
    pipeline.tick()
    assert places_in_the_warehouse(pipeline.warehouse) <= {STATISTICS}
    vacuum(pipeline.warehouse)
    assert places_in_the_warehouse(pipeline.warehouse) == set()
    assert looked_up(pipeline, PRESENT) == []
    assert_the_lake_keeps_them(pipeline)
    assert_equal(pipeline)
    rebuilt(pipeline)
    assert places_in_the_warehouse(pipeline.warehouse) == set()


@pytest.mark.begun
@pytest.mark.parametrize("table", STAR)
def test_whom_the_source_has_deleted_is_gone_once_the_key_has_come_and_gone_again(
    pipeline: Pipeline, table: str
) -> None:
    has_lived(pipeline, table)
    execute(pipeline.source, GO[table])
    pipeline.tick()
    assert f"public.{STAR[table]}" in places_in_the_warehouse(pipeline.warehouse), "a deleted row keeps its last values"
    assert (STAR[table], KEY, True) in looked_up(pipeline, PRESENT)

    insert_and_delete_again(pipeline, table)
    vacuum(pipeline.warehouse)
    assert places_in_the_warehouse(pipeline.warehouse) == set()
    assert rows(pipeline.source, f"SELECT FROM {table} WHERE {table}_id = {KEY}") == []
    assert_the_lake_keeps_them(pipeline)
    assert_equal(pipeline)
    rebuilt(pipeline)
    assert places_in_the_warehouse(pipeline.warehouse) == set()


@pytest.mark.begun
def test_a_counterparty_that_is_deleted_keeps_an_address_that_is_overwritten(pipeline: Pipeline) -> None:
    """So it has to be inserted again too."""
    has_lived(pipeline, "counterparty")
    execute(pipeline.source, f"DELETE FROM counterparty WHERE counterparty_id = {KEY}")
    overwrite(pipeline, "address", ADDRESS)
    pipeline.tick()
    assert looked_up(pipeline, STREET) == [("dim_counterparty", KEY, True)]
    execute(pipeline.source, typed("operating.md", "INSERT INTO counterparty "))
    pipeline.tick()
    execute(pipeline.source, f"DELETE FROM counterparty WHERE counterparty_id = {KEY}")
    pipeline.tick()
    vacuum(pipeline.warehouse)
    assert places_in_the_warehouse(pipeline.warehouse) == set()


@pytest.mark.begun
def test_a_row_that_comes_and_goes_between_two_runs_changes_nothing(pipeline: Pipeline) -> None:
    has_lived(pipeline, "staff")
    execute(pipeline.source, GO["staff"])
    pipeline.tick()
    execute(pipeline.source, typed("operating.md", "INSERT INTO staff "))
    execute(pipeline.source, GO["staff"])
    pipeline.tick()
    assert looked_up(pipeline, PRESENT) == [("dim_staff", KEY, True)]


@pytest.mark.begun
def test_an_erasure_by_null_keeps_the_name_until_the_row_is_out_of_quarantine(pipeline: Pipeline) -> None:
    """The quarantine keeps what it has had, of others too that the row was joined to."""
    has_lived(pipeline, "staff")
    execute(pipeline.source, "ALTER TABLE staff ALTER email_address DROP NOT NULL")
    execute(pipeline.source, f"UPDATE department SET manager = '{MANAGER}' WHERE department_id = 1")
    execute(pipeline.source, f"UPDATE staff SET email_address = NULL WHERE staff_id = {KEY}")
    pipeline.tick()
    shown = {"public.dim_staff", "report.staff"}
    assert shown <= places_in_the_warehouse(pipeline.warehouse)
    assert_equal(pipeline)
    assert looked_up(pipeline, PRESENT) == [("dim_staff", KEY, False)] * 2, "in the star, and in quarantine"

    execute(pipeline.source, typed("operating.md", "UPDATE department ", 1))
    overwrite(pipeline, "staff")
    pipeline.tick()
    vacuum(pipeline.warehouse)
    assert places_in_the_warehouse(pipeline.warehouse) == {"etl.quarantine"}
    assert looked_up(pipeline, PRESENT) == looked_up(pipeline, MANAGER) == [("dim_staff", KEY, True)]
    assert_equal(pipeline)


@pytest.mark.begun
def test_whom_the_source_has_deleted_out_of_the_quarantine_is_erased_like_others(pipeline: Pipeline) -> None:
    has_lived(pipeline, "staff")
    execute(pipeline.source, "ALTER TABLE staff ALTER email_address DROP NOT NULL")
    execute(pipeline.source, f"UPDATE staff SET email_address = NULL WHERE staff_id = {KEY}")
    pipeline.tick()
    execute(pipeline.source, GO["staff"])
    pipeline.tick()
    insert_and_delete_again(pipeline, "staff")
    vacuum(pipeline.warehouse)
    assert places_in_the_warehouse(pipeline.warehouse) == {"etl.quarantine"}


@pytest.mark.begun
def test_a_contact_a_manager_and_an_added_column_are_in_the_lake_alone(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE staff ADD COLUMN nickname text")
    execute(pipeline.source, f"UPDATE staff SET nickname = '{FORMER}' WHERE staff_id = 1")
    execute(pipeline.source, f"UPDATE counterparty SET delivery_contact = '{PRESENT}' WHERE counterparty_id = 1")
    execute(pipeline.source, f"UPDATE department SET manager = '{MANAGER}' WHERE department_id = 1")
    pipeline.tick()
    assert places_in_the_warehouse(pipeline.warehouse) == set()
    assert all(is_in_the_lake(pipeline.ingestion, [word]) for word in (FORMER, PRESENT, MANAGER))
    assert not is_in_the_lake(pipeline.processed, WORDS), "the star has none of these columns"


@pytest.mark.begun
def test_facts_have_no_account_numbers_also_before_they_are_overwritten(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET counterparty_ac_number = 987654321 WHERE payment_id = 1")
    pipeline.tick()
    assert places_in_the_warehouse(pipeline.warehouse, ["987654321"]) == set()
    counterparty = value(pipeline.source, "SELECT counterparty_id FROM payment WHERE payment_id = 1")
    overwrite(pipeline, "payment", counterparty)
    assert pipeline.tick().tables["fact_payment"].versions == 0


@pytest.mark.begun
def test_the_dashboard_shows_nobody_who_is_erased_but_at_earlier_moments(pipeline: Pipeline) -> None:
    has_lived(pipeline, "counterparty")
    execute(pipeline.source, COME["staff"])
    pipeline.tick()
    store = MemoryStore()
    published(pipeline.warehouse, store)
    page = Reader(store)
    before = page.latest.manifest
    for table in ("staff", "counterparty"):
        overwrite(pipeline, table)
    overwrite(pipeline, "address", ADDRESS)
    pipeline.tick()
    published(pipeline.warehouse, store)

    def shown(manifest: str) -> set[str]:
        tables = page.rows(page.manifest(manifest))
        return {table for table, held in tables.items() if any(word in str(held) for word in WORDS)}

    assert shown(page.latest.manifest) == set()
    assert shown(before) == {"staff", "counterparty", "location"}
    assert not any(STREET in str(held) for held in page.rows(page.manifest(before)).values())
    kept = {each["CacheControl"] for key, each in store.headers.items() if key.startswith("data/files/staff/")}
    assert kept == {f"private, max-age={365 * 86_400}, immutable"}


@pytest.mark.begun
def test_a_dashboard_that_was_emptied_is_published_whole_again(pipeline: Pipeline) -> None:
    store = MemoryStore()
    published(pipeline.warehouse, store)
    files = [key for key in store.keys if key.startswith("data/files/")]
    for key in store.keys:
        store.delete_object(Bucket="dashboard", Key=key)
    published(pipeline.warehouse, store)
    assert [key for key in store.keys if key.startswith("data/files/")] == files


@pytest.mark.begun
def test_whoever_leaves_reads_nothing_more_of_the_warehouse(pipeline: Pipeline) -> None:
    """By docs/readers.md, with other roles in the place of those that it names, and an administrator as RDS has one."""
    steps = ("ALTER ROLE name", "GRANT name", "SELECT pg_terminate", "REASSIGN", "DROP OWNED BY name", "DROP ROLE")
    master, own, shared, heir = (f"leaver_{what}" for what in ("master", "own", "shared", "heir"))
    name = pipeline.warehouse.rpartition("/")[2]
    execute(
        pipeline.warehouse,
        f"CREATE ROLE {master} LOGIN CREATEROLE PASSWORD 'p'; GRANT pg_signal_backend TO {master};"
        f"ALTER DATABASE {name} OWNER TO {master}; CREATE SCHEMA bi AUTHORIZATION {master}",
    )
    by_master = make_dsn(pipeline.warehouse, user=master, password="p")
    execute(
        by_master,
        f"CREATE ROLE {own} LOGIN PASSWORD 'p'; CREATE ROLE {shared} LOGIN PASSWORD 'p'; CREATE ROLE {heir};"
        f"GRANT {heir} TO CURRENT_USER; GRANT TEMPORARY ON DATABASE {name} TO {own}; GRANT ALL ON SCHEMA bi TO {own}",
    )
    execute(make_dsn(pipeline.warehouse, user=own, password="p"), "CREATE VIEW bi.theirs AS SELECT 1 AS one")
    try:
        with ExitStack() as stack:
            open_sessions = [
                stack.enter_context(closing(psycopg2.connect(pipeline.warehouse, user=each, password="p")))
                for each in (own, shared)
            ]
            for each in (typed("readers.md", begins) for begins in steps):
                statement = re.sub(r"\bname\b", own, each).replace("totes_dashboard", shared)
                execute(by_master, statement.replace("totes_warehouse", heir))
            for connection in open_sessions:
                with pytest.raises(psycopg2.OperationalError), connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(pipeline.warehouse, user=own, password="p")
        assert value(by_master, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'theirs'") == heir
    finally:
        execute(
            pipeline.warehouse,
            f"ALTER DATABASE {name} OWNER TO postgres; DROP OWNED BY {master}, {heir} CASCADE;"
            f"DROP ROLE IF EXISTS {own}; DROP ROLE {shared}, {heir}, {master}",
        )
