"""The warehouse's current state of a star table, a range of keys at a time."""

import io

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.capture.rows.values import read_rows
from totes.copy_out import copy_out
from totes.lake import SourceColumn
from totes.star_schema import Calendar, Dimension, Fact, Kind, StarTable
from totes.warehouse.definitions import identifiers
from totes.warehouse.places import LIVE

# Somebody may have dropped the key that keeps a row from being there twice: then both rows are read, as every reader
# reads them, and no page ends between them.
_NEWEST = sql.SQL("""
    SELECT {columns} FROM (
        SELECT {columns}, is_deleted, rank() OVER (PARTITION BY {key} ORDER BY batch_id DESC) AS place
        FROM {table} WHERE {range}
    ) AS version WHERE place = 1 AND NOT is_deleted ORDER BY {key} FETCH FIRST {most} ROWS WITH TIES
""")
_MARKED = sql.SQL("""
    SELECT {columns} FROM {table} WHERE {range} AND NOT is_deleted ORDER BY {key} FETCH FIRST {most} ROWS WITH TIES
""")


def current_rows(
    cursor: Cursor, table: Fact | Dimension, after: int | None, up_to: int | None, most: int
) -> pl.DataFrame | None:
    """Return the current rows of the keys after one and up to another, sorted by key; None if there are none.

    Args:
        cursor: a snapshot of the warehouse.
        table: the star table.
        after: the key before the first; None: from the lowest.
        up_to: the last key; None: to the highest.
        most: how many rows at most, those of the lowest keys; more only if the last of these keys is there twice.

    Returns:
        The rows as `read_rows` gives them.
    """
    key = sql.Identifier(table.key)
    bounds: list[sql.Composable] = [sql.SQL("true")]
    if after is not None:
        bounds.append(sql.SQL("{} > {}").format(key, sql.Literal(after)))
    if up_to is not None:
        bounds.append(sql.SQL("{} <= {}").format(key, sql.Literal(up_to)))
    query = (_NEWEST if isinstance(table, Fact) else _MARKED).format(
        columns=_columns(table),
        key=key,
        table=LIVE.star(table.name),
        range=sql.SQL(" AND ").join(bounds),
        most=sql.Literal(most),
    )
    return _read(cursor, table, query)


def calendar_rows_held(cursor: Cursor, calendar: Calendar) -> pl.DataFrame | None:
    """Return all rows of the calendar, as `read_rows` does, but those marked deleted; None where there are none."""
    query = sql.SQL("SELECT {} FROM {} WHERE NOT is_deleted").format(_columns(calendar), LIVE.star(calendar.name))
    return _read(cursor, calendar, query)


def dates_named(cursor: Cursor, fact: Fact) -> pl.Series:
    """Return every date that a version of a fact names."""
    column = SourceColumn(name="date_id", type="date")
    names = [column.name for column in fact.columns if column.kind is Kind.DATE]
    query = sql.SQL(" UNION ").join(
        sql.SQL("SELECT {} FROM {}").format(sql.Identifier(name), LIVE.star(fact.name)) for name in names
    )
    text = _copied(cursor, query)
    return read_rows(text, [column])["date_id"] if text else pl.Series("date_id", [], dtype=pl.Date)


def keys_that_name(cursor: Cursor, fact: Fact, dates: pl.Series) -> list[int]:
    """Return, for each of the dates that the fact's current state names, the key of one row that names it."""
    keys: set[int] = set()
    for column in fact.columns:
        if column.kind is Kind.DATE:
            cursor.execute(
                sql.SQL("SELECT min({key}) FROM {view} WHERE {column} = ANY(%s) GROUP BY {column}").format(
                    key=sql.Identifier(fact.key),
                    view=sql.Identifier("public", fact.current_view),
                    column=sql.Identifier(column.name),
                ),
                (dates.to_list(),),
            )
            keys |= {key for (key,) in cursor.fetchall()}
    return sorted(keys)


def _columns(table: StarTable) -> sql.Composable:
    return identifiers([column.name for column in table.columns])


def _read(cursor: Cursor, table: StarTable, query: sql.Composable) -> pl.DataFrame | None:
    text = _copied(cursor, query)
    if not text:
        return None
    return read_rows(text, [SourceColumn(name=c.name, type=c.sql_type) for c in table.columns])


def _copied(cursor: Cursor, query: sql.Composable) -> bytes:
    text = io.BytesIO()
    copy_out(cursor, query, text)
    return text.getvalue()
