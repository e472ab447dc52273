"""Rows that the warehouse itself refuses are found one by one, so that all others can be copied."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.savepoints import savepoint
from totes.sqlstate import DATA_EXCEPTION, PROGRAM_LIMIT_EXCEEDED, is_of_class
from totes.warehouse.copying.binary_rows import binary
from totes.warehouse.copying.csv_rows import CSV
from totes.warehouse.copying.stream import CopyStream
from totes.warehouse.definitions import identifiers

REFUSES = "the warehouse refuses it"
"""How the words of each refusal begin."""

_OF_A_VALUE = (DATA_EXCEPTION, PROGRAM_LIMIT_EXCEEDED)
"""SQLSTATE classes of errors that one value causes: data exceptions, and limits that a value exceeds."""

_BYTES_AT_ONCE = 2**16
"""Of a COPY's text that go to the server together."""


_UNKNOWN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that the warehouse does not take, in a frame of its own, and the database's words."""

    row: pl.DataFrame
    words: str


def copy_rows(
    cursor: Cursor, table: sql.Identifier, rows: pl.DataFrame, types: Mapping[str, str] = _UNKNOWN
) -> list[Refused]:
    """Copy a frame into the columns of a table that have its columns' names, and return the rows that it refuses.

    If the COPY is refused because of a value, each half of the rows is copied alone, and so on, down to one row.

    Args:
        cursor: the warehouse.
        table: the table.
        rows: the frame.
        types: the table's SQL types, as far as they are known; it is quicker where all are.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost, or refuses the rows for something else than a value.
    """
    if rows.is_empty():
        return []
    try:
        with savepoint(cursor):
            copy_all(cursor, table, rows, types)
    except psycopg2.Error as error:
        if not is_of_class(error, _OF_A_VALUE):
            raise
        if rows.height == 1:
            return [Refused(row=rows, words=f"{REFUSES} ({error.pgcode}): {error.diag.message_primary}")]
        half = rows.height // 2
        return [*copy_rows(cursor, table, rows[:half], types), *copy_rows(cursor, table, rows[half:], types)]
    return []


def copy_all(cursor: Cursor, table: sql.Identifier, rows: pl.DataFrame, types: Mapping[str, str] = _UNKNOWN) -> None:
    """Copy a frame into the columns of a table that have its columns' names; see `copy_rows`."""
    how = binary(rows, types) or CSV
    statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(table, identifiers(rows.columns), sql.SQL(how.options))
    with CopyStream(rows, how) as stream:
        cursor.copy_expert(statement, stream, _BYTES_AT_ONCE)
