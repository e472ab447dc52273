"""The warehouse's tables and views, made of the star tables' shapes; bookkeeping lies in schema `etl`."""

from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.roles import DASHBOARD
from totes.shapes import Fact, StarTable

# A batch's row here commits together with its rows in the star: it is in the warehouse exactly if it is in this table.
_LEDGER = """
    CREATE TABLE etl.batch (
        batch_id integer PRIMARY KEY,
        edition integer NOT NULL,
        capture_sha256 text NOT NULL,
        horizon bigint NOT NULL,
        captured_at timestamptz NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    COMMENT ON TABLE etl.batch IS 'The ledger: every batch that this warehouse holds.';
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
    COMMENT ON TABLE etl.batch_table IS 'What became of the rows of each batch, for each star table that it touched.';
    CREATE TABLE etl.drift (
        batch_id integer NOT NULL REFERENCES etl.batch,
        what text NOT NULL
    );
    COMMENT ON TABLE etl.drift IS 'Columns of the source that were added, dropped or retyped.';
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
    COMMENT ON TABLE etl.quarantine IS 'Source rows that could not become rows of a star table, and why.';
    COMMENT ON COLUMN etl.quarantine.resolved_by IS 'The batch that brought the row again, mended or not; NULL: open.';
"""


_TOLD_OF_BATCHES = ("batch_table", "drift", "quarantine", "batch")
"""Tables of schema `etl`, those that refer to etl.batch before it."""


def ensure_tables(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Create what is missing of the ledger and of the star tables, in the cursor's transaction.

    Raises:
        ConfigurationError: a star table is there that no ledger accounts for, so totes did not make it.
        psycopg2.Error: the warehouse broke off.
    """
    has_ledger = _exists(cursor, "etl", "batch")
    if not has_ledger:
        # "IF NOT EXISTS" would ask for the right to make schemas even where totes init has made this one.
        if not _has_schema(cursor, "etl"):
            cursor.execute("CREATE SCHEMA etl")
        cursor.execute(_LEDGER)
    for table in tables:
        if not _exists(cursor, "public", table.name):
            _create(cursor, table)
        elif not has_ledger:
            raise ConfigurationError(
                f"the warehouse has a table {table.name} that totes did not make (there is no ledger etl.batch); "
                "name an empty database"
            )


def empty_tables(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Delete all that the warehouse holds, in the cursor's transaction; who reads it sees it until that commits."""
    for name in (*(table.name for table in tables), *_TOLD_OF_BATCHES):
        schema = "etl" if name in _TOLD_OF_BATCHES else "public"
        cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, name)))


def _has_schema(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    return cursor.fetchone() is not None


def _exists(cursor: Cursor, schema: str, table: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s", (schema, table))
    return cursor.fetchone() is not None


def _create(cursor: Cursor, table: StarTable) -> None:
    columns: list[sql.Composable] = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.sql_type),
            sql.SQL("" if column.nullable else " NOT NULL"),
        )
        for column in table.columns
    ]
    ours = sql.SQL("batch_id integer NOT NULL REFERENCES etl.batch, is_deleted boolean NOT NULL DEFAULT false")
    if isinstance(table, Fact):
        columns = [
            sql.SQL("{} serial PRIMARY KEY").format(sql.Identifier(table.record_id)),
            *columns,
            ours,
            # A version is what one batch says of one row: this is where the database itself refuses a second one.
            sql.SQL("UNIQUE ({}, batch_id)").format(sql.Identifier(table.key)),
        ]
    else:
        columns = [*columns, ours, sql.SQL("PRIMARY KEY ({})").format(sql.Identifier(table.key))]
    name = sql.Identifier("public", table.name)
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(columns)))
    if isinstance(table, Fact):
        cursor.execute(_current_view(table))
        _show_on_dashboard(cursor, table.current_view)


def _show_on_dashboard(cursor: Cursor, view: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (DASHBOARD,))
    if cursor.fetchone() is not None:
        cursor.execute(
            sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier("public", view), sql.Identifier(DASHBOARD))
        )


def _current_view(table: Fact) -> sql.Composable:
    return sql.SQL(
        "CREATE VIEW {view} AS SELECT * FROM "
        "(SELECT DISTINCT ON ({key}) * FROM {table} ORDER BY {key}, batch_id DESC) AS newest WHERE NOT is_deleted"
    ).format(
        view=sql.Identifier("public", table.current_view),
        key=sql.Identifier(table.key),
        table=sql.Identifier("public", table.name),
    )
