"""What a batch brings of one table, written to the lake as it is found."""

import math
from collections.abc import Callable

import polars as pl

from totes.capture import sizes
from totes.capture.holdings.part_cache import PartCache, bounds
from totes.capture.rows.too_long import log_left_out
from totes.capture.source.unique_keys import broken_index
from totes.capture.source_schema import SourceTable
from totes.lake import Bucket, Part, SortedRun, write_part


class TableWriter:
    """Writes a batch's changes, deletes and context of one table.

    Args:
        ingestion: the bucket of captured batches.
        table: the table.
        prefix: the start of the objects' keys.
        hold: called with all rows that the batch has come to hold.
        lose: called with all keys (64-bit integers) of rows that are gone.

    Attributes:
        context: unchanged rows that a joined dimension needs beside the changes.
    """

    def __init__(
        self,
        ingestion: Bucket,
        table: SourceTable,
        prefix: str,
        *,
        hold: Callable[[pl.DataFrame], None],
        lose: Callable[[pl.Series], None],
    ) -> None:
        self._ingestion = ingestion
        self._table = table
        self._prefix = prefix
        self._key = table.key
        self._hold = hold
        self._lose = lose
        self._cache = PartCache(ingestion)
        self._changes: list[Part] = []
        self._deletes: list[Part] = []
        self._gone = pl.Series(table.key, [], dtype=pl.Int64)
        self.context: list[Part] = []

    def changed(self, rows: pl.DataFrame) -> None:
        """Write rows that are new, differ or are recaptured; the log names what was left out of them."""
        self._hold(rows)
        log_left_out(self._table.name, self._key, rows)
        parts = math.ceil(rows.height / sizes.PART_ROWS)
        for chunk in self._sorted(rows).iter_slices(math.ceil(rows.height / parts)):
            self._changes.append(self._written(chunk, "changes", len(self._changes)))

    def gone(self, keys: pl.Series) -> None:
        """Write keys (64-bit integers) of rows that are gone, once they fill a part."""
        self._lose(keys)
        waiting = pl.concat([self._gone, keys])
        while waiting.len() >= sizes.PART_ROWS:
            self._delete(waiting.head(sizes.PART_ROWS))
            waiting = waiting.slice(sizes.PART_ROWS)
        self._gone = waiting

    def keys(self, lowest: int, highest: int) -> pl.Series:
        """Return the keys, of a range with both ends included, of the rows that were written as changes."""
        self._cache.forget(below=lowest)
        found = [pl.Series(self._key, [], dtype=pl.Int64)]
        for part in self._changes:
            first, last = bounds(part)
            if first <= highest and last >= lowest:
                keys = self._cache.read(part, self._key)[self._key].cast(pl.Int64)
                found.append(keys.filter(keys.is_between(lowest, highest)))
        return pl.concat(found)

    def add_context(self, rows: pl.DataFrame) -> None:
        """Write unchanged rows that a joined dimension needs."""
        self._hold(rows)
        self.context.append(self._written(rows, "context", len(self.context)))

    def finish(self) -> SortedRun:
        """Write what still waits; return changes and deletes."""
        if self._gone.len():
            self._delete(self._gone)
            self._gone = self._gone.clear()
        return SortedRun(parts=tuple(self._changes), deleted=tuple(self._deletes))

    def _delete(self, keys: pl.Series) -> None:
        self._deletes.append(self._written(keys.to_frame(self._key), "deletes", len(self._deletes)))

    def _written(self, rows: pl.DataFrame, kind: str, number: int) -> Part:
        rows = self._sorted(rows)
        self._check_once(rows[self._key])
        return write_part(self._ingestion, f"{self._prefix}/{kind}-{number:05d}", rows, row_key=self._key)

    def _sorted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows in the order of their keys, in one piece, so that the same rows make the same object.

        Most come in order, and to look costs less than to sort all columns again.
        """
        return rows.rechunk() if rows[self._key].is_sorted() else rows.sort(self._key)

    def _check_once(self, keys: pl.Series) -> None:
        """Refuse sorted keys of which one is there twice: only a broken unique index allows that."""
        twice = keys.filter(keys == keys.shift(1))
        if twice.len():
            raise broken_index(self._table, twice[0])
