"""The rows that could not become star rows, a page at a time: an answer of a function has six megabytes at most."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

PAGE_BYTES = 4_000_000
"""Bytes of a page's rows, written as JSON; the rest is room for how Lambda writes them."""

_PAGE_ROWS = 2_000
_READ_AT_ONCE = 50
_VALUE_LENGTH = 10_000
"""How many characters of a value are shown if its row alone would be more than a page."""

_ROWS = sql.SQL("""
    SELECT star_table, key, batch_id, captured_at, reason, resolved_by, source_row
    FROM ({}) AS held JOIN etl.batch USING (batch_id)
    WHERE {} ORDER BY batch_id DESC, star_table, key LIMIT %(most)s
""")
_COLUMNS = sql.SQL("SELECT star_table, key, batch_id, reason, resolved_by, source_row FROM")
_PLACES = ("etl.quarantine", "etl.rate_quarantine")
"""Where such rows are; the second one is made by the first load of a version that knows it."""

_OPEN = sql.SQL("resolved_by IS NULL")
_ONE = sql.SQL("star_table = %(star_table)s AND key = %(key)s")
_BEHIND = sql.SQL(
    "(batch_id < %(after_batch)s "
    "OR batch_id = %(after_batch)s AND (star_table, key) > (%(after_table)s, %(after_key)s))"
)


@dataclass(frozen=True, kw_only=True)
class QuarantinedRow:
    """A source row that could not become a row of a star table, or a day some of whose exchange rates are nonsense.

    Attributes:
        star_table: the star table.
        key: the row's key.
        batch: the batch that brought it so.
        captured_at: when that batch's snapshot was taken, UTC.
        reason: why, in plain words.
        resolved_by: the batch by which it was fixed, deleted or came again; None: it is still in quarantine.
        source_row: every source column's text.
    """

    star_table: str
    key: int
    batch: int
    captured_at: datetime
    reason: str
    resolved_by: int | None
    source_row: Mapping[str, str | None]

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {**asdict(self), "captured_at": self.captured_at.isoformat()}


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of the rows, and whether more follow behind the last of them."""

    rows: Sequence[QuarantinedRow]
    more: bool

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON has it."""
        return {"rows": [row.to_dict() for row in self.rows], "more": self.more}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "Page":
        """The page that JSON tells."""
        rows = [
            QuarantinedRow(**{**row, "captured_at": datetime.fromisoformat(row["captured_at"])}) for row in said["rows"]
        ]
        return cls(rows=rows, more=said["more"])


def quarantine(
    warehouse: Connection, *, star_table: str | None = None, key: int | None = None, after: Sequence[Any] | None = None
) -> Page:
    """Return rows of the quarantine, newest batch first.

    Args:
        warehouse: the warehouse, outside a transaction.
        star_table: with `key`: all entries of this one row; None: all rows that are still in quarantine.
        key: the row's key in that star table.
        after: batch, star table and key of the row before the first; None: from the newest.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    conditions = [_OPEN if star_table is None else _ONE]
    values = {"star_table": star_table, "key": key, "most": _PAGE_ROWS + 1}
    if after is not None:
        conditions.append(_BEHIND)
        values |= dict(zip(("after_batch", "after_table", "after_key"), after, strict=True))
    with warehouse:
        with warehouse.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            held = rows_held(cursor)
        if held is None:
            return Page(rows=(), more=False)
        with warehouse.cursor("quarantine") as cursor:  # the server keeps what is not read
            cursor.itersize = _READ_AT_ONCE
            cursor.execute(_ROWS.format(held, sql.SQL(" AND ").join(conditions)), values)
            return _page(
                QuarantinedRow(
                    star_table=table,
                    key=found,
                    batch=batch,
                    captured_at=captured_at,
                    reason=reason,
                    resolved_by=resolved_by,
                    source_row=source_row,
                )
                for table, found, batch, captured_at, reason, resolved_by, source_row in cursor
            )


def rows_held(cursor: Cursor) -> sql.Composable | None:
    """The query of all rows that are or were in quarantine; None where there is no warehouse yet."""
    cursor.execute("SELECT place FROM unnest(%s) AS place WHERE to_regclass(place) IS NOT NULL", ([*_PLACES],))
    held = [sql.SQL("{} {}").format(_COLUMNS, sql.Identifier(*place.split("."))) for (place,) in cursor.fetchall()]
    return sql.SQL(" UNION ALL ").join(held) if held else None


def _page(rows: Iterable[QuarantinedRow]) -> Page:
    """As many of the rows as a page has room for, at least one."""
    page: list[QuarantinedRow] = []
    room = PAGE_BYTES
    for row in rows:
        size = _size(row)
        if page and (size > room or len(page) == _PAGE_ROWS):
            return Page(rows=page, more=True)
        page.append(row if size <= PAGE_BYTES else _shortened(row))
        room -= size
    return Page(rows=page, more=False)


def _size(row: QuarantinedRow) -> int:
    return len(json.dumps(row.to_dict()))


def _shortened(row: QuarantinedRow) -> QuarantinedRow:
    def shown(value: str | None) -> str | None:
        if value is None or len(value) <= _VALUE_LENGTH:
            return value
        return f"{value[:_VALUE_LENGTH]}… ({len(value):,} characters)"

    cut = {name: shown(value) for name, value in row.source_row.items()}
    return replace(row, reason=shown(row.reason) or "", source_row=cut)
