"""Rows of a table of the snapshot, read from one state of the warehouse, a part at a time."""

import io
from collections.abc import Callable, Sequence
from datetime import date

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.dashboard_snapshot.tables import ALL, Encoding, Table
from totes.names import REPORT

_SOURCE = sql.SQL("{view} AS held{where}")
# OFFSET 0 keeps PostgreSQL from making one join of both, in which it would count the versions of all keys.
_SOURCE_BY_KEY = sql.SQL(
    "(SELECT {key} AS wanted FROM {view} AS held{where}) AS wanted "
    "CROSS JOIN LATERAL (SELECT {columns} FROM {view} WHERE {key} = wanted OFFSET 0) AS held"
)

Consume = Callable[[str, pl.DataFrame], None]
"""Called with each part's name and rows, one after the other, and never without a row."""


def read_parts(
    cursor: Cursor, table: Table, consume: Consume, months: Sequence[str] | None, *, by_key: bool = False
) -> None:
    """Read the rows of a table, sorted by its key, in one pass.

    No more than a part is in memory, as text and as a frame.

    Args:
        cursor: the warehouse, in a transaction that sees one state of it.
        table: the table.
        consume: called with each part.
        months: the parts to read, such as "2026-11"; None: all.
        by_key: whether each row of these months is looked up by its key, which no other row may have. If not, the
            view counts the versions of all rows, of whichever months, which is quicker only if many rows are wanted.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    conditions = [_has_history(table)] if table.of_histories else []
    if months is not None:
        conditions.append(_in_months(_day_of(table), months))
    where = sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL("")
    source = _SOURCE_BY_KEY if by_key else _SOURCE
    query = sql.SQL("SELECT {part} AS part, {columns} FROM {source} ORDER BY 1, {key}").format(
        part=part_of(table),
        columns=sql.SQL(", ").join(
            sql.SQL(encoding.query + " AS {}").format(sql.Identifier(name), sql.Identifier(name))
            for name, encoding in table.columns.items()
        ),
        source=source.format(
            view=sql.Identifier(REPORT, table.view),
            where=where,
            key=sql.Identifier(table.key[0]),
            columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        ),
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
    return sql.SQL("to_char({}, 'YYYY-MM')").format(_day_of(table))


def _day_of(table: Table) -> sql.Composable:
    """The day, or the moment in UTC, whose month says in which part a row of a table is that has more than one."""
    column = sql.Identifier(table.parted_by or "")
    is_moment = table.parted_by and table.columns[table.parted_by] is Encoding.MOMENT
    return sql.SQL("({} AT TIME ZONE 'UTC')").format(column) if is_moment else column


def _in_months(day: sql.Composable, months: Sequence[str]) -> sql.Composable:
    """Whether a day is in one of some months: compared with their first days, for its own month's name takes long."""
    return sql.SQL("({})").format(
        sql.SQL(" OR ").join(
            sql.SQL("{day} >= {first} AND {day} < {first} + interval {length}").format(
                day=day, first=sql.Literal(first), length=sql.Literal(f"{length} months")
            )
            for first, length in _stretches(months)
        )
    )


def _stretches(months: Sequence[str]) -> list[tuple[date, int]]:
    """The first day of each stretch of months that follow each other, and how many months it has."""
    stretches: list[tuple[date, int]] = []
    follows = None
    for first in sorted(date.fromisoformat(f"{month}-01") for month in months):
        if (number := first.year * 12 + first.month) == follows:
            stretches[-1] = (stretches[-1][0], stretches[-1][1] + 1)
        else:
            stretches.append((first, 1))
        follows = number + 1
    return stretches


def _has_history(table: Table) -> sql.Composable:
    """Whether a row is deleted, or not the only version of its key.

    Asked key by key, and only of rows that are wanted: to count versions, PostgreSQL would read those of all keys.
    """
    return sql.SQL(
        "(deleted OR EXISTS "
        "(SELECT FROM {view} AS other WHERE other.{key} = held.{key} AND other.{batch} <> held.{batch}))"
    ).format(
        view=sql.Identifier(REPORT, table.view), key=sql.Identifier(table.key[0]), batch=sql.Identifier(table.key[1])
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
