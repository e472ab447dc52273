"""The ledger, the state and the exchange rates: what is missing of their tables is created at a load."""

from collections.abc import Container, Sequence

from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.roles import RATES_TABLE
from totes.star_schema import Calendar, StarTable
from totes.warehouse import ledger
from totes.warehouse.definitions import (
    create_ledger,
    create_rate_ledger,
    create_rates,
    create_state,
    create_verification,
    grant_ledger,
)
from totes.warehouse.existing_tables import has_schema, own_tables_there
from totes.warehouse.own_tables import must_be_own
from totes.warehouse.places import LIVE


def ensure_ledger(cursor: Cursor, tables: Sequence[StarTable]) -> bool:
    """Create what is missing of the ledger, the state and the exchange rates; return whether the ledger was there.

    Raises:
        ConfigurationError: the database is the source, its encoding is not UTF8, something of others has the name of a
            table of totes, or the ledger is older than editions.
        psycopg2.Error: the warehouse broke off.
    """
    there = own_tables_there(cursor)
    must_be_own(there)
    has_ledger = "etl.batch" in there
    if not has_ledger:
        _must_speak_utf8(cursor)
        if is_source(cursor, tables):
            raise ConfigurationError(
                "the warehouse is a source: it has the tables that totes reads, and the star does not belong beside "
                "them; name an empty database (totes secrets set warehouse)"
            )
        # "IF NOT EXISTS" would ask for the right to make schemas even where totes init has made this one.
        if not has_schema(cursor, "etl"):
            cursor.execute("CREATE SCHEMA etl")
        create_ledger(cursor, LIVE)
        grant_ledger(cursor)
    if "etl.star_column" not in there:
        _must_know_editions(cursor)
        create_state(cursor)
        entry = ledger.newest_entry(cursor)
        if entry is not None:  # made by a version that kept the edition in the ledger alone
            ledger.write_content(cursor, ledger.Content(edition=entry.edition, rebuild=False))
    if "etl.verification" not in there:
        create_verification(cursor)
    _ensure_rates(cursor, there)
    return has_ledger


def is_source(cursor: Cursor, tables: Sequence[StarTable]) -> bool:
    """Whether a database is a source and no warehouse: most of the source's tables are there.

    Not all need to be: a source of which a table was renamed is still no place for the star.
    """
    sources = {table.source for table in tables if not isinstance(table, Calendar)}
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)", [[*sources]])
    [[found]] = cursor.fetchall()
    return bool(found > len(sources) / 2)


def _must_know_editions(cursor: Cursor) -> None:
    cursor.execute("SELECT FROM pg_attribute WHERE attrelid = 'etl.batch'::regclass AND attname = 'edition'")
    if cursor.fetchone() is None:
        raise ConfigurationError(
            "the warehouse was made by a version of totes from before 24 November 2026, 09:00 UTC, and this version "
            "cannot use it; name an empty database (docs/disasters.md, as if it were lost): it is filled from the lake"
        )


def _ensure_rates(cursor: Cursor, there: Container[str]) -> None:
    if "etl.rate_day" not in there:
        create_rate_ledger(cursor)
    if f"public.{RATES_TABLE}" not in there:
        create_rates(cursor)


def _must_speak_utf8(cursor: Cursor) -> None:
    cursor.execute("SELECT current_database(), current_setting('server_encoding')")
    [[database, encoding]] = cursor.fetchall()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the warehouse's database {database} has the encoding {encoding}, which cannot hold every text of the "
            "source; name one that was made WITH ENCODING 'UTF8' TEMPLATE template0"
        )
