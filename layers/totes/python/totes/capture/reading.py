"""Reads one batch from one snapshot. Slow work that does not need the source is done while no snapshot is open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial

from psycopg2.extensions import connection as Connection

from totes.capture.changes import TableTotals, changes_of
from totes.capture.context import Links, read_contexts
from totes.capture.holdings.merging import overlap_little, with_sorted_run, without_overlaps
from totes.capture.mass_deletion import Gone
from totes.capture.pieces.coordinator import PieceCoordinator, PlanStatus, ReadBaseline
from totes.capture.pieces.cutting import estimated_rows
from totes.capture.pieces.plan import Plan
from totes.capture.source.snapshot import Snapshot, snapshot_of
from totes.capture.source.succession import check_succession
from totes.capture.source_schema import SourceTable
from totes.capture.table_writer import TableWriter
from totes.lake import (
    Bucket,
    CapturedTable,
    CaptureManifest,
    Part,
    PiecesLeft,
    SortedRun,
    SourceColumn,
    TableIdentity,
    read_part,
)
from totes.lake.layout import batch_folder, holdings_prefix

_JOINED_BY_AN_EARLIER_TOTES: Mapping[str, Mapping[str, str]] = {
    "counterparty": {"legal_address_id": "address"},
    "staff": {"department_id": "department"},
}
"""What each batch brought the context for whose manifest does not say it."""

Permit = Callable[[Mapping[str, Gone]], None]
"""Lets the deletes of tables pass, or raises MassDeletion."""


def read_batch(
    connection: Connection,
    ingestion: Bucket,
    tables: Sequence[SourceTable],
    last: CaptureManifest | None,
    batch: int,
    recapture: Mapping[str, Sequence[int]],
    permit: Permit,
    rows_in_one_function: int | None,
) -> "BatchRead | PiecesLeft":
    """Read a batch out of one snapshot of the source, which is closed by the time that this returns.

    While a snapshot is open nothing is done that takes long and does not read: it holds locks and the source's
    horizon, and the source ends it where it stays idle. Sorted runs with too many overlapping parts are rewritten
    first; the batch is then read from a new snapshot.

    Args:
        connection: the source, outside a transaction.
        ingestion: the bucket of captured batches.
        tables: the tables to capture.
        last: the last batch; None where there is none.
        batch: the number of this one.
        recapture: keys of each source table whose rows are part of the batch whether or not they have changed.
        permit: asked before anything is written, and again as more is known.
        rows_in_one_function: of more rows that may have changed, in all tables, many functions read a piece each; None:
            one function reads whatever there is.

    Returns:
        What was read; or pieces that are to be read first.

    Raises:
        ContractError: the source does not have the shape that totes reads, or a key is there twice.
        MassDeletion: `permit` stops the run.
        SourceUnavailable: the source is a standby that is behind the last batch, its tables are being exchanged, or its
            disk stands still.
        BatchTaken: another run has made a plan.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """
    pieces = None
    if rows_in_one_function is not None:
        pieces = PieceCoordinator(ingestion, tables, last, batch, rows_in_one_function)
    # Whether pieces are needed a first batch asks at once; a later one only once it has counted many rows.
    status = pieces.status() if pieces and last is None else None
    rewritten: dict[str, tuple[SortedRun, ...]] = {}
    while True:
        with snapshot_of(connection, tables) as snapshot:
            check_succession(snapshot, last)
            read_of = partial(BatchRead, snapshot, ingestion, tables, last, batch, recapture, permit, rewritten)
            outcome = _attempt(read_of, pieces, status)
        match outcome:
            case BatchRead() | PiecesLeft():
                return outcome
            case _CommitFirst():
                return outcome.pieces.commit(snapshot, outcome.plan)
            case _AskPlanFirst():
                status = outcome.pieces.status()
            case _RewriteFirst():
                rewritten |= outcome.batch.rewrite_overlaps(outcome.tables)


@dataclass(frozen=True, kw_only=True)
class _CommitFirst:
    """There is too much for one function: the plan is committed, and many functions read its pieces."""

    pieces: PieceCoordinator
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class _AskPlanFirst:
    """There is too much for one function, and nobody has asked yet whether there is a plan for it."""

    pieces: PieceCoordinator


@dataclass(frozen=True, kw_only=True)
class _RewriteFirst:
    """Sorted runs of some tables overlap too much to be read in the order of their keys: they are rewritten first."""

    batch: "BatchRead"
    tables: Sequence[str]


def _attempt(
    read_of: Callable[..., "BatchRead"], pieces: PieceCoordinator | None, status: PlanStatus | None
) -> "BatchRead | PiecesLeft | _CommitFirst | _AskPlanFirst | _RewriteFirst":
    """Read the batch, if that can be done in this snapshot; else say what is to be done first, with none open.

    Args:
        read_of: begins to read in this snapshot; what pieces have read may be given to it.
        pieces: the pieces of the batch; None: one function reads whatever there is.
        status: what there was of a plan before the snapshot was taken; None: nobody has asked.
    """
    batch = read_of()
    if pieces and status:
        resumed = pieces.resume(status, batch.snapshot, batch.columns, batch.identities)
        if isinstance(resumed, PiecesLeft):
            return resumed
        if resumed is not None:
            batch = read_of(resumed)
            pieces.warn_if_large(batch.candidates)
            batch.read()
            return batch
    overlapping = batch.with_overlapping_sorted_runs()
    if overlapping:
        return _RewriteFirst(batch=batch, tables=overlapping)
    if pieces and pieces.is_too_large(batch.rows):
        if status is None:
            return _AskPlanFirst(pieces=pieces)
        plan = pieces.plan(batch.snapshot, batch.columns, batch.identities, batch.rows)
        if plan is not None:
            return _CommitFirst(pieces=pieces, plan=plan)
    batch.read()
    return batch


class BatchRead:
    """One batch as it is read: every table's changes first, then the context that joined dimensions need.

    Attributes:
        snapshot: the state of the source that is read; once it is read, what was open on it is closed.
        began: when the snapshot was taken.
        rewritten: sorted runs of the last batch that were rewritten before this one was read, by table.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        ingestion: Bucket,
        tables: Sequence[SourceTable],
        last: CaptureManifest | None,
        batch: int,
        recapture: Mapping[str, Sequence[int]],
        permit: Permit,
        rewritten: Mapping[str, tuple[SortedRun, ...]],
        baseline: ReadBaseline | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.began = datetime.now(UTC)
        self.rewritten = rewritten
        self._ingestion = ingestion
        self._tables = {table.name: table for table in tables}
        self._last = last
        self._batch = batch
        self._permit = permit
        self._baseline = baseline
        self._changes = changes_of(
            snapshot, ingestion, tables, last, recapture, baseline.manifest if baseline else None
        )
        for name, sorted_runs in rewritten.items():
            if baseline is None or name not in baseline.manifest.tables:  # what pieces have read is among them
                self._changes[name].sorted_runs = sorted_runs
        self._links = Links(tables)
        self._writers = {
            table.name: TableWriter(
                ingestion,
                table,
                f"{batch_folder(batch)}/{table.name}",
                hold=partial(self._links.hold, table.name),
                lose=partial(self._links.lose, table.name),
            )
            for table in tables
        }
        self._totals: dict[str, TableTotals] = {}
        self._current: dict[str, tuple[Part, ...]] = {}

    def with_overlapping_sorted_runs(self) -> list[str]:
        """The tables of which many rows are to be compared with sorted runs whose parts overlap too much.

        Before anything is written, all deletes may pass.
        """
        self._permit({name: self._gone(name, changes.gone_at_least) for name, changes in self._changes.items()})
        return [
            name
            for name, changes in self._changes.items()
            if name not in self.rewritten and not overlap_little(changes.sorted_runs) and changes.comes_in_order
        ]

    @property
    def candidates(self) -> Mapping[str, int]:
        """How many rows of each table may have changed."""
        return {name: changes.counted.candidates for name, changes in self._changes.items()}

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """About how many rows of each table are to be read: a first batch does not count what statistics tell."""
        if self._last is None:
            return estimated_rows(self.snapshot, self.identities)
        return self.candidates

    @property
    def columns(self) -> Mapping[str, Sequence[SourceColumn]]:
        """The columns of each table in the source."""
        return {name: changes.columns for name, changes in self._changes.items()}

    @property
    def identities(self) -> Mapping[str, TableIdentity]:
        """What each table is in the source."""
        return {name: changes.identity for name, changes in self._changes.items()}

    def rewrite_overlaps(self, tables: Sequence[str]) -> dict[str, tuple[SortedRun, ...]]:
        """Rewrite those sorted runs of tables whose parts overlap too much; the source is not asked."""
        return {
            name: without_overlaps(
                self._changes[name].sorted_runs, self._tables[name].key, self._ingestion, self._place_of_merged(name)
            )
            for name in tables
        }

    def read(self) -> None:
        """Read all that has changed, and its context, and write it to the lake."""
        for name, changes in self._changes.items():
            self._totals[name] = changes.read(self._writers[name], partial(self._check_deletes, name))
        if self._last is not None:  # else all there is has been captured
            for name in self._changes:
                self._hold_what_pieces_have_read(name)
            joined = [name for name in self._changes if self._is_newly_joined(name)]
            read_contexts(self.snapshot, list(self._tables.values()), self.columns, self._links, self._writers, joined)

    def captured(self) -> dict[str, CapturedTable]:
        """What the batch brings of each table, and the sorted runs from before it. The source is not asked."""
        return {name: self._captured(name) for name in self._changes}

    def merged(self, captured: Mapping[str, CapturedTable]) -> dict[str, CapturedTable]:
        """The tables with what the batch brings among their sorted runs; the source is not asked."""
        return {name: replace(table, holdings=self._with_changes(name, table)) for name, table in captured.items()}

    def _with_changes(self, name: str, table: CapturedTable) -> tuple[SortedRun, ...]:
        since = self._writers[name].finish()
        # Where every row has changed, as by a migration, nothing that was held before counts any more.
        has_all = sum(part.rows for part in table.changes) == table.held
        sorted_runs = () if has_all else table.holdings
        for sorted_run in (
            SortedRun(parts=self._still_current(name)),
            SortedRun(parts=since.parts, deleted=() if has_all else since.deleted),
        ):
            if sorted_run.rows:
                sorted_runs = with_sorted_run(
                    sorted_runs, sorted_run, self._tables[name].key, self._ingestion, self._place_of_merged(name)
                )
        return sorted_runs

    def _check_deletes(self, table: str, gone: int) -> None:
        self._permit({table: self._gone(table, gone)})

    def _gone(self, table: str, gone: int) -> Gone:
        # Of what the last batch held, as a person knows it: what pieces have added must not make a loss look small.
        before, held = self._before(table), self._changes[table].held
        return Gone(gone=gone, held=min(held, before.held) if before else held)

    def _before(self, table: str) -> CapturedTable | None:
        return self._last.tables.get(table) if self._last else None

    def _is_newly_joined(self, name: str) -> bool:
        """Whether a dimension joins a table to another one since the last batch, and that held both already."""
        before = self._before(name)
        if before is None:
            return False
        joined = _JOINED_BY_AN_EARLIER_TOTES.get(name, {}) if before.completed_by is None else before.completed_by
        return not self._tables[name].completed_by.items() <= joined.items()

    def _still_current(self, name: str) -> tuple[Part, ...]:
        """What pieces have read of a table, and nobody has changed since."""
        if name not in self._current:
            self._current[name] = (
                self._baseline.still_current(name, self._writers[name].finish()) if self._baseline else ()
            )
        return self._current[name]

    def _hold_what_pieces_have_read(self, name: str) -> None:
        columns = self._links.columns(name)
        for part in self._still_current(name) if columns else ():
            self._links.hold(name, read_part(self._ingestion, part, columns))

    def _captured(self, name: str) -> CapturedTable:
        table, newest, found = self._changes[name], self._writers[name].finish(), self._totals[name]
        before, changes, deletes = self._before(name), (*self._still_current(name), *newest.parts), newest.deleted
        if before is None and self._baseline is not None:
            deletes = ()  # of rows that pieces have read, and nobody else
            rows = sum(part.rows for part in changes)
            if rows != found.held:
                raise AssertionError(
                    f"{name} has {found.held} rows, and its pieces have come to {rows}; this is a bug in totes: report "
                    f"it, and keep the plan under {batch_folder(self._batch)}/plans/"
                )
        return CapturedTable(
            columns=tuple(table.columns),
            held=found.held,
            changes=changes,
            deletes=deletes,
            context=tuple(self._writers[name].context),
            holdings=self.rewritten.get(name, before.holdings if before else ()),
            ranges=found.ranges,
            identity=table.identity,
            completed_by=self._tables[name].completed_by,
        )

    def _place_of_merged(self, table: str) -> str:
        return holdings_prefix(table, self._batch)
