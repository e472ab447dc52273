"""What has changed in one table since the last batch: rows that are new or differ, and rows that are gone.

Rows that may be new are found by the snapshot's horizon. That rows are gone is found by counting: the source has as
many rows as the lake holds and as are new, or some are gone. The count is exact, so a capture that finds it right need
not look for deletes, whatever the table's size; one that finds it wrong counts by ranges of keys, and compares the
keys of those ranges that differ. Where no transaction has ended since the last batch, not even that is counted.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import polars as pl
from psycopg2 import sql

from totes.capture import sizes
from totes.capture.holdings.compare_keys import differing, ranges_of
from totes.capture.holdings.content import HeldKeys, Holdings
from totes.capture.rows.counting import Counted, count_rows
from totes.capture.rows.keys import SourceKeys
from totes.capture.rows.streaming import conditions_on, stream_rows
from totes.capture.source.contract import columns_of
from totes.capture.source.identity import identities_of, members_to_read
from totes.capture.source.renaming import check_names
from totes.capture.source.snapshot import EVERY_ROW, NO_ROW, Snapshot
from totes.capture.source.storage import Storage, storages_of
from totes.capture.source.unique_keys import check_once, unguarded, wrong_count
from totes.capture.source_schema import SourceTable
from totes.copy_out import OneOf
from totes.errors import MassDeletion, SourceUnavailable
from totes.lake import Bucket, CapturedTable, CaptureManifest, KeyRanges, SortedRun, SourceColumn, TableIdentity

logger = logging.getLogger(__name__)


class ChangeSink(Protocol):
    """Whoever takes what has changed in a table, a bounded frame at a time."""

    def changed(self, rows: pl.DataFrame) -> None:
        """Take rows that are new, differ or are recaptured."""

    def gone(self, keys: pl.Series) -> None:
        """Take keys (64-bit integers) of rows that the source does not have."""

    def keys(self, lowest: int, highest: int) -> pl.Series:
        """Return the keys, of a range with both ends included, of the rows that were taken as changed."""


@dataclass(frozen=True, kw_only=True)
class TableTotals:
    """How many rows a table has, once what has changed in it was handed on.

    Attributes:
        held: how many rows the source has now.
        ranges: how they lie in ranges of their keys; None: nobody has counted them yet.
    """

    held: int
    ranges: KeyRanges | None


def changes_of(
    snapshot: Snapshot,
    ingestion: Bucket,
    tables: Sequence[SourceTable],
    last: CaptureManifest | None,
    recapture: Mapping[str, Sequence[int]],
    baseline: CaptureManifest | None = None,
) -> dict[str, "TableChanges"]:
    """Return the changes of each table since the last batch, to be read.

    Args:
        snapshot: the state of the source to read.
        ingestion: the bucket of captured batches.
        tables: the tables.
        last: the last batch; None where there is none.
        recapture: keys of each table that are looked at whether or not they may be new.
        baseline: what pieces have read of some tables since, as if it had been a batch; None: nothing.

    Raises:
        ContractError: the source does not have the shape that totes reads.
        ConfigurationError: the last batch knows a table or a column by another name.
        psycopg2.Error: the connection to the source was lost.
    """
    columns, identities = columns_of(snapshot, tables), identities_of(snapshot, tables)
    check_names(snapshot.connection, tables, identities, last)
    without_index, storages = unguarded(snapshot, tables), storages_of(snapshot, identities)
    in_pieces = baseline.tables if baseline is not None else {}
    return {
        table.name: TableChanges(
            snapshot,
            ingestion,
            table,
            columns[table.name],
            identities[table.name],
            baseline if table.name in in_pieces else last,
            storage=storages[table.name],
            recapture=recapture.get(table.name, ()),
            is_guarded=table.name not in without_index,
            was_counted=table.name not in in_pieces,
        )
        for table in tables
    }


def may_differ(
    snapshot: Snapshot,
    last: CaptureManifest | None,
    table: SourceTable,
    columns: Sequence[SourceColumn],
    identity: TableIdentity,
) -> sql.Composable:
    """Return an SQL condition that holds for every row of a table that may differ from what the lake holds.

    That is every row if the table is not what it was when it was last read: to add a column with a default, or to swap
    the whole table for another, writes no row. It is also every row, once, if an earlier totes has read the table,
    which may have missed what this one finds.

    Args:
        snapshot: a state of the source.
        last: the last batch; None where there is none.
        table: the table.
        columns: its columns in the source.
        identity: what it is there.
    """
    before = last.tables.get(table.name) if last else None
    if before is None or before.is_of_an_earlier_totes or before.columns != tuple(columns):
        return EVERY_ROW
    members = members_to_read(before.identity, identity)
    if members is None:
        return EVERY_ROW
    new = snapshot.may_be_new(last)
    if not members:
        return new
    return sql.SQL("({} OR tableoid {})").format(new, OneOf(members, "oid"))


class TableChanges:
    """The changes of one table since the last batch.

    Attributes:
        columns: of the table in the source.
        identity: what the table is there.
        sorted_runs: what the lake holds of it; whoever rewrites them says so here, before they are read.

    Args:
        snapshot: the state of the source to read.
        ingestion: the bucket of captured batches.
        table: the table.
        columns: its columns in the source.
        identity: what it is there.
        last: the last batch; None where there is none.
        storage: how it is kept there.
        recapture: keys that are looked at whether or not they may be new.
        is_guarded: whether an index of the source lets no key be there twice.
        was_counted: whether `last` held as many rows as the source had then; pieces do not know what is gone.

    Raises (each method):
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        ingestion: Bucket,
        table: SourceTable,
        columns: Sequence[SourceColumn],
        identity: TableIdentity,
        last: CaptureManifest | None,
        *,
        storage: Storage,
        recapture: Sequence[int],
        is_guarded: bool,
        was_counted: bool,
    ) -> None:
        self._snapshot = snapshot
        self._table = table
        self.columns = columns
        self.identity = identity
        self._storage = storage
        self._last = last
        self._before: CapturedTable | None = last.tables.get(table.name) if last else None
        self._ingestion = ingestion
        self.sorted_runs: Sequence[SortedRun] = self._before.holdings if self._before else ()
        self._unseen = self._series(recapture).unique()
        self._recapture = self._unseen
        self._added = 0
        self._ranges = self._ranges_before()
        self._is_guarded = is_guarded
        self._was_counted = was_counted

    @cached_property
    def counted(self) -> Counted:
        """How many rows the table has, and how many of them are to be compared with the lake.

        They are not counted where they must be what they were.
        """
        if self._may_be_new == NO_ROW and self._was_counted and not self._storage.unlogged:
            return Counted(rows=self.held, candidates=0, place=NO_ROW)
        return self._count()

    @property
    def gone_at_least(self) -> int:
        """How many rows are gone at least, before any row is read."""
        return max(0, self.held - self.counted.rows) if self.held else 0

    @property
    def comes_in_order(self) -> bool:
        """Whether so many rows are to be compared with the lake that they are read in the order of their keys."""
        return self.counted.candidates > sizes.UNORDERED_ROWS

    def read(self, found: ChangeSink, permit: Callable[[int], None] = lambda _gone: None) -> TableTotals:
        """Find what has changed.

        Args:
            found: takes it.
            permit: called with how many rows are gone at least, once that is known, and in the end how many are; it
                raises where they are too many.

        Raises:
            ContractError: a key is there twice, or an index is broken.
            SourceUnavailable: a partition was attached meanwhile.
        """
        count = self.counted.rows
        if self.counted.candidates and not self._is_guarded:
            check_once(self._snapshot, self._table, self._candidates())
        self._holdings = Holdings(self.sorted_runs, self._table.key, self._ingestion)
        if self.counted.candidates:
            self._stream(self._candidates(), found, ordered=self.comes_in_order)
        if count != self.held + self._added:
            try:
                permit(self.held + self._added - count)
            except MassDeletion as error:
                # A partition that was attached just now is seen by all readers, whatever their snapshots.
                if self._count().rows != count:
                    raise SourceUnavailable(f"{self._table.name} is being changed as it is read: {error}") from error
                raise
            permit(self._compare_keys(found))
            self._check_sum(count)
        if self._unseen.len():
            found.gone(self._unseen)
        return TableTotals(held=count, ranges=self._ranges)

    def _check_sum(self, count: int) -> None:
        """Refuse a table of which the lake would not hold as many rows as it has.

        Of two rows of one key only one can be held, and nothing would tell which of them is deleted later.
        """
        keys = self._ranges.rows if self._ranges else 0  # what is held after the comparison
        if keys == count:
            return
        if self._count().rows != count:
            raise SourceUnavailable(f"{self._table.name} is being changed as it is read: its rows have become more")
        raise wrong_count(self._snapshot, self._table, count, keys)

    @property
    def held(self) -> int:
        """How many rows the lake holds of the table."""
        return self._before.held if self._before else 0

    def _ranges_before(self) -> KeyRanges | None:
        if not self.held:
            return KeyRanges()
        ranges = self._before.ranges if self._before else None
        return ranges if ranges is not None and ranges.rows == self.held else None

    def _count(self) -> Counted:
        return count_rows(self._snapshot, self._table.source_name, self._storage.blocks, self._may_be_new)

    def _candidates(self) -> sql.Composable:
        """Which rows to compare with the lake, once they are counted."""
        return sql.SQL("{} AND {}").format(self._may_be_new, self.counted.place)

    @cached_property
    def _may_be_new(self) -> sql.Composable:
        """Which rows to compare with the lake."""
        new = may_differ(self._snapshot, self._last, self._table, self.columns, self.identity)
        asked = [*conditions_on(self._table.source_key, self._recapture)]
        return sql.SQL("({})").format(sql.SQL(" OR ").join([new, *asked])) if asked else new

    def _stream(self, condition: sql.Composable, found: ChangeSink, *, ordered: bool = False) -> None:
        def consume(candidates: pl.DataFrame) -> None:
            new = self._holdings.changed_rows(candidates, self._recapture)
            self._see(candidates[self._table.key])
            self._added += new.added.len()
            self._ranges = self._ranges.plus(new.added) if self._ranges else None
            if new.rows.height:
                found.changed(new.rows)

        if ordered:  # so that each part of the lake is read once, and not once a chunk
            condition = sql.SQL("{} ORDER BY {}").format(condition, sql.Identifier(self._table.source_key))
        stream_rows(self._snapshot, self._table, self.columns, condition, consume)

    def _compare_keys(self, found: ChangeSink) -> int:
        """Hand on the keys that are gone, and return how many; read rows that neither lake nor horizon showed.

        No case is known in which there are such rows. But to look for them costs nothing here, and a row that is lost
        costs all trust.
        """

        def lake(lowest: int, highest: int) -> Iterator[HeldKeys]:
            for held in self._holdings.held_keys(lowest, highest):
                keys = pl.concat([held.keys, found.keys(held.lowest, held.highest)]).unique()
                yield HeldKeys(lowest=held.lowest, highest=held.highest, keys=keys)

        source = SourceKeys(self._snapshot, self._table, self.columns)
        gone = 0
        if self._ranges is None:
            self._ranges = ranges_of(lake)
        for keys in differing(source, lake, self._ranges):
            self._read_missed(keys.missed, found)
            if keys.gone.len():
                gone += keys.gone.len()
                self._see(keys.gone)
                self._ranges = self._ranges.minus(keys.gone)
                found.gone(keys.gone)
        return gone

    def _read_missed(self, keys: pl.Series, found: ChangeSink) -> None:
        for condition in conditions_on(self._table.source_key, keys):
            logger.warning("rows of %s that were not in its last batch are older than its horizon", self._table.name)
            self._stream(condition, found)

    def _see(self, keys: pl.Series) -> None:
        if self._unseen.len():
            self._unseen = self._unseen.filter(~self._unseen.is_in(keys.cast(pl.Int64).implode()))

    def _series(self, keys: Sequence[int]) -> pl.Series:
        return pl.Series(self._table.key, keys, dtype=pl.Int64)
