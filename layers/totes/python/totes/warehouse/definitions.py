"""The warehouse's tables and views as SQL, made of the star tables' shapes; bookkeeping lies in schema `etl`."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.catalog import Relation
from totes.names import RATES_TABLE
from totes.star_schema import Column, Fact, StarTable
from totes.warehouse.places import BESIDE, LIVE, Place

LEDGER = ("batch", "batch_table", "drift", "quarantine")
"""The ledger's tables. Rows and ledger commit together, so they need no foreign keys, which cost half of a load."""

# A batch's row here commits together with its rows in the star: it is in the warehouse exactly if it is in this table.
_LEDGER: Mapping[str, str] = MappingProxyType(
    {
        "batch": """
    CREATE TABLE {batch} (
        batch_id integer PRIMARY KEY,
        edition integer NOT NULL,
        capture_sha256 text NOT NULL,
        horizon bigint NOT NULL,
        captured_at timestamptz NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
""",
        "batch_table": """
    CREATE TABLE {batch_table} (
        batch_id integer NOT NULL,
        star_table text NOT NULL,
        rows_in bigint NOT NULL,
        versions bigint NOT NULL,
        unchanged bigint NOT NULL,
        quarantined bigint NOT NULL,
        deleted bigint NOT NULL,
        PRIMARY KEY (batch_id, star_table),
        CHECK (rows_in = versions + unchanged + quarantined + deleted)
    );
""",
        "drift": """
    CREATE TABLE {drift} (
        batch_id integer NOT NULL,
        what text NOT NULL
    );
""",
        "quarantine": """
    CREATE TABLE {quarantine} (
        batch_id integer NOT NULL,
        star_table text NOT NULL,
        key bigint NOT NULL,
        reason text NOT NULL,
        source_row jsonb NOT NULL,
        resolved_by integer,
        PRIMARY KEY (batch_id, star_table, key)
    );
    CREATE INDEX ON {quarantine} (star_table, key) WHERE resolved_by IS NULL;
""",
    }
)

STATE = ("content", "star_column")
"""The tables of the state, which are not of a batch but of the warehouse as a whole."""

_STATE = """
    CREATE TABLE IF NOT EXISTS etl.content (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        edition integer,
        rebuild boolean NOT NULL DEFAULT false
    );
    CREATE TABLE IF NOT EXISTS etl.star_column (
        star_table text NOT NULL,
        column_name text NOT NULL,
        type text NOT NULL,
        nullable boolean NOT NULL,
        PRIMARY KEY (star_table, column_name)
    );
"""

# It is no column of etl.content, which may belong to a role whose rights the loader does not have. And it is not in
# STATE, for nothing is to be rebuilt for want of it.
_CONTENT_EDITION = """
    CREATE TABLE etl.content_edition (
        edition integer PRIMARY KEY,
        identity text NOT NULL
    );
"""

# It is not in STATE either.
_SETBACK = """
    CREATE TABLE etl.setback (
        at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
        given_up boolean NOT NULL,
        what text NOT NULL
    );
"""

# Not of a batch either, and so not made again by a rebuild: what a comparison has found stays true of its moment.
_VERIFICATION = """
    CREATE TABLE etl.verification (
        at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
        batch_id integer NOT NULL,
        equal boolean NOT NULL,
        differences bigint NOT NULL
    );
"""

# It is of another source than the star, and so of no batch: a rebuild leaves it as it is.
_RATES = """
    CREATE TABLE {rates} (
        rate_date date NOT NULL,
        base_currency text NOT NULL,
        currency text NOT NULL,
        rate numeric NOT NULL CHECK (rate > 0),
        PRIMARY KEY (base_currency, currency, rate_date)
    );
"""

RATE_LEDGER = ("rate_day", "refused_rate", "reporting_currency", "rate_quarantine")
"""The tables and the view that say of which days exchange rates are held, and which are nonsense."""

_RATE_LEDGER = """
    CREATE TABLE IF NOT EXISTS etl.rate_day (
        base_currency text NOT NULL,
        rate_date date NOT NULL,
        batch_id integer NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (base_currency, rate_date)
    );
    CREATE TABLE IF NOT EXISTS etl.refused_rate (
        base_currency text NOT NULL,
        rate_date date NOT NULL,
        currency text NOT NULL,
        said text NOT NULL,
        reason text NOT NULL,
        of_shop boolean NOT NULL,
        PRIMARY KEY (base_currency, rate_date, currency)
    );
    CREATE TABLE IF NOT EXISTS etl.reporting_currency (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        code text NOT NULL
    );
    CREATE OR REPLACE VIEW etl.rate_quarantine AS
        SELECT
            batch_id,
            'fact_exchange_rate'::text AS star_table,
            to_char(rate_date, 'YYYYMMDD')::bigint AS key,
            string_agg(currency || ' ' || reason, '; ' ORDER BY currency) AS reason,
            jsonb_object_agg(currency, said) AS source_row,
            (
                SELECT later.batch_id FROM etl.rate_day AS later
                WHERE later.base_currency = refused.base_currency AND later.rate_date > refused.rate_date
                ORDER BY later.rate_date LIMIT 1
            ) AS resolved_by
        FROM etl.refused_rate AS refused
        JOIN etl.rate_day USING (base_currency, rate_date)
        JOIN etl.reporting_currency ON code = base_currency
        WHERE of_shop
        GROUP BY base_currency, rate_date, batch_id;
"""

_LIKE_ITSELF = {"time(3)": "time(3) without time zone"}
"""How PostgreSQL's catalog writes a type, if it does not write it as the definitions of star tables do."""


class Replacement(NamedTuple):
    """A live table in words, its name, that of the table which replaces it, and which star table it is, or None."""

    shown: str
    live: sql.Identifier
    beside: sql.Identifier
    star: StarTable | None


def replacements(tables: Sequence[StarTable]) -> Iterator[Replacement]:
    """Return every table that a rebuild replaces."""
    for table in tables:
        yield Replacement(table.name, LIVE.star(table.name), BESIDE.star(table.name), table)
    for name in LEDGER:
        yield Replacement(f"etl.{name}", LIVE.ledger(name), BESIDE.ledger(name), None)


def star_and_ledger(tables: Sequence[StarTable]) -> list[Relation]:
    """Return the live tables of the star and of the ledger."""
    return [*(("public", table.name) for table in tables), *(("etl", name) for name in LEDGER)]


def create_ledger(cursor: Cursor, place: Place, names: Sequence[str] = LEDGER) -> None:
    """Create the ledger's tables, or some of them."""
    cursor.execute(sql.SQL("").join(sql.SQL(_LEDGER[name]).format(**{name: place.ledger(name)}) for name in names))


def create_state(cursor: Cursor) -> None:
    """Create what is missing of the tables that say what the warehouse as a whole is."""
    cursor.execute(_STATE)


def create_content_edition(cursor: Cursor) -> None:
    """Create the table that tells the edition which the content is of from others of its number."""
    cursor.execute(_CONTENT_EDITION)


def create_setback(cursor: Cursor) -> None:
    """Create the table that says what the rebuild that is wanted has met with."""
    cursor.execute(_SETBACK)


def create_verification(cursor: Cursor) -> None:
    """Create the table that says what each comparison with the source has found."""
    cursor.execute(_VERIFICATION)


def create_rate_ledger(cursor: Cursor) -> None:
    """Create what is missing of the tables that say which days of exchange rates are held, and which are nonsense."""
    cursor.execute(_RATE_LEDGER)


def create_rates(cursor: Cursor) -> None:
    """Create the table of exchange rates."""
    cursor.execute(sql.SQL(_RATES).format(rates=sql.Identifier("public", RATES_TABLE)))


def create_star(cursor: Cursor, place: Place, table: StarTable) -> None:
    """Create a star table without its keys, which are quicker built when its rows are there."""
    columns = [_definition(column) for column in table.columns]
    if isinstance(table, Fact):
        columns.insert(0, sql.SQL("{} bigserial").format(sql.Identifier(table.record_id)))
    columns.append(sql.SQL("batch_id integer NOT NULL, is_deleted boolean NOT NULL DEFAULT false"))
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(place.star(table.name), sql.SQL(", ").join(columns)))


def keys_of(table: StarTable) -> Sequence[sql.Composable]:
    """Return a star table's keys, as constraints; the one that two rows of a batch may break comes first."""
    if not isinstance(table, Fact):
        return [sql.SQL("PRIMARY KEY ({})").format(sql.Identifier(table.key))]
    # A version is what one batch says of one row: this is where the database itself refuses a second one.
    version = sql.SQL("UNIQUE ({}, batch_id)").format(sql.Identifier(table.key))
    return [version, sql.SQL("PRIMARY KEY ({})").format(sql.Identifier(table.record_id))]


def columns_known_by(table: StarTable) -> Sequence[str]:
    """Return the columns of a star table's first key, by which a load finds its rows."""
    return [table.key, "batch_id"] if isinstance(table, Fact) else [table.key]


def add_key(cursor: Cursor, place: Place, table: StarTable, key: sql.Composable) -> None:
    """Build one of a star table's keys.

    Raises:
        psycopg2.errors.UniqueViolation: a batch has brought a key twice.
    """
    cursor.execute(sql.SQL("ALTER TABLE {} ADD {}").format(place.star(table.name), key))


def add_keys(cursor: Cursor, place: Place, table: StarTable) -> None:
    """Build all keys of a star table."""
    for key in keys_of(table):
        add_key(cursor, place, table, key)


def serial_of(cursor: Cursor, place: Place, table: Fact) -> sql.Composable | None:
    """Return the sequence that gives a fact's record ids; None if somebody has dropped it, or their column."""
    name = place.star(table.name).as_string(cursor)
    cursor.execute(
        "SELECT pg_get_serial_sequence(%s, attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s",
        (name, name, table.record_id),
    )
    [sequence] = cursor.fetchone() or [None]
    return sql.SQL(sequence) if sequence else None


def catalog_type(column: Column) -> str:
    """Return a column's type as PostgreSQL's catalog writes it."""
    return _LIKE_ITSELF.get(column.sql_type, column.sql_type)


def columns_made(tables: Sequence[StarTable]) -> Iterator[tuple[str, str, str, bool]]:
    """Return table, column, type and whether it may be NULL, of every column that totes makes."""
    for table in tables:
        if isinstance(table, Fact):
            yield table.name, table.record_id, "bigint", False
        for column in table.columns:
            yield table.name, column.name, catalog_type(column), column.nullable
        yield table.name, "batch_id", "integer", False
        yield table.name, "is_deleted", "boolean", False


def typed(columns: Sequence[Column]) -> sql.Composable:
    """Return columns with their types, for a table in which each may be NULL."""
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type)) for column in columns
    )


def types_of(table: StarTable) -> Mapping[str, str]:
    """Return the types of a star table's columns, without is_deleted, as the shapes write them."""
    types = {column.name: column.sql_type for column in table.columns} | {"batch_id": "integer"}
    return types | {table.record_id: "bigint"} if isinstance(table, Fact) else types


def identifiers(names: Sequence[str], table: str | None = None) -> sql.Composable:
    """Return column names for a statement, separated by commas, and qualified by a table's name if it is given."""
    return sql.SQL(", ").join(sql.Identifier(table, name) if table else sql.Identifier(name) for name in names)


def _definition(column: Column) -> sql.Composable:
    return sql.SQL("{} {}{}").format(
        sql.Identifier(column.name), sql.SQL(column.sql_type), sql.SQL("" if column.nullable else " NOT NULL")
    )
