"""Where an event happens: a transaction, chance, and the time."""

import datetime as dt
from collections.abc import Callable, Mapping

import numpy as np
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from simulator.names import Names
from simulator.schema import TABLES

Clock = Callable[[], dt.datetime]

_ANY_ROW = sql.SQL("true")
_CLOCKS_DIFFER_BY = 20
"""Milliseconds: the application runs on several machines."""


def utc_now() -> dt.datetime:
    """The time, as the application stamps it: UTC without saying so."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


class NothingToDo(Exception):
    """The shop has no row that such an event could happen to."""


class EventContext:
    """What an event works with.

    Attributes:
        cursor: of the transaction that the event is.
        generator: decides what is random.
        names: drawn by the same generator.
        now: by the clock of the machine that the event happens on, to the millisecond.
    """

    def __init__(self, cursor: Cursor, generator: np.random.Generator, clock: Clock) -> None:
        self.cursor = cursor
        self.generator = generator
        self.names = Names(generator)
        behind = dt.timedelta(milliseconds=int(generator.integers(_CLOCKS_DIFFER_BY)))
        moment = clock() - behind
        self.now = moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def number(self, least: int, most: int) -> int:
        """Draw a number, `most` included."""
        return int(self.generator.integers(least, most, endpoint=True))

    def happens(self, probability: float) -> bool:
        """Whether something does."""
        return bool(self.generator.random() < probability)

    def date_ahead(self, days: int) -> str:
        """A date within so many days from now, as the application writes it."""
        return (self.now + dt.timedelta(days=days) * self.generator.random()).date().isoformat()

    def pick(self, table: str, condition: sql.Composable = _ANY_ROW, values: Mapping[str, object] | None = None) -> int:
        """The id of any row for which the condition holds; finding it takes the primary key's index alone.

        Raises:
            NothingToDo: there is none.
        """
        key = sql.Identifier(TABLES[table])
        self.cursor.execute(sql.SQL("SELECT max({}) FROM {}").format(key, sql.Identifier(table)))
        highest = self._only_value()
        if highest is None:
            raise NothingToDo
        query = sql.SQL("SELECT min({key}) FROM {table} WHERE {key} {side} %(id)s AND {condition}")
        start = self.number(1, highest)
        for side in (">=", "<"):
            statement = query.format(key=key, table=sql.Identifier(table), side=sql.SQL(side), condition=condition)
            self.cursor.execute(statement, {**(values or {}), "id": start})
            found = self._only_value()
            if found is not None:
                return found
        raise NothingToDo

    def pick_other(self, table: str, than: object) -> int:
        """The id of any row of a table but one.

        Raises:
            NothingToDo: there is none.
        """
        condition = sql.SQL("{} <> %(than)s").format(sql.Identifier(TABLES[table]))
        return self.pick(table, condition, {"than": than})

    def insert(self, table: str, row: Mapping[str, object]) -> int:
        """Add a row, created now; return its id."""
        stamped = {**row, "created_at": self.now, "last_updated": self.now}
        self.cursor.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, stamped)),
                sql.SQL(", ").join(map(sql.Placeholder, stamped)),
                sql.Identifier(TABLES[table]),
            ),
            stamped,
        )
        [[key]] = self.cursor.fetchall()
        return int(key)

    def update(self, table: str, key: int, changes: Mapping[str, object], *, stamped: bool) -> None:
        """Change a row, and its last_updated or not.

        Raises:
            NothingToDo: somebody has deleted it meanwhile.
        """
        columns = {**changes, "last_updated": self.now} if stamped else changes
        self.cursor.execute(
            sql.SQL("UPDATE {} SET {} WHERE {} = {}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in columns
                ),
                sql.Identifier(TABLES[table]),
                sql.Placeholder("key of the row"),
            ),
            {**columns, "key of the row": key},
        )
        if self.cursor.rowcount == 0:
            raise NothingToDo

    def value(self, table: str, key: int, column: str) -> object:
        """What a row has in a column.

        Raises:
            NothingToDo: somebody has deleted the row meanwhile.
        """
        self.cursor.execute(
            sql.SQL("SELECT {} FROM {} WHERE {} = %s").format(
                sql.Identifier(column), sql.Identifier(table), sql.Identifier(TABLES[table])
            ),
            [key],
        )
        found = self.cursor.fetchall()
        if not found:
            raise NothingToDo
        value: object = found[0][0]
        return value

    def _only_value(self) -> int | None:
        [[value]] = self.cursor.fetchall()
        return None if value is None else int(value)
