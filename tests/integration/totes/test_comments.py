"""Every table, view and column of the warehouse says what it means; what somebody else has written stays."""

import pytest
from psycopg2 import sql

from tests.support.databases import execute, rows, session, value
from tests.support.pipeline import Pipeline
from totes.star import STAR_TABLES
from totes.warehouse import load
from totes.warehouse.for_readers.comments import comments
from totes.warehouse.for_readers.retired_comments import RETIRED
from totes.warehouse.grants import TABLE, VIEW, GrantsAndComments, comment, oid_of

WITHOUT = """
    SELECT format('%s.%s', relnamespace::regnamespace, relname), attname FROM (
        SELECT oid, relname, relnamespace, relkind, NULL AS attname, 0 AS attnum FROM pg_class
        UNION ALL
        SELECT oid, relname, relnamespace, relkind, attname, attnum FROM pg_class JOIN pg_attribute ON attrelid = oid
        WHERE attnum > 0 AND NOT attisdropped
    ) AS described
    WHERE relnamespace::regnamespace::text IN ('public', 'etl', 'report') AND relkind IN ('r', 'v')
    AND NOT EXISTS (SELECT FROM pg_description WHERE objoid = described.oid AND objsubid = attnum)
    ORDER BY 1, 2
"""


def rebuilt(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)


def said_of(pipeline: Pipeline, column: str) -> str | None:
    found: str | None = value(
        pipeline.warehouse,
        "SELECT col_description('fact_sales_order'::regclass, attnum) FROM pg_attribute "
        "WHERE attrelid = 'fact_sales_order'::regclass AND attname = %s",
        [column],
    )
    return found


@pytest.mark.begun
def test_nothing_in_the_warehouse_is_without_a_comment(pipeline: Pipeline) -> None:
    assert rows(pipeline.warehouse, WITHOUT) == []
    rebuilt(pipeline)
    assert rows(pipeline.warehouse, WITHOUT) == []


@pytest.mark.begun
def test_a_comment_says_what_a_column_means_where_it_is_from_and_what_it_refers_to(pipeline: Pipeline) -> None:
    assert (
        said_of(pipeline, "sales_staff_id")
        == "Who made the sale. From sales_order.staff_id. Refers to dim_staff.staff_id."
    )
    assert (
        said_of(pipeline, "unit_price") == "The price of a bag, in the order's currency. From sales_order.unit_price."
    )


@pytest.mark.begun
def test_what_somebody_has_written_stays_and_what_is_missing_is_written_again(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "COMMENT ON COLUMN fact_sales_order.units_sold IS 'ours';COMMENT ON COLUMN fact_sales_order.unit_price IS NULL",
    )
    pipeline.load()
    rebuilt(pipeline)
    assert said_of(pipeline, "units_sold") == "ours"
    assert "price of a bag" in (said_of(pipeline, "unit_price") or "")


COMMENTS = """
    SELECT relnamespace::regnamespace::text, relname, attname, description FROM pg_description
    JOIN pg_class ON pg_class.oid = objoid
    LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND attnum > 0
    WHERE classoid = 'pg_class'::regclass AND relnamespace::regnamespace::text IN ('public', 'etl')
    AND relkind IN ('r', 'p', 'v')
"""


def write_comment(pipeline: Pipeline, schema: str, name: str, column: str | None, said: str) -> None:
    kind = VIEW if name.startswith("current_") else TABLE
    with session(pipeline.warehouse) as connection, connection, connection.cursor() as cursor:
        cursor.execute(comment(kind, sql.Identifier(schema, name), column, said))


@pytest.mark.begun
def test_what_an_earlier_totes_has_written_gives_way_and_what_somebody_has_written_stays(pipeline: Pipeline) -> None:
    before = set(rows(pipeline.warehouse, COMMENTS))
    assert {(*place, column, said) for place, column, said in comments(STAR_TABLES)} == before
    for entry in RETIRED:
        write_comment(pipeline, *entry)
    assert set(rows(pipeline.warehouse, COMMENTS)) >= RETIRED
    pipeline.load()
    assert set(rows(pipeline.warehouse, COMMENTS)) == before
    # Word for word, and in its place, or it is somebody's.
    theirs = {(schema, name, column, f"{said} We use it.") for schema, name, column, said in RETIRED}
    theirs |= {("etl", "drift", "what", said) for _, name, _, said in RETIRED if name == "quarantine"}
    for entry in theirs:
        write_comment(pipeline, *entry)
    written = set(rows(pipeline.warehouse, COMMENTS))
    pipeline.load()
    rebuilt(pipeline)
    pipeline.load()
    assert set(rows(pipeline.warehouse, COMMENTS)) == written != before


def test_no_retired_comment_is_todays_and_each_has_one_that_it_gives_way_to() -> None:
    today = {(*place, column): said for place, column, said in comments(STAR_TABLES)}
    assert [entry for entry in RETIRED if today[entry[:3]] == entry[3]] == []


def test_what_somebody_has_written_on_a_system_column_is_no_comment_of_the_table(empty_database: str) -> None:
    with session(empty_database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE old (id int); CREATE TABLE new (id int)")
        cursor.execute("COMMENT ON COLUMN old.ctid IS 'where it lies'; COMMENT ON COLUMN old.id IS 'which it is'")
        [kept] = GrantsAndComments.of(cursor, TABLE, [oid_of(cursor, sql.Identifier("old"))]).values()
        kept.put_on(cursor, sql.Identifier("new"))
        cursor.execute("SELECT obj_description('new'::regclass, 'pg_class'), col_description('new'::regclass, 1)")
        assert cursor.fetchall() == [(None, "which it is")]


def test_every_sentence_is_one() -> None:
    assert [found for found in comments(STAR_TABLES) if not found[2].endswith(".") or "  " in found[2]] == []
