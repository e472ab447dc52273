"""Rows of a table of the snapshot, read from one state of the warehouse, a part at a time."""

import io
from collections.abc import Callable, Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.dashboard_snapshot.tables import ALL, Encoding, Table
from totes.names import REPORT

Consume = Callable[[str, pl.DataFrame], None]
"""Called with each part's name and rows, one after the other, and never without a row."""


def read_parts(cursor: Cursor, table: Table, consume: Consume, months: Sequence[str] | None) -> None:
    """Read the rows of a table, sorted by its key, in one pass.

    No more than a part is in memory, as text and as a frame.

    Args:
        cursor: the warehouse, in a transaction that sees one state of it.
        table: the table.
        consume: called with each part.
        months: the parts to read, such as "2026-11"; None: all.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    part = part_of(table)
    conditions = [_has_history(table)] if table.of_histories else []
    if months is not None:
        conditions.append(sql.SQL("{} = ANY({})").format(part, sql.Literal(list(months))))
    query = sql.SQL("SELECT {part} AS part, {columns} FROM {view} AS held{where} ORDER BY 1, {key}").format(
        part=part,
        columns=sql.SQL(", ").join(
            sql.SQL(encoding.query + " AS {}").format(sql.Identifier(name), sql.Identifier(name))
            for name, encoding in table.columns.items()
        ),
        view=sql.Identifier(REPORT, table.view),
        where=sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL(""),
        key=sql.SQL(", ").join(_order(name, table.columns[name]) for name in table.key),
    )
    texts = [sql.Identifier(name) for name, encoding in table.columns.items() if encoding is Encoding.TEXT]
    # Texts are always in quotes, so that an empty text differs from NULL.
    forced = sql.SQL(", FORCE_QUOTE ({})").format(sql.SQL(", ").join(texts)) if texts else sql.SQL("")
    copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv{})").format(query, forced)
    parts = _Parts(table, consume)
    cursor.copy_expert(copy, parts)
    parts.hand_on()


def part_of(table: Table) -> sql.Composable:
    """The part that a row of a table is in, as an expression: the month as a text that sorts as months do."""
    if table.parted_by is None:
        return sql.Literal(ALL)
    column: sql.Composable = sql.Identifier(table.parted_by)
    if table.columns[table.parted_by] is Encoding.MOMENT:
        column = sql.SQL("({} AT TIME ZONE 'UTC')").format(column)
    return sql.SQL("to_char({}, 'YYYY-MM')").format(column)


def _has_history(table: Table) -> sql.Composable:
    return sql.SQL("{key} IN (SELECT {key} FROM {view} GROUP BY {key} HAVING count(*) > 1 OR bool_or(deleted))").format(
        key=sql.Identifier(table.key[0]), view=sql.Identifier(REPORT, table.view)
    )


def _order(name: str, encoding: Encoding) -> sql.Composable:
    """A column to sort by; texts by their bytes, whatever order the database has for them."""
    return sql.SQL('{} COLLATE "C"' if encoding is Encoding.TEXT else "{}").format(sql.Identifier("held", name))


class _Parts:
    """The file that COPY writes to: each write is one whole row, which begins with its part."""

    def __init__(self, table: Table, consume: Consume) -> None:
        self._consume = consume
        self._columns = table.columns
        self._schema = {"part": pl.String(), **{name: encoding.read for name, encoding in table.columns.items()}}
        self._part = b""
        self._text = io.BytesIO()

    def write(self, row: bytes) -> None:
        part = row[: row.index(b",")]
        if part != self._part:
            self.hand_on()
            self._part = part
        self._text.write(row)

    def hand_on(self) -> None:
        """Hand on the part that was collected, if there is one."""
        if not self._text.tell():
            return
        rows = pl.read_csv(io.BytesIO(self._text.getvalue()), has_header=False, schema=self._schema)
        self._text = io.BytesIO()
        frame = rows.select(pl.col(name).cast(encoding.written) for name, encoding in self._columns.items())
        self._consume(self._part.decode(), frame)
