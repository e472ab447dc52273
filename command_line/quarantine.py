"""The rows that could not become star rows, and how a person works with them."""

import json
from collections.abc import Sequence
from typing import Any

from command_line.deployment import Deployment
from command_line.execution import ASKED_AT_ONCE
from command_line.functions import ask
from totes import payloads
from totes.answers import Page, QuarantinedRow
from totes.errors import UserError
from totes.names import RATES_TABLE
from totes.star import STAR_TABLES
from totes.star_schema import Calendar

_SHOWN = "totes quarantine list shows those that are"


def to_json(rows: Sequence[QuarantinedRow]) -> str:
    """The rows as a JSON document."""
    return json.dumps([row.to_dict() for row in rows], indent=2)


def open_rows(deployment: Deployment) -> list[QuarantinedRow]:
    """Return the rows that are in quarantine still, newest batch first.

    Raises:
        UserError: the warehouse cannot be reached.
    """
    return _rows(deployment)


def rows_of(deployment: Deployment, star_table: str, key: int) -> list[QuarantinedRow]:
    """Return every stay in quarantine of one row, newest first.

    Raises:
        UserError: it never was in quarantine, there is no such star table, or the warehouse cannot be reached.
    """
    if star_table != RATES_TABLE:
        _source_of(star_table)
    found = _rows(deployment, star_table=star_table, key=key)
    if not found:
        raise UserError(f"row {key} of {star_table} never was in quarantine; {_SHOWN}")
    return found


def to_recapture(deployment: Deployment, star_table: str | None, keys: Sequence[int]) -> dict[str, list[int]]:
    """Return the source rows to be captured again, by source table, so that they are converted again.

    Args:
        deployment: whose quarantine.
        star_table: of this table alone; None: of all.
        keys: these rows alone; none: all.

    Raises:
        UserError: a row that is named is not in quarantine, or none is, there are too many for one run, or the
            warehouse cannot be reached.
    """
    if star_table is not None:
        _source_of(star_table)
    # A day of exchange rates is no row of the source: the next day takes its place.
    rows = [row for row in open_rows(deployment) if row.star_table != RATES_TABLE]
    waiting = [row for row in rows if star_table in (None, row.star_table)]
    strangers = set(keys) - {row.key for row in waiting}
    if strangers:
        raise UserError(f"not in quarantine: {star_table} {', '.join(map(str, sorted(strangers)))}; {_SHOWN}")
    asked = [row for row in waiting if not keys or row.key in keys]
    if not asked:
        raise UserError(f"{'nothing' if star_table is None else f'no row of {star_table}'} is in quarantine")
    if len(asked) > ASKED_AT_ONCE:
        raise UserError(
            f"{len(asked):,} rows are more than one run takes ({ASKED_AT_ONCE:,}); name a table and keys, or let "
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


def _rows(deployment: Deployment, **about: Any) -> list[QuarantinedRow]:
    """Turn the pages of the quarantine, all rows that are in it or those of one key."""
    rows: list[QuarantinedRow] = []
    while True:
        asked = {payloads.QUESTION: payloads.QUESTION_QUARANTINE, payloads.ABOUT: about}
        page = Page.from_dict(ask(deployment, "AnswerFunction", asked))
        rows += page.rows
        if not page.more:
            return rows
        last = rows[-1]
        about["after"] = [last.batch, last.star_table, last.key]
