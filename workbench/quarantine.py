"""The rows that could not become star rows, and how a person works with them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.shapes import Calendar
from totes.star import STAR_TABLES
from workbench.deployment import Deployment
from workbench.errors import UserError

_ROWS = sql.SQL("""
    SELECT star_table, key, batch_id, captured_at, reason, resolved_by, source_row
    FROM etl.quarantine JOIN etl.batch USING (batch_id)
    WHERE {} ORDER BY batch_id DESC, star_table, key
""")
_OPEN = sql.SQL("resolved_by IS NULL")
_ONE = sql.SQL("star_table = %(table)s AND key = %(key)s")

_ASKED_AT_ONCE = 5_000
"""Rows in one run's input, which may have 256 KiB."""


@dataclass(frozen=True, kw_only=True)
class QuarantinedRow:
    """A source row that could not become a row of a star table.

    Attributes:
        star_table: the star table.
        key: the row's key.
        batch: the batch that brought it so.
        captured_at: when that batch's snapshot was taken, UTC.
        reason: why, in plain words.
        resolved_by: the batch by which it was mended, deleted or came again; None: it is in quarantine still.
        source_row: every source column's text.
    """

    star_table: str
    key: int
    batch: int
    captured_at: datetime
    reason: str
    resolved_by: int | None
    source_row: Mapping[str, str | None]


def to_json(rows: Sequence[QuarantinedRow]) -> str:
    """The rows as a JSON document."""
    return json.dumps([asdict(row) for row in rows], default=datetime.isoformat, indent=2)


def open_rows(deployment: Deployment) -> list[QuarantinedRow]:
    """Return the rows that are in quarantine still, newest batch first.

    Raises:
        RetryableError, ConfigurationError: the warehouse cannot be reached.
    """
    return _rows(deployment, _OPEN, {})


def rows_of(deployment: Deployment, star_table: str, key: int) -> list[QuarantinedRow]:
    """Return every stay in quarantine of one row, newest first.

    Raises:
        UserError: it never was in quarantine, or there is no such star table.
        RetryableError, ConfigurationError: the warehouse cannot be reached.
    """
    _source_of(star_table)
    found = _rows(deployment, _ONE, {"table": star_table, "key": key})
    if not found:
        raise UserError(
            f"row {key} of {star_table} never was in quarantine; totes quarantine list shows those that are"
        )
    return found


def again(deployment: Deployment, star_table: str | None, keys: Sequence[int]) -> dict[str, list[int]]:
    """Return the source rows to be captured again, by source table, so that they are converted again.

    Args:
        deployment: whose quarantine.
        star_table: of this table alone; None: of all.
        keys: these rows alone; none: all.

    Raises:
        UserError: a row that is named is not in quarantine, or none is, or there are too many for one run.
        RetryableError, ConfigurationError: the warehouse cannot be reached.
    """
    if star_table is not None:
        _source_of(star_table)
    waiting = [row for row in open_rows(deployment) if star_table in (None, row.star_table)]
    strangers = set(keys) - {row.key for row in waiting}
    if strangers:
        raise UserError(f"not in quarantine: {star_table} {', '.join(map(str, sorted(strangers)))}")
    asked = [row for row in waiting if not keys or row.key in keys]
    if not asked:
        raise UserError("nothing is in quarantine")
    if len(asked) > _ASKED_AT_ONCE:
        raise UserError(
            f"{len(asked):,} rows are more than one run takes ({_ASKED_AT_ONCE:,}); name a table and keys, or let "
            "totes replay convert whole batches again"
        )
    by_source: dict[str, set[int]] = {}
    for row in asked:
        by_source.setdefault(_source_of(row.star_table), set()).add(row.key)
    return {source: sorted(chosen) for source, chosen in by_source.items()}


def _source_of(star_table: str) -> str:
    sources = {table.name: table.source for table in STAR_TABLES if not isinstance(table, Calendar)}
    if star_table not in sources:
        raise UserError(f"there is no star table {star_table!r} with a source; there are {', '.join(sources)}")
    return sources[star_table]


def _rows(deployment: Deployment, condition: sql.Composable, values: Mapping[str, Any]) -> list[QuarantinedRow]:
    with deployment.warehouse() as warehouse, warehouse.cursor() as cursor:
        if not _is_there(cursor):
            return []
        cursor.execute(_ROWS.format(condition), values)
        return [
            QuarantinedRow(
                star_table=star_table,
                key=key,
                batch=batch,
                captured_at=captured_at,
                reason=reason,
                resolved_by=resolved_by,
                source_row=source_row,
            )
            for star_table, key, batch, captured_at, reason, resolved_by, source_row in cursor.fetchall()
        ]


def _is_there(cursor: Cursor) -> bool:
    cursor.execute("SELECT to_regclass('etl.quarantine') IS NOT NULL")
    [[found]] = cursor.fetchall()
    return bool(found)
