"""A batch that is too large for one function: planned, waited for, and put together in one snapshot."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from totes.capture.holdings.part_cache import bounds
from totes.capture.pieces.cutting import cut_tables
from totes.capture.pieces.plan import Plan, Plans
from totes.capture.source.durability import wait_until_durable
from totes.capture.source.snapshot import Snapshot
from totes.capture.source.succession import check_succession
from totes.capture.source_schema import SourceTable
from totes.lake import (
    Bucket,
    CaptureManifest,
    Part,
    PiecesLeft,
    SortedRun,
    SourceColumn,
    TableIdentity,
    read_part,
    write_part,
)
from totes.lake.layout import batch_folder

logger = logging.getLogger(__name__)

_PLAN_KEEPS = timedelta(hours=24)
"""What changes since a plan is read by one function; after so long, which is several runs, it may be too much."""


class ReadBaseline:
    """What all pieces of a plan have read, as if it had been a batch since the last one.

    Args:
        ingestion: the bucket of captured batches.
        tables: the tables that are captured.
        batch: the number of the batch that it becomes.
        manifest: that batch; see `Plan.baseline`.

    Attributes:
        manifest: that batch.
    """

    def __init__(self, ingestion: Bucket, tables: Sequence[SourceTable], batch: int, manifest: CaptureManifest) -> None:
        self.manifest = manifest
        self._ingestion = ingestion
        self._keys = {table.name: table.key for table in tables}
        self._batch = batch

    def still_current(self, name: str, since: SortedRun) -> tuple[Part, ...]:
        """Return a table's changes without the keys of rows that have changed or gone since; most parts have none.

        Args:
            name: the table.
            since: what has been captured of it since.

        Raises:
            LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        """
        table = self.manifest.tables.get(name)
        if table is None:
            return ()
        key, kept = self._keys[name], list[Part]()
        said = [read_part(self._ingestion, part, [key])[key].cast(pl.Int64) for part in (*since.parts, *since.deleted)]
        keys = pl.concat([pl.Series(key, [], dtype=pl.Int64), *said]).sort()
        for number, part in enumerate(table.changes):
            lowest, highest = bounds(part)
            first, after = keys.search_sorted(lowest, "left"), keys.search_sorted(highest, "right")
            if first == after:
                kept.append(part)
                continue
            rows = read_part(self._ingestion, part)
            other = rows.filter(~rows[key].cast(pl.Int64).is_in(keys.slice(first, after - first).implode()))
            if other.height == rows.height:
                kept.append(part)
            elif other.height:
                place = f"{batch_folder(self._batch)}/{name}/kept-{number:05d}"
                kept.append(write_part(self._ingestion, place, other, row_key=key))
        return tuple(kept)


@dataclass(frozen=True, kw_only=True)
class PlanStatus:
    """What there was of a batch's pieces at a moment: a batch may be put together of them in a later snapshot.

    A piece that is read after the snapshot was taken may have what that does not.

    Attributes:
        plan: the newest plan; None where there is none, or none that is young enough.
        unread: which of its pieces nobody had read.
    """

    plan: Plan | None
    unread: Sequence[int]


class PieceCoordinator:
    """The pieces of one batch.

    Args:
        ingestion: the bucket of captured batches.
        tables: the tables to capture.
        last: the last batch; None where there is none.
        batch: the number of this one.
        rows_in_one_function: how many rows of all tables one function may read.

    Raises (each method):
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """

    def __init__(
        self,
        ingestion: Bucket,
        tables: Sequence[SourceTable],
        last: CaptureManifest | None,
        batch: int,
        rows_in_one_function: int,
    ) -> None:
        self._ingestion = ingestion
        self._tables = tables
        self._last = last
        self._batch = batch
        self._most = rows_in_one_function
        self._plans = Plans(ingestion, batch)

    def is_too_large(self, rows: Mapping[str, int]) -> bool:
        """Whether so many rows of the tables are more than one function may read."""
        return sum(rows.values()) > self._most

    def warn_if_large(self, rows: Mapping[str, int]) -> None:
        """Say where so much has changed since a plan that one function may have too little time for it."""
        if self.is_too_large(rows):
            logger.warning(
                "%d rows may have changed since the plan was made, or since the oldest transaction that was open then; "
                "one function reads them",
                sum(rows.values()),
            )

    def status(self) -> PlanStatus:
        """Return the newest plan, and which pieces of it nobody has read; asked while no snapshot is open."""
        plan = self._plans.newest()
        if plan is None or datetime.now(UTC) - plan.base.captured_at >= _PLAN_KEEPS:
            return PlanStatus(plan=None, unread=())
        return PlanStatus(plan=plan, unread=self._plans.unread(plan))

    def resume(
        self,
        status: PlanStatus,
        snapshot: Snapshot,
        columns: Mapping[str, Sequence[SourceColumn]],
        identities: Mapping[str, TableIdentity],
    ) -> PiecesLeft | ReadBaseline | None:
        """Return what is left of the newest plan to be read, or what comes of it; None where none holds.

        Args:
            status: what there was of it before the snapshot was taken.
            snapshot: the state of the source.
            columns: the columns of each table in it.
            identities: what each table is in it.

        Raises:
            SourceUnavailable: the source is a standby that is behind the plan.
        """
        plan = status.plan
        if plan is None:
            return None
        check_succession(snapshot, plan.base)
        if not (plan.base.tables.keys() <= columns.keys() and plan.holds(snapshot, columns, identities)):
            logger.warning(
                "plan %d does not hold any more: the source is another one, or has another shape", plan.number
            )
            return None
        if status.unread:
            return PiecesLeft.first(plan.number, status.unread)
        return ReadBaseline(self._ingestion, self._tables, self._batch, plan.baseline(self._plans.pieces(plan)))

    def plan(
        self,
        snapshot: Snapshot,
        columns: Mapping[str, Sequence[SourceColumn]],
        identities: Mapping[str, TableIdentity],
        rows: Mapping[str, int],
    ) -> Plan | None:
        """Return a plan, which is to be committed once the snapshot is closed; None where one function reads all.

        Args:
            snapshot: the state of the source.
            columns: the columns of each table in it.
            identities: what each table is in it.
            rows: about how many rows of each are to be read.
        """
        began = datetime.now(UTC)
        described, pieces = cut_tables(snapshot, self._tables, columns, identities, rows, self._last, self._most)
        if not pieces:
            return None
        base = CaptureManifest(
            batch=self._batch - 1,
            parent=None,
            captured_at=began,
            horizon=snapshot.horizon,
            source=snapshot.source,
            drift=(),
            tables=described,
            position=snapshot.position,
            host=snapshot.host,
        )
        newest = self._plans.newest()
        return Plan(number=newest.number + 1 if newest else 1, base=base, pieces=pieces)

    def commit(self, snapshot: Snapshot, plan: Plan) -> PiecesLeft:
        """Commit a plan, once its snapshot is closed; return its pieces.

        Raises:
            SourceUnavailable: the source's disk stands still.
            BatchTaken: another run has made a plan.
        """
        # A crash of the source takes back what it had not flushed, and gives out ids before the horizon again.
        wait_until_durable(snapshot.connection, snapshot)
        self._plans.commit(plan)
        names = ", ".join(plan.base.tables)
        logger.info("plan %d: %s are read in %d pieces", plan.number, names, len(plan.pieces))
        return PiecesLeft.first(plan.number, range(len(plan.pieces)))
