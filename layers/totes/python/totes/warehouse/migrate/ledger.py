"""The ledger, the state and the exchange rates: what is missing of their tables is created at a load.

Somebody may have dropped or renamed a table of them. It is there again, empty, and all that it said is in the lake.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.catalog import has_schema
from totes.errors import ConfigurationError
from totes.names import RATES_TABLE
from totes.star_schema import Calendar, StarTable
from totes.warehouse import ledger
from totes.warehouse.definitions import (
    LEDGER,
    RATE_LEDGER,
    STATE,
    create_content_edition,
    create_ledger,
    create_rate_ledger,
    create_rates,
    create_setback,
    create_state,
    create_verification,
)
from totes.warehouse.migrate.existing import own_tables_there
from totes.warehouse.others import must_be_own
from totes.warehouse.places import LIVE
from totes.warehouse.reader_grants import grant_ledger, grant_select

# On what is PostgreSQL's own nothing depends: it cannot be dropped.
_CALLED = """
    SELECT EXISTS (
        SELECT FROM pg_depend JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
        WHERE ev_class = to_regclass('etl.rate_quarantine')
        AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    )
"""


@dataclass(frozen=True, kw_only=True)
class LedgerCheck:
    """What was there of the ledger, the state and the exchange rates.

    Attributes:
        was_here: whether totes has loaded into this database before: one of its tables in schema `etl` was there.
        gone: the tables of ledger and state that it had made and somebody has dropped, with their schema; they are
            there again, without content.
    """

    was_here: bool
    gone: Sequence[str]


def ensure_ledger(cursor: Cursor, tables: Sequence[StarTable]) -> LedgerCheck:
    """Create what is missing of the ledger, the state and the exchange rates.

    Raises:
        ConfigurationError: the database is the source, its encoding is not UTF8, something of others has the name of a
            table of totes, or the ledger is older than editions.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    there = own_tables_there(cursor)
    must_be_own(there)
    was_here = any(name.startswith("etl.") for name in there)
    missing = [name for name in LEDGER if f"etl.{name}" not in there]
    if "batch" in missing:
        _must_speak_utf8(cursor)
        if is_source(cursor, tables):
            raise ConfigurationError(
                "the warehouse is a source: it has the tables that totes reads, and the star does not belong beside "
                "them; name an empty database (totes secrets set warehouse)"
            )
        # "IF NOT EXISTS" would ask for the right to make schemas even where totes init has made this one.
        if not has_schema(cursor, "etl"):
            cursor.execute("CREATE SCHEMA etl")
    if missing:
        create_ledger(cursor, LIVE, missing)
        grant_ledger(cursor)
    if "etl.content_edition" not in there:
        create_content_edition(cursor)
    if "etl.setback" not in there:
        create_setback(cursor)
    missing += _ensure_state(cursor, there)
    if "etl.verification" not in there:
        create_verification(cursor)
    _ensure_rates(cursor, there)
    return LedgerCheck(was_here=was_here, gone=[f"etl.{name}" for name in missing] if was_here else [])


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


def _ensure_state(cursor: Cursor, there: Container[str]) -> list[str]:
    """Create what is missing of the state; return the tables of it that somebody has dropped.

    What is lost cannot be told by the ledger: its newest batch may be of a later edition than the others, or somebody
    may have asked for a rebuild.
    """
    missing = [name for name in STATE if f"etl.{name}" not in there]
    if not missing:
        return []
    _must_know_editions(cursor)
    create_state(cursor)
    if len(missing) < len(STATE) or "etl.verification" in there:  # which is younger than the state
        return missing
    entry = ledger.newest_entry(cursor)
    if entry is not None:  # made by a version that kept the edition in the ledger alone
        ledger.write_content(cursor, ledger.Content(edition=entry.edition, rebuild=False))
    return []


def _ensure_rates(cursor: Cursor, there: Container[str]) -> None:
    """Create what is missing of the exchange rates; what was lost of a day is loaded again, with all days."""
    if any(f"etl.{name}" not in there for name in RATE_LEDGER) or _calls_others(cursor):
        create_rate_ledger(cursor)
    rates = f"public.{RATES_TABLE}"
    if rates not in there:
        create_rates(cursor)
        grant_select(cursor, sql.Identifier("public", RATES_TABLE))
    if any(name not in there for name in ("etl.rate_day", "etl.refused_rate", rates)):
        _forget_rate_days(cursor)


def _forget_rate_days(cursor: Cursor) -> None:
    """Forget which days of exchange rates are held, and what was refused of them, so that all days are loaded again."""
    cursor.execute("DELETE FROM etl.rate_day; DELETE FROM etl.refused_rate")


def _calls_others(cursor: Cursor) -> bool:
    """Whether the view of refused days calls a function or operator that is not PostgreSQL's own.

    An earlier totes looked for them in schema public too, as it made the view.
    """
    cursor.execute(_CALLED)
    [[found]] = cursor.fetchall()
    return bool(found)


def _must_speak_utf8(cursor: Cursor) -> None:
    cursor.execute("SELECT current_database(), current_setting('server_encoding')")
    [[database, encoding]] = cursor.fetchall()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the warehouse's database {database} has the encoding {encoding}, which cannot hold every text of the "
            "source; name one that was made WITH ENCODING 'UTF8' TEMPLATE template0"
        )
