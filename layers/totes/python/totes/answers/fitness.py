"""What would make a run fail in the databases, checked before one does; nothing is changed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.answers.state import newest_in_ledger
from totes.answers.unkept import unkept_references
from totes.capture.source.contract import columns_of
from totes.capture.source.renaming import as_named_by
from totes.capture.source.snapshot import snapshot_of
from totes.capture.source_schema import SourceTable
from totes.catalog import count_rows
from totes.databases import are_one_database
from totes.errors import ConfigurationError, TotesError
from totes.star_schema import HIGHEST_INTEGER, StarTable
from totes.warehouse.migrate import ensure_tables
from totes.warehouse.rebuild import rebuild_put_off

_WRITE_NOTHING = "UPDATE etl.content SET rebuild = rebuild WHERE false"
"""Refused where every transaction is read-only: where all tables are there, nothing else is written."""

Connect = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and a sentence on it."""

    subject: str
    good: bool
    sentence: str


def fitness(
    source: Connect, warehouse: Connect, sources: Sequence[SourceTable], stars: Sequence[StarTable]
) -> Iterator[Finding]:
    """Look at source and warehouse, and check that they are two databases.

    Args:
        source: opens a connection to the source.
        warehouse: opens one to the warehouse, as its loader.
        sources: the source tables.
        stars: the star tables.
    """
    yield check("source", lambda: _source(source, sources, stars))
    yield check("warehouse", lambda: _warehouse(warehouse, stars))
    yield check("identity", lambda: _identity(source, warehouse))


def check(subject: str, look: Callable[[], str]) -> Finding:
    """Return what a look has found: its sentence, or that of the error that it ended with."""
    try:
        return Finding(subject, good=True, sentence=look())
    except (TotesError, psycopg2.Error) as error:
        return Finding(subject, good=False, sentence=str(error).strip())


def newest_loaded(warehouse: Connect) -> int:
    """Return the newest batch that the warehouse holds; 0: none, or it cannot be asked, and `fitness` says why."""
    try:
        with warehouse() as connection, connection, connection.cursor() as cursor:
            return newest_in_ledger(cursor)
    except (TotesError, psycopg2.Error):
        return 0


def _source(source: Connect, tables: Sequence[SourceTable], stars: Sequence[StarTable]) -> str:
    with source() as connection:
        tables = as_named_by(connection, tables)
        with snapshot_of(connection, tables) as snapshot:
            columns_of(snapshot, tables)
            rows = sum(_count(connection, table.source_name) for table in tables)
            ends = [_end_of_keys(connection, table) for table in tables]
        if not rows:
            raise ConfigurationError(
                "the source's tables are empty: a run brings nothing (totes simulate fills a shop)"
            )
        version = f"{connection.server_version // 10000}"
        unkept = _unkept(connection, tables, stars)
    return f"PostgreSQL {version}, its {len(tables)} tables can be read, and have {rows:,} rows{unkept}{''.join(ends)}"


def _unkept(connection: Connection, tables: Sequence[SourceTable], stars: Sequence[StarTable]) -> str:
    with connection, connection.cursor() as cursor:
        columns = unkept_references(cursor, tables, stars)
    if not columns:
        return ""
    return (
        f"; no foreign key keeps {', '.join(columns)}: a row that names one that is nowhere is left out of reports "
        "that join the two"
    )


def _end_of_keys(connection: Connection, table: SourceTable) -> str:
    """A sentence on keys that come near what a star column holds, long before they get there."""
    names = {"key": sql.Identifier(table.source_key), "table": sql.Identifier("public", table.source_name)}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT max({key}) FROM {table}").format(**names))
        [[highest]] = cursor.fetchall()
    if highest is None or highest < HIGHEST_INTEGER // 2:
        return ""
    return (
        f"; {table.source_name}.{table.source_key} has come to {highest:,}, and the star's keys end at "
        f"{HIGHEST_INTEGER:,}: rows beyond stay in quarantine"
    )


def _count(connection: Connection, table: str) -> int:
    with connection.cursor() as cursor:
        return count_rows(cursor, sql.Identifier("public", table))


def _warehouse(warehouse: Connect, tables: Sequence[StarTable]) -> str:
    """Do what a load does first, and roll it back: it checks the encoding, whose tables are there, and the rights."""
    with warehouse() as connection, connection.cursor() as cursor:
        try:
            schema = ensure_tables(cursor, tables, all_of_it=False)
            put_off = rebuild_put_off(cursor)
            if schema.fits and not schema.gone:
                cursor.execute(_WRITE_NOTHING)
        finally:
            connection.rollback()
        version = f"{connection.server_version // 10000}"
    if not schema.fits:
        raise ConfigurationError(schema.problem())
    if schema.gone:
        gone = ", ".join(schema.gone)
        raise ConfigurationError(f"{gone} was dropped; the next run makes all of it again (totes run)")
    said = f"PostgreSQL {version}, and the star can be written there"
    if put_off:
        said += f"; no rebuild begins by itself until {put_off.until:%Y-%m-%d %H:%M} UTC: {put_off.why}"
    return said


def _identity(source: Connect, warehouse: Connect) -> str:
    with source() as one, warehouse() as other:
        if are_one_database(one, other):
            raise ConfigurationError(
                "source and warehouse are the same database; name another warehouse (totes secrets set LOGIN)"
            )
    return "source and warehouse are two databases"
