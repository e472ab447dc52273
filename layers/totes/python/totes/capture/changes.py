"""What has changed in one table since the last batch: rows that are new or differ, and rows that are gone.

Rows that may be new are found by the snapshot's horizon. That rows are gone is found by counting: the source has as
many rows as the lake holds and as are new, or some are gone. The count is exact, so a tick that finds it right need
not look for deletes, whatever the table's size; one that finds it wrong compares the keys.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from psycopg2 import sql

from totes.capture.holdings import held_keys, news_in
from totes.capture.identity import members_to_read
from totes.capture.reader import stream_rows
from totes.capture.shape import SourceTable
from totes.capture.snapshot import Snapshot
from totes.lake import Bucket, CapturedTable, CaptureManifest, SourceColumn, TableIdentity

logger = logging.getLogger(__name__)

_EVERY_ROW = sql.SQL("true")

_ASKED_AT_ONCE = 10_000
"""Keys in one statement."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What has changed in a table, beside the rows that were handed on.

    Attributes:
        held: how many rows the source has now.
        gone: keys (64-bit integers, ascending) of rows that the lake holds and the source has no more.
        absent: keys that were asked for again, of which neither the source nor the lake has a row.
    """

    held: int
    gone: pl.Series
    absent: pl.Series


def changes_of(
    snapshot: Snapshot,
    lake: Bucket,
    table: SourceTable,
    columns: Sequence[SourceColumn],
    identity: TableIdentity,
    last: CaptureManifest | None,
    consume: Callable[[pl.DataFrame], None],
    again: Sequence[int] = (),
) -> Changes:
    """Find what has changed in a table since the last batch.

    Args:
        snapshot: the state of the source to read.
        lake: the ingestion bucket.
        table: the table.
        columns: its columns in the source.
        identity: what it is.
        last: the last batch; None where there is none.
        consume: called with the rows that are new, differ or are asked for again, a bounded frame at a time.
        again: keys that are looked at whether or not they may be new.

    Raises:
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    return _TableChanges(snapshot, lake, table, columns, identity, last, consume, again).read()


class _TableChanges:
    def __init__(
        self,
        snapshot: Snapshot,
        lake: Bucket,
        table: SourceTable,
        columns: Sequence[SourceColumn],
        identity: TableIdentity,
        last: CaptureManifest | None,
        consume: Callable[[pl.DataFrame], None],
        again: Sequence[int],
    ) -> None:
        self._snapshot = snapshot
        self._lake = lake
        self._table = table
        self._columns = columns
        self._identity = identity
        self._last = last
        self._before: CapturedTable | None = last.tables.get(table.name) if last else None
        self._consume = consume
        self._again = self._series(again).unique()
        self._seen = [self._series([])]
        self._added = 0

    def read(self) -> Changes:
        held = self._before.held if self._before else 0
        count = self._count()
        self._stream(self._may_be_new())
        gone = self._series([])
        if count != held + self._added:
            gone = self._compare_keys()
        absent = self._again.filter(~self._again.is_in(pl.concat([*self._seen, gone]).implode()))
        return Changes(held=count, gone=gone, absent=absent)

    def _count(self) -> int:
        with self._snapshot.connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(self._table.name)))
            [[count]] = cursor.fetchall()
        return int(count)

    def _may_be_new(self) -> sql.Composable:
        """Which rows to compare with the lake: all of them where the table was not read in this shape before.

        A column may be added with a default, or retyped, without any row being written.
        """
        if self._before is None or self._before.columns != tuple(self._columns):
            return _EVERY_ROW
        members = members_to_read(self._before.identity, self._identity)
        if members is None:
            return _EVERY_ROW
        conditions = [self._snapshot.may_be_new(self._last)]
        if members:
            conditions.append(sql.SQL("tableoid = ANY({}::oid[])").format(sql.Literal(list(members))))
        if not self._again.is_empty():
            conditions.append(self._has_key(self._again))
        return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))

    def _stream(self, condition: sql.Composable) -> None:
        runs = self._before.holdings if self._before else ()

        def consume(candidates: pl.DataFrame) -> None:
            news = news_in(candidates, self._table.key, runs, self._lake, self._again)
            self._seen.append(candidates[self._table.key].cast(pl.Int64))
            self._added += news.added
            if news.rows.height:
                self._consume(news.rows)

        stream_rows(self._snapshot, self._table.name, self._columns, condition, consume)

    def _compare_keys(self) -> pl.Series:
        """Return the keys that are gone; rows that neither the lake holds nor the horizon showed are read now.

        The latter are not known to exist. But to look for them costs nothing here, and a row lost costs all trust.
        """
        source = self._source_keys()
        held = held_keys(self._before.holdings if self._before else (), self._table.key, self._lake)
        missed = source.filter(~source.is_in(pl.concat([held, *self._seen]).implode()))
        for start in range(0, missed.len(), _ASKED_AT_ONCE):
            logger.warning("rows of %s that were not in its last batch are older than its horizon", self._table.name)
            self._stream(self._has_key(missed.slice(start, _ASKED_AT_ONCE)))
        return held.filter(~held.is_in(source.implode()))

    def _source_keys(self) -> pl.Series:
        key = next(column for column in self._columns if column.name == self._table.key)
        keys = [self._series([])]
        stream_rows(
            self._snapshot,
            self._table.name,
            [key],
            _EVERY_ROW,
            lambda rows: keys.append(rows[key.name].cast(pl.Int64)),
        )
        return pl.concat(keys)

    def _has_key(self, keys: pl.Series) -> sql.Composable:
        return sql.SQL("{} = ANY({})").format(sql.Identifier(self._table.key), sql.Literal(keys.to_list()))

    def _series(self, keys: Sequence[int]) -> pl.Series:
        return pl.Series(self._table.key, keys, dtype=pl.Int64)
