"""A publication asks the warehouse for what has changed, key by key, and is told what a pass over all versions says."""

import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone
from tests.support.snapshots import folder_of
from totes.dashboard_snapshot import publish
from totes.dashboard_snapshot.reading import Consume, read_parts
from totes.dashboard_snapshot.state import months_changed
from totes.dashboard_snapshot.tables import FACTS, FactTables, Table
from totes.star import STAR_TABLES
from totes.star_schema import Fact

# In one pass over the versions of all keys; a payment is paid since it last turned so.
ORDERS = "SELECT {key}, count(*) AS versions, min(batch_id) AS first_batch FROM fact_{name} GROUP BY 1"
PAYMENTS = """
    SELECT payment_id, count(*) AS versions, min(batch_id) AS first_batch,
        max(batch_id) FILTER (WHERE paid AND was_paid IS NOT TRUE) AS turned_paid
    FROM (
        SELECT payment_id, batch_id, paid, lag(paid) OVER (PARTITION BY payment_id ORDER BY batch_id) AS was_paid
        FROM fact_payment
    ) AS version
    GROUP BY 1
"""


def add_versions(uri: str, fact: FactTables, versions: str) -> None:
    """Add versions to a fact, as a query gives them: key, batch, day, deleted, paid, link; all else is of one row."""
    [table] = [each for each in STAR_TABLES if each.name == f"fact_{fact.current.name}" and isinstance(each, Fact)]
    given = {
        table.key: "version.key",
        "batch_id": "version.batch",
        "created_date": "version.day",
        "is_deleted": "version.deleted",
        "paid": "version.paid",
        "transaction_id": "version.link",
    }
    names = [*(column.name for column in table.columns), "batch_id", "is_deleted"]
    execute(
        uri,
        f"""
            INSERT INTO {table.name} ({", ".join(names)})
            SELECT {", ".join(given.get(name, f"one.{name}") for name in names)}
            FROM ({versions}) AS version, (SELECT * FROM {table.name} ORDER BY 1 LIMIT 1) AS one
        """,
    )


def histories(chosen: random.Random) -> str:
    """Versions of some hundred keys that come, change, go and come again, in batches of which each skips some."""
    found = []
    for key in range(10_001, 10_301):
        day, link = chosen.randrange(700), chosen.randrange(300)
        for batch in sorted(chosen.sample(range(2, 12), chosen.choice([1, 1, 2, 3, 6]))):
            if chosen.random() < 0.2:
                day, link = chosen.randrange(700), chosen.randrange(300)
            deleted, paid = chosen.random() < 0.2, chosen.random() < 0.5
            found.append(f"({key}, {batch}, date '2024-01-15' + {day}, {deleted}, {paid}, {20_000 + link})")
    return f"SELECT * FROM (VALUES {', '.join(found)}) AS version (key, batch, day, deleted, paid, link)"


@pytest.fixture
def rich(pipeline: Pipeline, request: pytest.FixtureRequest) -> str:
    """A warehouse in which a row has come back, others wait in quarantine or were let out, and many have a history."""
    for changes in (
        "CREATE TABLE gone AS SELECT * FROM payment WHERE payment_id < 4; DELETE FROM payment WHERE payment_id < 4",
        "INSERT INTO payment SELECT * FROM gone",
        "UPDATE payment SET payment_date = 'soon' WHERE payment_id IN (3, 5, 6)",
        "UPDATE payment SET payment_date = '2025-01-02', paid = NOT paid WHERE payment_id = 5",
    ):
        execute(pipeline.source, changes)
        pipeline.tick()
    chosen = random.Random(request.param)  # noqa: S311 - no secret is made of it
    execute(
        pipeline.warehouse,
        "INSERT INTO dim_transaction (transaction_id, transaction_type, sales_order_id, batch_id) "
        "SELECT 20000 + n, 'SALE', n, 2 + n % 10 FROM generate_series(1, 200) AS n",
    )
    for fact in FACTS:
        add_versions(pipeline.warehouse, fact, histories(chosen))
    return pipeline.warehouse


@pytest.mark.begun
@pytest.mark.parametrize("rich", [1, 2, 3], indirect=True)
def test_what_a_row_says_of_its_history_is_what_one_pass_over_all_versions_says(rich: str) -> None:
    for fact in FACTS:
        name, key = fact.current.name, fact.key
        held, since, more = ORDERS.format(key=key, name=name), "", ""
        if name == "payment":
            held, since, more = PAYMENTS, ", CASE WHEN paid THEN turned_paid END", ", paid_since"
        found = rows(rich, f"SELECT {key}, batch, versions, first_batch{more} FROM report.{name}s ORDER BY 1")
        assert len(found) > 200
        assert found == rows(
            rich,
            f"""
                SELECT {key}, batch_id, versions, first_batch{since}
                FROM current_{name} JOIN ({held}) AS held USING ({key}) ORDER BY 1
            """,
        )


def read(
    cursor: Cursor, table: Table, months: list[str] | None, *, by_key: bool = False
) -> dict[str, list[tuple[Any, ...]]]:
    parts: dict[str, list[tuple[Any, ...]]] = {}

    def consume(part: str, frame: pl.DataFrame) -> None:
        parts[part] = frame.rows()

    read_parts(cursor, table, consume, months, by_key=by_key)
    return parts


@pytest.mark.begun
@pytest.mark.parametrize("rich", [1, 2], indirect=True)
def test_months_are_read_as_they_are_in_the_whole_and_rows_with_a_history_are_all_there(rich: str) -> None:
    with session(rich) as connection, connection.cursor() as cursor:
        for fact in FACTS:
            for table in (fact.current, fact.versions):
                whole = read(cursor, table, None)
                every = sorted(whole)
                assert len(every) > 20
                for months in (every[3:4], [every[0], *every[5:9], every[-1]], [*every[9:5:-1], "0001-01", "9999-12"]):
                    expected = {month: whole[month] for month in sorted(months) if month in whole}
                    assert read(cursor, table, months) == expected
                    assert read(cursor, table, months, by_key=table.counts_versions) == expected
            key, view = fact.key, f"report.{fact.versions.view}"
            of_histories = rows(
                rich,
                f"""
                    SELECT {key}, batch FROM {view} WHERE {key} IN
                        (SELECT {key} FROM {view} GROUP BY 1 HAVING count(*) > 1 OR bool_or(deleted))
                """,
            )
            of_parts = [(row[0], row[-2]) for part in read(cursor, fact.versions, None).values() for row in part]
            assert sorted(of_parts) == sorted(of_histories)


@pytest.mark.begun
@pytest.mark.parametrize("rich", [1, 2], indirect=True)
def test_a_month_has_changed_if_a_batch_has_changed_a_version_of_one_of_its_rows_or_what_that_pays(rich: str) -> None:
    with session(rich) as connection, connection.cursor() as cursor:
        for fact in FACTS:
            key, view = fact.key, f"report.{fact.versions.view}"
            for since in range(13):
                changed = " OR ".join(f"{column} > {since}" for column in fact.changed_by)
                months = rows(
                    rich,
                    f"""
                        SELECT DISTINCT to_char(day, 'YYYY-MM') FROM {view}
                        WHERE {key} IN (SELECT {key} FROM {view} WHERE {changed})
                    """,
                )
                assert [(month,) for month in months_changed(cursor, fact, since)] == sorted(months)
            assert not months_changed(cursor, fact, 99)


VERSIONS, MONTHS = 120_000, 400
OF_A_MONTH = VERSIONS // MONTHS
OF_A_BATCH = 1_000
HISTORY = f"""
    SELECT
        /* The eleventh version is the second one of the tenth key, by another batch. */
        1000 + n - n / 11 AS key, 1000 + n - n / 11 AS link,
        10 + 2 * (n / {OF_A_BATCH}) + (n % 11 = 0)::integer AS batch,
        (date '1993-01-01' + n / {OF_A_MONTH} * interval '1 month')::date AS day,
        n % 2 = 0 AS paid, false AS deleted
    FROM generate_series(1, {VERSIONS}) AS n
"""


@dataclass(frozen=True)
class Large:
    """A warehouse with a long history."""

    uri: str
    newest: int
    month: str


@pytest.fixture
def large(pipeline: Pipeline) -> Large:
    execute(
        pipeline.warehouse,
        f"""
            INSERT INTO dim_transaction (transaction_id, transaction_type, batch_id)
            SELECT link, 'SALE', max(batch) FROM ({HISTORY}) AS version GROUP BY link ON CONFLICT DO NOTHING
        """,
    )
    for fact in FACTS:
        add_versions(pipeline.warehouse, fact, HISTORY)
    run_alone(pipeline.warehouse, "VACUUM ANALYZE")
    return Large(
        uri=pipeline.warehouse,
        newest=value(pipeline.warehouse, "SELECT max(batch_id) FROM fact_payment"),
        month="2001-05",
    )


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


GATHERING = {"Aggregate", "Group", "Hash", "Incremental Sort", "Materialize", "Memoize", "Sort", "Unique", "WindowAgg"}


def gathered(cursor: Cursor, query: str) -> int:
    """How many rows a query sorts, counts or keeps: the most that one node of its plan does."""
    cursor.execute(f"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {query}")
    [[[explained]]] = cursor.fetchall()
    return max(
        (
            round(sum(child["Actual Rows"] * child["Actual Loops"] for child in node.get("Plans", [])))
            for node in nodes(explained["Plan"])
            if node["Node Type"] in GATHERING
        ),
        default=0,
    )


def last_query(cursor: Cursor) -> str:
    """What a cursor was last asked; of a COPY, the query whose rows it copies."""
    said = (cursor.query or b"").decode()
    copied = re.fullmatch(r"COPY \((.*)\) TO STDOUT .*", said, re.DOTALL)
    return copied[1] if copied else said


def unparallel(connection: Connection) -> Cursor:
    cursor = connection.cursor()
    cursor.execute("SET max_parallel_workers_per_gather = 0")
    return cursor


@pytest.mark.begun
def test_a_publication_sorts_and_counts_no_more_than_what_has_changed(large: Large) -> None:
    with session(large.uri) as connection, unparallel(connection) as cursor:
        for fact in FACTS:
            for table in (fact.current, fact.versions):
                assert read(cursor, table, [large.month], by_key=table.counts_versions)
                assert 0 < gathered(cursor, last_query(cursor)) <= 2 * OF_A_MONTH, table.name
            assert months_changed(cursor, fact, large.newest - 2)
            assert 0 < gathered(cursor, last_query(cursor)) <= 2 * OF_A_BATCH, fact.key


@pytest.mark.begun
def test_few_months_are_looked_up_by_key_and_most_of_them_are_not(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, bool] = {}

    def notes(cursor: Cursor, table: Table, consume: Consume, months: list[str] | None, *, by_key: bool) -> None:
        asked[table.name] = by_key
        read_parts(cursor, table, consume, months, by_key=by_key)

    monkeypatch.setattr(sys.modules[publish.__module__], "read_parts", notes)
    store = MemoryStore()
    for change, by_key in (
        (
            """
                INSERT INTO sales_order
                SELECT (jsonb_populate_record(one, '{"sales_order_id": 9000, "created_at": "2024-02-01"}')).*
                FROM sales_order AS one WHERE sales_order_id = 7
            """,
            {"sales_order": False, "payment": False},
        ),
        ("UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 9000", {"sales_order": True}),
        ("UPDATE payment SET paid = NOT paid", {"payment": False}),
    ):
        asked.clear()
        execute(pipeline.source, change)
        pipeline.tick()
        with session(pipeline.warehouse) as connection:
            publish(connection, folder_of(store))
        assert {table: asked.get(table) for table in by_key} == by_key


@pytest.mark.begun
def test_a_reader_who_asks_nothing_of_the_histories_does_not_wait_for_them(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        for fact in FACTS:
            money = "sum(amount)" if fact.key == "payment_id" else "sum(unit_price)"
            cursor.execute(f"EXPLAIN (FORMAT json) SELECT count(*), {money} FROM report.{fact.current.view}")
            [[[explained]]] = cursor.fetchall()
            read_from = [node["Relation Name"] for node in nodes(explained["Plan"]) if "Relation Name" in node]
            assert read_from == [f"fact_{fact.current.name}"] * 2, "the versions, and later ones"
