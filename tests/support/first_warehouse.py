"""A warehouse as the first totes made it: serial record ids, foreign keys to the ledger, no state of its own."""

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from tests.support.databases import session
from totes.star_schema import Fact, StarTable

_LEDGER = """
    CREATE SCHEMA etl;
    CREATE TABLE etl.batch (
        batch_id integer PRIMARY KEY,
        edition integer NOT NULL,
        capture_sha256 text NOT NULL,
        horizon bigint NOT NULL,
        captured_at timestamptz NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE etl.batch_table (
        batch_id integer NOT NULL REFERENCES etl.batch,
        star_table text NOT NULL,
        rows_in bigint NOT NULL,
        versions bigint NOT NULL,
        unchanged bigint NOT NULL,
        quarantined bigint NOT NULL,
        deleted bigint NOT NULL,
        PRIMARY KEY (batch_id, star_table),
        CHECK (rows_in = versions + unchanged + quarantined + deleted)
    );
    CREATE TABLE etl.drift (
        batch_id integer NOT NULL REFERENCES etl.batch,
        what text NOT NULL
    );
    CREATE TABLE etl.quarantine (
        batch_id integer NOT NULL REFERENCES etl.batch,
        star_table text NOT NULL,
        key bigint NOT NULL,
        reason text NOT NULL,
        source_row jsonb NOT NULL,
        resolved_by integer REFERENCES etl.batch,
        PRIMARY KEY (batch_id, star_table, key)
    );
    CREATE INDEX ON etl.quarantine (star_table, key) WHERE resolved_by IS NULL;
"""


def make_first_warehouse(warehouse: str, tables: Sequence[StarTable], filled: str) -> None:
    """Make the tables and views of the first totes in an empty database, with the content of another warehouse."""
    with session(warehouse) as connection, connection, connection.cursor() as cursor, session(filled) as other:
        cursor.execute(_LEDGER)
        for name in ("batch", "batch_table", "drift", "quarantine"):
            _fill(other.cursor(), cursor, f"etl.{name}", "*")
        for table in tables:
            _create(cursor, table)
            names = ", ".join([*(column.name for column in table.columns), "batch_id", "is_deleted"])
            _fill(other.cursor(), cursor, f"public.{table.name}", names)


def _fill(other: Cursor, cursor: Cursor, table: str, names: str) -> None:
    other.execute(f"SELECT {names} FROM {table}")
    described = [column.name for column in other.description or ()]
    values = ", ".join(["%s::jsonb" if name == "source_row" else "%s" for name in described])
    other.execute(
        f"SELECT {', '.join(f'{name}::text' if name == 'source_row' else name for name in described)} FROM {table}"
    )
    cursor.executemany(f"INSERT INTO {table} ({', '.join(described)}) VALUES ({values})", other.fetchall())


def _create(cursor: Cursor, table: StarTable) -> None:
    columns = [f"{column.name} {column.sql_type}{'' if column.nullable else ' NOT NULL'}" for column in table.columns]
    ours = "batch_id integer NOT NULL REFERENCES etl.batch, is_deleted boolean NOT NULL DEFAULT false"
    if isinstance(table, Fact):
        columns = [f"{table.record_id} serial PRIMARY KEY", *columns, ours, f"UNIQUE ({table.key}, batch_id)"]
    else:
        columns = [*columns, ours, f"PRIMARY KEY ({table.key})"]
    cursor.execute(sql.SQL(f"CREATE TABLE public.{table.name} ({', '.join(columns)})"))
    if isinstance(table, Fact):
        cursor.execute(
            f"CREATE VIEW public.{table.current_view} AS SELECT * FROM (SELECT DISTINCT ON ({table.key}) * "
            f"FROM public.{table.name} ORDER BY {table.key}, batch_id DESC) AS newest WHERE NOT is_deleted"
        )
