"""The first batch of a source that is read in pieces: planned, waited for, put together in one snapshot."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
from psycopg2.extensions import connection as Connection

from totes.capture.changes import Changes, changes_of
from totes.capture.contract import columns_of
from totes.capture.durability import wait_until_durable
from totes.capture.identity import identities_of
from totes.capture.merging import with_run
from totes.capture.part_cache import bounds
from totes.capture.pieces import FIRST
from totes.capture.plan import Plan, Plans
from totes.capture.planning import cut_tables
from totes.capture.snapshot import Snapshot, snapshot_of
from totes.capture.source_schema import SourceTable
from totes.capture.table_writer import TableWriter
from totes.lake import Bucket, CapturedTable, CaptureManifest, Part, PiecesLeft, SortedRun, read_part, write_part

logger = logging.getLogger(__name__)

_PLAN_KEEPS = timedelta(hours=6)
"""What changes since a plan is read by one function; after so long it may be too much."""


def read_in_pieces(
    connection: Connection, lake: Bucket, tables: Sequence[SourceTable], rows_in_one_function: int
) -> "PiecesLeft | Together | None":
    """Go on with the first batch of a source that is too large for one function.

    Args:
        connection: the source, outside a transaction.
        lake: the ingestion bucket, without a batch yet.
        tables: the tables to capture.
        rows_in_one_function: how many rows of all tables one function may read.

    Returns:
        What is to be read in pieces first; or, where all of them are read, the batch; None: one function reads all.

    Raises:
        ContractError: the source does not have the shape that totes reads.
        SourceUnavailable: its tables are being exchanged, or its disk stands still.
        BatchTaken: another run has made a plan.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    plans = Plans(lake, FIRST)
    plan = plans.newest()
    if plan is not None and datetime.now(UTC) - plan.base.captured_at < _PLAN_KEEPS:
        begun = _go_on(connection, lake, tables, plans, plan)
        if begun is not None:
            return begun
        logger.warning("plan %d does not hold any more: the source is another one, or has another shape", plan.number)
    return _plan(connection, tables, plans, rows_in_one_function, number=plan.number + 1 if plan else 1)


def _go_on(
    connection: Connection, lake: Bucket, tables: Sequence[SourceTable], plans: Plans, plan: Plan
) -> "PiecesLeft | Together | None":
    """What is left of a plan to be read, or what comes of it; None where it does not hold any more."""
    unread = plans.unread(plan)
    base = None if unread else plan.with_read(plans.pieces(plan))
    with snapshot_of(connection, tables) as snapshot:
        if not plan.holds(snapshot, columns_of(snapshot, tables), identities_of(snapshot, tables)):
            return None
        if base is None:
            return PiecesLeft.first(plan.number, unread)
        together = Together(snapshot, lake, tables, base)
        together.read()
        return together


def _plan(
    connection: Connection, tables: Sequence[SourceTable], plans: Plans, rows_in_one_function: int, number: int
) -> PiecesLeft | None:
    with snapshot_of(connection, tables) as snapshot:
        began = datetime.now(UTC)
        described, pieces = cut_tables(snapshot, tables, rows_in_one_function)
    if not pieces:
        return None
    # A crash of the source takes back what it had not flushed, and gives out ids before the horizon again.
    wait_until_durable(connection, snapshot)
    base = CaptureManifest(
        batch=0,
        parent=None,
        captured_at=began,
        horizon=snapshot.horizon,
        source=snapshot.source,
        drift=(),
        tables=described,
    )
    plans.commit(Plan(number=number, base=base, pieces=pieces))
    logger.info("plan %d: %s are read in %d pieces", number, ", ".join(described), len(pieces))
    return PiecesLeft.first(number, range(len(pieces)))


class Together:
    """All pieces of a plan, and what has changed since: what one function would have read in this snapshot.

    What has changed is found as any capture finds it, as if the pieces had been a batch before. Tables that the plan
    leaves out are small, and are read whole.

    Attributes:
        snapshot: the state of the source that the batch is.
        began: when it was taken.
        ordered: runs of a last batch that were put in order; there is no last batch.

    Args:
        snapshot: the state of the source.
        lake: the ingestion bucket.
        tables: the tables to capture.
        base: what the pieces have read, as a batch before.
    """

    def __init__(self, snapshot: Snapshot, lake: Bucket, tables: Sequence[SourceTable], base: CaptureManifest) -> None:
        self.snapshot = snapshot
        self.began = datetime.now(UTC)
        self.ordered: Mapping[str, tuple[SortedRun, ...]] = {}
        self._lake = lake
        self._keys = {table.name: table.key for table in tables}
        self._base = base
        self._readings = changes_of(snapshot, lake, tables, base, {})
        self._writers = {
            name: TableWriter(lake, _place(name), key, hold=lambda _rows: None, lose=lambda _keys: None)
            for name, key in self._keys.items()
        }
        self._found: dict[str, Changes] = {}

    def read(self) -> None:
        """Read all that has changed since the plan, and write it to the lake."""
        for name, reading in self._readings.items():
            self._found[name] = reading.read(self._writers[name])

    def captured(self) -> dict[str, CapturedTable]:
        """What the batch brings of each table; the source is not asked."""
        return {name: self._captured(name) for name in self._readings}

    def merged(self, captured: Mapping[str, CapturedTable]) -> dict[str, CapturedTable]:
        """The tables with all that the batch brings among their runs; the source is not asked."""
        return {name: replace(table, holdings=self._with_since(name, table)) for name, table in captured.items()}

    def _captured(self, name: str) -> CapturedTable:
        reading, found, since = self._readings[name], self._found[name], self._writers[name].run()
        base = self._base.tables.get(name)
        kept = self._without(name, [part for run in base.holdings for part in run.parts] if base else [], since)
        rows = sum(part.rows for part in (*kept, *since.parts))
        if rows != found.held:
            raise AssertionError(f"{name} has {found.held} rows, and its pieces have come to {rows}")
        return CapturedTable(
            columns=tuple(reading.columns),
            held=found.held,
            changes=(*kept, *since.parts),
            holdings=(SortedRun(parts=kept),) if kept else (),
            ranges=found.ranges,
            identity=reading.identity,
        )

    def _with_since(self, name: str, table: CapturedTable) -> tuple[SortedRun, ...]:
        since = self._writers[name].run()
        if not since.parts:
            return table.holdings
        newest = SortedRun(parts=since.parts)
        return with_run(table.holdings, newest, self._keys[name], self._lake, f"holdings/{name}/{FIRST:010d}")

    def _without(self, name: str, parts: Iterable[Part], since: SortedRun) -> tuple[Part, ...]:
        """The pieces' parts without the keys of rows that have changed or gone since; most parts have none of them."""
        key, kept = self._keys[name], list[Part]()
        said = [read_part(self._lake, part, [key])[key].cast(pl.Int64) for part in (*since.parts, *since.deleted)]
        keys = pl.concat([pl.Series(key, [], dtype=pl.Int64), *said]).sort()
        for number, part in enumerate(parts):
            lowest, highest = bounds(part)
            first, after = keys.search_sorted(lowest, "left"), keys.search_sorted(highest, "right")
            if first == after:
                kept.append(part)
                continue
            rows = read_part(self._lake, part)
            other = rows.filter(~rows[key].cast(pl.Int64).is_in(keys.slice(first, after - first).implode()))
            if other.height == rows.height:
                kept.append(part)
            elif other.height:
                kept.append(write_part(self._lake, f"{_place(name)}/kept-{number:05d}", other, row_key=key))
        return tuple(kept)


def _place(table: str) -> str:
    return f"batches/{FIRST:010d}/{table}"
