"""A tick of the source: what has changed since the last batch becomes the next batch, or nothing does."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.contract import columns_of
from totes.capture.holdings import news_in, with_run
from totes.capture.reader import stream_rows
from totes.capture.shape import SourceTable
from totes.capture.snapshot import Snapshot, snapshot_of
from totes.lake import Bucket, CapturedTable, CaptureManifest, Journal, Part, Run, write_part
from totes.lake.manifests import digest

logger = logging.getLogger(__name__)

_ASKED_AT_ONCE = 10_000
"""Keys in one statement that asks for context."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The batch that a tick committed (None: nothing changed), and the newest in the lake (0: none)."""

    batch: int | None
    newest: int


def capture(connection: Connection, lake: Bucket, tables: Sequence[SourceTable]) -> Captured:
    """Commit what has changed in the source since the last batch as the next batch.

    A tick that finds nothing new writes nothing.

    Args:
        connection: the source, outside a transaction.
        lake: the ingestion bucket.
        tables: the tables to capture.

    Raises:
        ContractError: the source has not the shape that totes reads.
        BatchTaken: another run committed the batch first.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    journal = Journal(lake)
    newest = journal.newest()
    last_body = journal.read(newest) if newest else None
    last = CaptureManifest.from_json(last_body) if last_body else None
    with snapshot_of(connection) as snapshot:
        captured_at = datetime.now(UTC)
        captured = _Capture(snapshot, lake, tables, last, batch=newest + 1).tables()
    if not any(table.changes for table in captured.values()) and not _must_be_noted(snapshot, captured, last):
        logger.info("nothing changed since batch %d", newest)
        return Captured(batch=None, newest=newest)
    manifest = CaptureManifest(
        batch=newest + 1,
        parent=digest(last_body) if last_body else None,
        captured_at=captured_at,
        horizon=snapshot.horizon,
        source=snapshot.source,
        tables=captured,
    )
    journal.commit(manifest.batch, manifest.to_json())
    rows = {name: sum(part.rows for part in table.changes) for name, table in captured.items() if table.changes}
    logger.info("committed batch %d", manifest.batch, extra={"batch": manifest.batch, "changes": rows})
    return Captured(batch=manifest.batch, newest=manifest.batch)


def _must_be_noted(snapshot: Snapshot, captured: Mapping[str, CapturedTable], last: CaptureManifest | None) -> bool:
    """Whether the source is another, or of another shape, than the last batch says: then even no change is a batch."""
    if last is None:
        return False
    shapes = {name: table.columns for name, table in captured.items()}
    return not snapshot.continues(last) or shapes != {name: table.columns for name, table in last.tables.items()}


class _Capture:
    """The reading of one batch: every table's changes first, then the context that joined dimensions need."""

    def __init__(
        self,
        snapshot: Snapshot,
        lake: Bucket,
        tables: Sequence[SourceTable],
        last: CaptureManifest | None,
        batch: int,
    ) -> None:
        self._snapshot = snapshot
        self._lake = lake
        self._tables = {table.name: table for table in tables}
        self._last = last
        self._batch = batch
        self._columns = columns_of(snapshot, tables)
        # Of tables that dimensions join, the keys and references that the batch has come to hold.
        self._links: dict[str, list[pl.DataFrame]] = {}

    def tables(self) -> dict[str, CapturedTable]:
        captured = {table.name: self._changes(table) for table in self._tables.values()}
        for name, parts in self._context().items():
            captured[name] = replace(captured[name], context=tuple(parts))
        return captured

    def _changes(self, table: SourceTable) -> CapturedTable:
        held = self._holdings(table.name)
        parts: list[Part] = []

        def keep(candidates: pl.DataFrame) -> None:
            news = news_in(candidates, table.key, held, self._lake) if held else candidates
            if news.height:
                parts.append(self._write(table, news, "changes", len(parts)))

        stream_rows(self._snapshot, table.name, self._columns[table.name], self._may_be_new(table), keep)
        merged = f"holdings/{table.name}/{self._batch:010d}"
        return CapturedTable(
            columns=self._columns[table.name],
            changes=tuple(parts),
            holdings=with_run(held, parts, table.key, self._lake, merged) if parts else held,
        )

    def _may_be_new(self, table: SourceTable) -> sql.Composable:
        """Which rows to compare with the lake: all of them where the table was not read in this shape before.

        A column may be added with a default, or retyped, without any row being written.
        """
        before = self._last.tables.get(table.name) if self._last else None
        if before is None or before.columns != self._columns[table.name]:
            return sql.SQL("true")
        return self._snapshot.may_be_new(self._last)

    def _context(self) -> Mapping[str, list[Part]]:
        """Complete each joined pair of tables: referring rows of what changed, then what all those refer to."""
        context: dict[str, list[Part]] = {}
        if self._last is None:  # all there is has been captured
            return context
        pairs = [
            (table, reference, self._tables[completing])
            for table in self._tables.values()
            for reference, completing in table.completed_by.items()
        ]
        for table, reference, completing in pairs:
            changed = self._linked(completing.name, completing.key)
            self._read_context(table, reference, changed, context)
        for table, reference, completing in pairs:
            referred = self._linked(table.name, reference).cast(pl.Int64)
            captured = self._linked(completing.name, completing.key).cast(pl.Int64)
            self._read_context(
                completing, completing.key, referred.filter(~referred.is_in(captured.implode())), context
            )
        return context

    def _read_context(self, table: SourceTable, column: str, values: pl.Series, context: dict[str, list[Part]]) -> None:
        """Bring the rows whose column has one of the values and which the batch does not have yet."""

        def keep(rows: pl.DataFrame) -> None:
            missing = rows.join(self._linked(table.name, table.key).to_frame(table.key), on=table.key, how="anti")
            if missing.height:
                parts = context.setdefault(table.name, [])
                parts.append(self._write(table, missing, "context", len(parts)))

        for start in range(0, values.len(), _ASKED_AT_ONCE):
            asked = sql.Literal(values.slice(start, _ASKED_AT_ONCE).to_list())
            condition = sql.SQL("{} = ANY({})").format(sql.Identifier(column), asked)
            stream_rows(self._snapshot, table.name, self._columns[table.name], condition, keep)

    def _write(self, table: SourceTable, rows: pl.DataFrame, role: str, number: int) -> Part:
        if table.completed_by or any(table.name in other.completed_by.values() for other in self._tables.values()):
            self._links.setdefault(table.name, []).append(rows.select(table.key, *table.completed_by))
        place = f"batches/{self._batch:010d}/{table.name}/{role}-{number:05d}"
        return write_part(self._lake, place, rows.sort(table.key), row_key=table.key)

    def _linked(self, table: str, column: str) -> pl.Series:
        frames = self._links.get(table)
        if not frames:
            return pl.Series(column, [], dtype=pl.Int64)
        return pl.concat([frame.select(column) for frame in frames]).to_series().drop_nulls().unique()

    def _holdings(self, table: str) -> tuple[Run, ...]:
        if self._last is None or table not in self._last.tables:
            return ()
        return self._last.tables[table].holdings
