"""Rows out of a query by COPY, whose text stays the same whatever values are in it.

COPY takes no parameters, and pg_stat_statements keeps each text of it as a statement of its own, with all its numbers
(https://www.postgresql.org/docs/current/pgstatstatements.html): some thousand a day, of tens of kilobytes, in the place
of the shop's own statements. So values are settings of the transaction here, and the text has their names.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_SET = """
    SELECT set_config('totes.value_' || number, value, true) FROM unnest(%s) WITH ORDINALITY AS given (value, number)
"""

_FEW = 8
"""So many numbers are gone through for each row as quickly as they are looked up in a hash."""


class Sink(Protocol):
    """What takes rows."""

    def write(self, row: bytes, /) -> object:
        """Take a row."""


class OneOf(sql.Composable):
    """SQL after a number: whether it is one of these.

    A list in the text is looked up in a hash, by several workers at once; one that is worked out first, as that of a
    setting is, only where it is a query of its own. Otherwise it is read, and gone through, again for each row.
    """

    def __init__(self, numbers: Iterable[int | str], sql_type: str) -> None:
        """Take the numbers, or their texts, and their SQL type."""
        texts = [str(int(number)) for number in numbers]
        self.array, self.are_few = f"{{{','.join(texts)}}}", len(texts) <= _FEW
        self.sql_type = sql_type
        super().__init__((self.array, sql_type))

    def as_string(self, context: Any = None) -> str:  # noqa: ARG002 - what psycopg2 calls it with
        """Return the SQL with the numbers in it."""
        return f"= ANY ('{self.array}'::{self.sql_type}[])"


def copy_out(cursor: Cursor, query: sql.Composable, sink: Sink) -> None:
    """Write a query's rows, as CSV, in UTF-8.

    Args:
        cursor: of a transaction.
        query: the query; its literals are integers and texts. One that is compared with the rows of a whole table is
            better a part of its text, because what a setting says is looked up for each row.
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
            listed = sql.SQL("= ANY ((SELECT {0}::{1}[])::{1}[])" if part.are_few else "IN (SELECT unnest({}::{}[]))")
            return listed.format(_setting(part.array, values), sql.SQL(part.sql_type))
        case sql.Literal(wrapped=int() as number):
            return sql.SQL("({}::bigint)").format(_setting(str(number), values))
        case sql.Literal(wrapped=str() as text):
            return _setting(text, values)
        case _:
            return part


def _setting(value: str, values: list[str]) -> sql.Composable:
    values.append(value)
    return sql.SQL("current_setting({})").format(sql.Literal(f"totes.value_{len(values)}"))
