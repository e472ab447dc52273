"""What is in schema public is called what it was called while sessions looked there: in manifests and to people."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from tests.integration.totes.test_rebuild import rebuilt
from tests.support.databases import execute, own_session, rows
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES, capture
from totes.capture.source.contract import columns_of
from totes.capture.source.identity import identities_of
from totes.capture.source.snapshot import snapshot_of
from totes.errors import ConfigurationError
from totes.lake import CaptureManifest, Journal
from totes.star import STAR_TABLES, transform

OWN_TYPES = """
    CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN short AS varchar(9);
    CREATE TYPE "Odd One" AS (x int, y mood); CREATE TYPE public.date AS ENUM ('never');
    CREATE SCHEMA own; CREATE TYPE own.mood AS ENUM ('angry');
    CREATE FUNCTION twice(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN $1 || $1;
    CREATE FUNCTION own.twice(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN $1 || $1;
    CREATE OPERATOR public.<+> (FUNCTION = textcat, LEFTARG = text, RIGHTARG = text);
    ALTER TABLE staff ADD a mood DEFAULT 'sad', ADD b mood[], ADD c short, ADD d short[], ADD e "Odd One",
        ADD f public.date, ADD g public.date[], ADD h own.mood, ADD i date, ADD j numeric(5, 2)[],
        ADD k text GENERATED ALWAYS AS (twice(first_name) <+> 'public.x') STORED,
        ADD l boolean GENERATED ALWAYS AS (a = 'glad') STORED,
        ADD m text GENERATED ALWAYS AS (own.twice(upper(first_name))) STORED
"""

TYPES = {
    "a": "mood",
    "b": "mood[]",
    "c": "short",
    "d": "short[]",
    "e": '"Odd One"',
    "f": "public.date",
    "g": "public.date[]",
    "h": "own.mood",
    "i": "date",
    "j": "numeric(5,2)[]",
    "k": "text",
    "l": "boolean",
    "m": "text",
}
GENERATED = {
    "k": "(twice(first_name) <+> 'public.x'::text)",
    "l": "(a = 'glad'::mood)",
    "m": "own.twice(upper(first_name))",
}


@contextmanager
def earlier_session(uri: str) -> Iterator[Connection]:
    """A session that looks in schema public, as those of an earlier totes did."""
    with closing(psycopg2.connect(uri, options="-c search_path=public")) as connection:
        yield connection


def test_types_and_expressions_are_written_without_schema_public(pipeline: Pipeline) -> None:
    """PostgreSQL's own words for who looks there, which the manifests of earlier versions have."""
    execute(pipeline.source, OWN_TYPES)
    with own_session(pipeline.source, "source") as source, snapshot_of(source, SOURCE_TABLES) as snapshot:
        types = {column.name: column.type for column in columns_of(snapshot, SOURCE_TABLES)["staff"]}
        identity = identities_of(snapshot, SOURCE_TABLES)["staff"]
        with source.cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchall() == [("pg_catalog",)]
    with earlier_session(pipeline.source) as earlier, earlier.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnum || CASE attgenerated "
            "WHEN '' THEN '' ELSE ' ' || pg_get_expr(adbin, adrelid) END FROM pg_attribute "
            "LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum) "
            "WHERE attrelid = 'staff'::regclass AND attnum > 0"
        )
        found = cursor.fetchall()
    assert types == {name: written for name, written, _ in found}
    assert {name: types[name] for name in TYPES} == TYPES
    written = identity.members[identity.table].columns
    assert {name: said.partition(" of ")[0] for name, said in written.items()} == {
        name: said for name, _, said in found
    }
    assert {name: written[name].partition(" ")[2] for name in GENERATED} == GENERATED


def test_the_first_capture_of_sessions_that_do_not_look_in_public_finds_nothing_new(pipeline: Pipeline) -> None:
    execute(pipeline.source, OWN_TYPES)
    with earlier_session(pipeline.source) as earlier:
        assert capture(earlier, pipeline.ingestion, SOURCE_TABLES).batch == 1
    assert pipeline.capture().batch is None
    execute(pipeline.source, "UPDATE staff SET first_name = 'Ann' WHERE staff_id = 3")
    assert pipeline.capture().batch == 2
    first, second = (CaptureManifest.from_json(Journal(pipeline.ingestion).read(batch)) for batch in (1, 2))
    assert {name: (table.columns, table.identity) for name, table in second.tables.items()} == {
        name: (table.columns, table.identity) for name, table in first.tables.items()
    }
    assert sum(part.rows for part in second.tables["staff"].changes) == 1
    assert transform(pipeline.ingestion, pipeline.processed, STAR_TABLES).batches.count == 2
    pipeline.load()
    assert rows(pipeline.warehouse, "SELECT what FROM etl.drift") == []


@pytest.mark.begun
def test_what_is_in_the_way_is_named_as_people_write_it(pipeline: Pipeline) -> None:
    # In PostgreSQL 14 everybody may make things there, and so the function again.
    execute(pipeline.warehouse, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    execute(
        pipeline.warehouse,
        "CREATE TYPE mood AS ENUM ('sad'); CREATE FUNCTION seen(f dim_staff, m mood) RETURNS text LANGUAGE sql "
        "RETURN f.first_name; CREATE ROLE somebody; ALTER FUNCTION seen OWNER TO somebody; "
        "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER tt AFTER UPDATE ON dim_staff FOR EACH ROW EXECUTE FUNCTION tf()",
    )
    try:
        execute(pipeline.warehouse, "ALTER TABLE dim_staff ALTER email_address TYPE mood USING 'sad'")
        with pytest.raises(ConfigurationError, match=r"dim_staff\.email_address is mood and must be text"):
            pipeline.load()
        with pytest.raises(ConfigurationError) as refusal:
            rebuilt(pipeline)
        assert "the trigger tt on table dim_staff would be lost" in str(refusal.value)
        assert "the function public.seen(f dim_staff, m mood) reads one of them" in str(refusal.value)
    finally:
        execute(pipeline.warehouse, "DROP OWNED BY somebody; DROP ROLE somebody")
