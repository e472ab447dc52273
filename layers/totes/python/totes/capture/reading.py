"""The reading of one batch out of one snapshot of the source, which nothing that takes long keeps open."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from psycopg2.extensions import connection as Connection

from totes.capture.changes import Changes, changes_of
from totes.capture.context import Links, read_contexts
from totes.capture.mass_deletion import Gone
from totes.capture.merging import are_in_order, in_order, with_run
from totes.capture.snapshot import Snapshot, snapshot_of
from totes.capture.source_schema import SourceTable
from totes.capture.succession import check_succession
from totes.capture.table_writer import TableWriter
from totes.lake import Bucket, CapturedTable, CaptureManifest, SortedRun

Permit = Callable[[Mapping[str, Gone]], None]
"""Lets the deletes of tables pass, or raises MassDeletion."""


def read_batch(
    connection: Connection,
    lake: Bucket,
    tables: Sequence[SourceTable],
    last: CaptureManifest | None,
    batch: int,
    recapture: Mapping[str, Sequence[int]],
    permit: Permit,
) -> "Reading":
    """Read a batch out of one snapshot of the source, which is closed by the time that this returns.

    While a snapshot is open nothing is done that takes long and does not read: it holds locks and the source's
    horizon, and the source ends it where it stays idle. So runs that must be put in order for the reading are, with no
    snapshot open, and the next one is read.

    Args:
        connection: the source, outside a transaction.
        lake: the ingestion bucket.
        tables: the tables to capture.
        last: the last batch; None where there is none.
        batch: the number of this one.
        recapture: keys of each source table whose rows are part of the batch whether or not they have changed.
        permit: asked before anything is written, and again as more is known.

    Raises:
        ContractError: the source does not have the shape that totes reads.
        MassDeletion: `permit` stops the run.
        SourceUnavailable: the source is a standby that is behind the last batch, or its tables are being exchanged.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    ordered: dict[str, tuple[SortedRun, ...]] = {}
    while True:
        with snapshot_of(connection, tables) as snapshot:
            check_succession(snapshot, last)
            reading = Reading(snapshot, lake, tables, last, batch, recapture, permit, ordered)
            unordered = reading.unordered()
            if not unordered:
                reading.read()
                return reading
        ordered |= reading.put_in_order(unordered)


class Reading:
    """The reading of one batch: every table's changes first, then the context that joined dimensions need.

    Attributes:
        snapshot: the state of the source that is read; once it is read, what was open on it is closed.
        began: when the snapshot was taken.
        ordered: runs of the last batch that were put in order, by table.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        lake: Bucket,
        tables: Sequence[SourceTable],
        last: CaptureManifest | None,
        batch: int,
        recapture: Mapping[str, Sequence[int]],
        permit: Permit,
        ordered: Mapping[str, tuple[SortedRun, ...]],
    ) -> None:
        self.snapshot = snapshot
        self.began = datetime.now(UTC)
        self.ordered = ordered
        self._lake = lake
        self._tables = {table.name: table for table in tables}
        self._last = last
        self._batch = batch
        self._permit = permit
        self._readings = changes_of(snapshot, lake, tables, last, recapture)
        for name, runs in ordered.items():
            self._readings[name].runs = runs
        self._links = Links(tables)
        self._writers = {
            table.name: TableWriter(
                lake,
                f"batches/{batch:010d}/{table.name}",
                table.key,
                hold=partial(self._links.hold, table.name),
                lose=partial(self._links.lose, table.name),
            )
            for table in tables
        }
        self._found: dict[str, Changes] = {}

    def unordered(self) -> list[str]:
        """The tables of which many rows are to be compared with runs that are in no order.

        Before anything is written, all deletes may pass.
        """
        self._permit({name: self._gone(name, reading.gone_at_least) for name, reading in self._readings.items()})
        return [
            name
            for name, reading in self._readings.items()
            if reading.comes_in_order and name not in self.ordered and not are_in_order(reading.runs)
        ]

    def put_in_order(self, unordered: Iterable[str]) -> dict[str, tuple[SortedRun, ...]]:
        """Write the runs of tables in the order of their keys; the source is not asked."""
        return {
            name: in_order(self._readings[name].runs, self._tables[name].key, self._lake, self._place_of_merged(name))
            for name in unordered
        }

    def read(self) -> None:
        """Read all that has changed, and its context, and write it to the lake."""
        for name, reading in self._readings.items():
            self._found[name] = reading.read(self._writers[name], partial(self._check_deletes, name))
        if self._last is not None:  # else all there is has been captured
            columns = {name: reading.columns for name, reading in self._readings.items()}
            read_contexts(self.snapshot, list(self._tables.values()), columns, self._links, self._writers)

    def captured(self) -> dict[str, CapturedTable]:
        """What the batch brings of each table; of its runs, those that were there before."""
        return {name: self._captured(name) for name in self._readings}

    def merged(self, captured: Mapping[str, CapturedTable]) -> dict[str, CapturedTable]:
        """The tables with what the batch brings among their runs; the source is not asked."""
        return {name: replace(table, holdings=self._with_changes(name, table)) for name, table in captured.items()}

    def _with_changes(self, name: str, table: CapturedTable) -> tuple[SortedRun, ...]:
        newest = SortedRun(parts=table.changes, deleted=table.deletes)
        if not newest.rows:
            return table.holdings
        return with_run(table.holdings, newest, self._tables[name].key, self._lake, self._place_of_merged(name))

    def _check_deletes(self, table: str, gone: int) -> None:
        self._permit({table: self._gone(table, gone)})

    def _gone(self, table: str, gone: int) -> Gone:
        before = self._before(table)
        return Gone(gone=gone, held=before.held if before else 0)

    def _before(self, table: str) -> CapturedTable | None:
        return self._last.tables.get(table) if self._last else None

    def _captured(self, name: str) -> CapturedTable:
        reading, newest, found = self._readings[name], self._writers[name].run(), self._found[name]
        return CapturedTable(
            columns=tuple(reading.columns),
            held=found.held,
            changes=newest.parts,
            deletes=newest.deleted,
            context=tuple(self._writers[name].context),
            holdings=tuple(reading.runs),
            ranges=found.ranges,
            identity=reading.identity,
        )

    def _place_of_merged(self, table: str) -> str:
        return f"holdings/{table}/{self._batch:010d}"
