"""Rows out of a query by COPY, whose text stays the same whatever values are in it.

COPY takes no parameters, and pg_stat_statements keeps each text of it as a statement of its own, with all its numbers
(https://www.postgresql.org/docs/current/pgstatstatements.html): some thousand a day, of tens of kilobytes, in the place
of the shop's own statements. So values are settings of the transaction here, and the text has their names.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_SET = """
    SELECT set_config('totes.value_' || number, value, true) FROM unnest(%s) WITH ORDINALITY AS given (value, number)
"""


class Sink(Protocol):
    """What takes rows."""

    def write(self, row: bytes, /) -> object:
        """Take a row."""


class OneOf(sql.Composable):
    """SQL after a transaction id: whether it is one of these.

    A list in the text is looked up in a hash, by several workers at once; one that is worked out first, as that of a
    setting is, only where it is a query of its own.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(tuple(ids))
        self.array = _array(ids)

    def as_string(self, context: Any = None) -> str:  # noqa: ARG002 - what psycopg2 calls it with
        """Return the SQL with the ids in it."""
        return f"= ANY ('{self.array}'::xid[])"


def copy_out(cursor: Cursor, query: sql.Composable, sink: Sink) -> None:
    """Write a query's rows, as CSV, in UTF-8.

    Args:
        cursor: of a transaction.
        query: the query; its literals are integers, texts, and lists of integers or of their texts.
        sink: takes each row.

    Raises:
        psycopg2.Error: the query is refused, or the connection was lost.
    """
    values: list[str] = []
    copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(_by_settings(query, values))
    if values:
        cursor.execute(_SET, (values,))
    cursor.copy_expert(copy, sink)


def _by_settings(part: sql.Composable, values: list[str]) -> sql.Composable:
    """A part of a query with a setting in the place of each value, which is added to the values."""
    match part:
        case sql.Composed():
            return sql.Composed([_by_settings(each, values) for each in part.seq])
        case OneOf():
            return sql.SQL("IN (SELECT unnest({}::xid[]))").format(_setting(part.array, values))
        case sql.Literal(wrapped=int() as number):
            return sql.SQL("({}::bigint)").format(_setting(str(number), values))
        case sql.Literal(wrapped=str() as text):
            return _setting(text, values)
        case sql.Literal(wrapped=list() as items):
            cast = sql.SQL("::bigint[]" if any(isinstance(item, int) for item in items) else "")
            return sql.Composed([_setting(_array(items), values), cast])
        case _:
            return part


def _array(items: Sequence[int | str]) -> str:
    return f"{{{','.join(str(int(item)) for item in items)}}}"


def _setting(value: str, values: list[str]) -> sql.Composable:
    values.append(value)
    return sql.SQL("current_setting({})").format(sql.Literal(f"totes.value_{len(values)}"))
