"""Every batch that waits in the ingestion bucket becomes star rows in the processed bucket, one batch at a time."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from totes.errors import ConfigurationError
from totes.lake import (
    RAW,
    Bucket,
    CaptureManifest,
    Journal,
    Part,
    StarJournal,
    StarManifest,
    StarParts,
    read_part,
    write_part,
)
from totes.lake.manifests import digest
from totes.shapes import Calendar, Dimension, Fact, Join, Kind, StarTable
from totes.star.calendar import calendar_rows
from totes.star.convert import convert
from totes.star.joins import complete

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """The batches that were transformed, in order, and the newest in the processed bucket (0: none)."""

    batches: tuple[int, ...]
    newest: int


def transform(ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable]) -> Transformed:
    """Transform every batch that the processed bucket does not have yet.

    A batch's star rows depend on that batch alone: transforming it again gives the same bytes.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.

    Raises:
        BatchTaken: another run transformed the batch with another version of totes.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    captured, stars = Journal(ingestion), StarJournal(processed)
    done, newest = stars.newest(), captured.newest()
    batches = tuple(range(done + 1, newest + 1))
    for batch in batches:
        manifest = _Batch(captured.read(batch), ingestion, processed).transformed(tables)
        stars.commit(batch, manifest.to_json())
        logger.info("transformed batch %d", batch, extra={"batch": batch})
    return Transformed(batches=batches, newest=max(done, newest))


def replay(
    ingestion: Bucket,
    processed: Bucket,
    tables: Sequence[StarTable],
    *,
    first: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Transformed:
    """Transform a batch and all that follow again, as this version of totes does it, into a new edition.

    Until the last of them is done nothing has changed; then the new edition is what a loader reads.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        first: the first batch to transform again.
        progress: told how many batches are done, and how many there are.

    Raises:
        ConfigurationError: the lake has no such batch; see also `totes.lake`.
        BatchTaken: another replay was done meanwhile.
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
    """
    captured = Journal(ingestion)
    newest = captured.newest()
    if not 1 <= first <= newest:
        known = f"it has 1 to {newest}" if newest else "it is empty"
        raise ConfigurationError(f"the lake has no batch {first}; {known}")
    draft = StarJournal(processed).draft(first)
    batches = tuple(range(first, newest + 1))
    for done, batch in enumerate(batches, start=1):
        manifest = _Batch(captured.read(batch), ingestion, processed).transformed(tables)
        draft.commit(batch, manifest.to_json())
        progress(done, len(batches))
    published = draft.publish()
    logger.info("edition %d has batches %d to %d", published.edition, first, newest)
    return Transformed(batches=batches, newest=newest)


class _Batch:
    """The transformation of one batch, a part at a time."""

    def __init__(self, manifest: bytes, ingestion: Bucket, processed: Bucket) -> None:
        self._capture = CaptureManifest.from_json(manifest)
        self._digest = digest(manifest)
        self._ingestion = ingestion
        self._processed = processed
        self._dates: list[pl.Series] = []

    def transformed(self, tables: Sequence[StarTable]) -> StarManifest:
        stars = {table.name: self._table(table) for table in tables if not isinstance(table, Calendar)}
        # The calendars come last: they are made of the dates that the facts turned out to name.
        stars |= {table.name: self._calendar(table) for table in tables if isinstance(table, Calendar)}
        return StarManifest(
            batch=self._capture.batch,
            capture=self._digest,
            parent=self._capture.parent,
            captured_at=self._capture.captured_at,
            horizon=self._capture.horizon,
            drift=self._capture.drift,
            tables=stars,
        )

    def _table(self, table: Fact | Dimension) -> StarParts:
        rows_in = 0
        parts: list[Part] = []
        quarantine: list[Part] = []
        for number, source in enumerate(self._source_rows(table)):
            rows_in += source.height
            converted = convert(table, source)
            if isinstance(table, Fact):
                self._dates += [
                    converted.rows[column.name].unique() for column in table.columns if column.kind is Kind.DATE
                ]
            parts += self._write(table.name, f"stars-{number:05d}", converted.rows)
            quarantine += self._write(table.name, f"quarantine-{number:05d}", converted.quarantine)
        deletes: list[Part] = []
        for number, keys in enumerate(self._deleted_keys(table)):
            rows_in += keys.height
            deletes += self._write(table.name, f"deletes-{number:05d}", keys)
        return StarParts(rows_in=rows_in, parts=tuple(parts), quarantine=tuple(quarantine), deletes=tuple(deletes))

    def _deleted_keys(self, table: Fact | Dimension) -> Iterator[pl.DataFrame]:
        captured = self._capture.tables.get(table.source)
        for part in captured.deletes if captured else ():
            keys = read_part(self._ingestion, part).to_series()
            yield pl.DataFrame({"key": keys.cast(pl.Int64)})

    def _calendar(self, table: Calendar) -> StarParts:
        if not self._dates:
            return StarParts(rows_in=0)
        rows = calendar_rows(table, pl.concat(series.rename("date") for series in self._dates))
        return StarParts(rows_in=rows.height, parts=tuple(self._write(table.name, "stars-00000", rows)))

    def _source_rows(self, table: Fact | Dimension) -> Iterator[pl.DataFrame]:
        """The source rows that a star table is made of; a joined dimension's also where only the joined row changed."""
        captured = self._capture.tables.get(table.source)
        if captured is None:  # a batch from before the table was asked for
            return
        joined = [(join, self._whole(join)) for join in table.joins]
        for part in (*captured.changes, *captured.context) if table.joins else captured.changes:
            rows = read_part(self._ingestion, part)
            for join, completing in joined:
                rows = complete(rows, join, completing)
            yield rows

    def _whole(self, join: Join) -> pl.DataFrame:
        captured = self._capture.tables[join.table]
        frames = [read_part(self._ingestion, part) for part in (*captured.changes, *captured.context)]
        names = [*(column.name for column in captured.columns), RAW]
        nothing = pl.DataFrame(schema=dict.fromkeys(names, pl.String()) | {join.key: pl.Int64()})
        return pl.concat(frames) if frames else nothing

    def _write(self, table: str, name: str, rows: pl.DataFrame) -> list[Part]:
        if rows.is_empty():
            return []
        return [write_part(self._processed, f"batches/{self._capture.batch:010d}/{table}/{name}", rows)]
