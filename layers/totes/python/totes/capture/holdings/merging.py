"""Sorted runs merged into one, so that a table has about as many of them as the logarithm of its rows."""

from collections.abc import Iterator, Sequence

import polars as pl

from totes.capture import sizes
from totes.capture.holdings.content import in_schema
from totes.capture.holdings.part_cache import PartCache, bounds
from totes.capture.holdings.slices import PartSlice, key_slices, part_slices
from totes.lake import Bucket, Part, SortedRun, schema_of, write_part


def with_sorted_run(
    holdings: Sequence[SortedRun], newest: SortedRun, key: str, bucket: Bucket, prefix: str
) -> tuple[SortedRun, ...]:
    """Return the holdings after a batch's sorted run.

    Every sorted run is at least twice as large as the one after it; those that are not are merged, and a row is
    rewritten about as often as there are sorted runs, after years of ticks. Memory is bounded by `sizes`, whatever
    their size.

    Args:
        holdings: the table's sorted runs before the batch, oldest first.
        newest: the batch's own changes and deletes.
        key: the table's key column.
        bucket: where the parts lie, and where merged ones go.
        prefix: the start of a merged part's key.
    """
    sorted_runs = [*holdings, newest]
    first = _first_to_merge([sorted_run.rows for sorted_run in sorted_runs])
    if first == len(sorted_runs) - 1:
        return tuple(sorted_runs)
    return (*sorted_runs[:first], _merged(sorted_runs[first:], key, bucket, prefix, with_deleted=first > 0))


def without_overlaps(holdings: Sequence[SortedRun], key: str, bucket: Bucket, prefix: str) -> tuple[SortedRun, ...]:
    """Return the holdings, with sorted runs rewritten whose parts overlap in over `sizes.SORTED_RUNS_AT_ONCE` layers.

    Rows that were read in heap order may lie so; a reader in key order would fetch each such part once per chunk.

    Args:
        holdings: the table's sorted runs, oldest first.
        key: the table's key column.
        bucket: where the parts lie, and where rewritten ones go.
        prefix: the start of a rewritten part's key.
    """
    return tuple(
        sorted_run
        if _overlaps_little(sorted_run)
        else _merged([sorted_run], key, bucket, f"{prefix}-ordered-{number:05d}", with_deleted=True)
        for number, sorted_run in enumerate(holdings)
    )


def overlap_little(holdings: Sequence[SortedRun]) -> bool:
    """Whether `without_overlaps` would leave the holdings as they are."""
    return all(_overlaps_little(sorted_run) for sorted_run in holdings)


def _overlaps_little(sorted_run: SortedRun) -> bool:
    return len(_layers(sorted_run)) <= sizes.SORTED_RUNS_AT_ONCE


def _first_to_merge(rows: Sequence[int]) -> int:
    """From which sorted run on all are merged into one: the first that is not twice as large as what comes after it.

    Holdings that an older totes wrote may have such sorted runs anywhere, not only at their end.
    """
    first, merged = len(rows) - 1, rows[-1]
    for number in reversed(range(first)):
        after = merged if number == first - 1 else rows[number + 1]
        if rows[number] < 2 * after:
            first, merged = number, sum(rows[number:])
    return first


def _merged(
    sorted_runs: Sequence[SortedRun], key: str, bucket: Bucket, prefix: str, *, with_deleted: bool
) -> SortedRun:
    """One sorted run made of several; deleted keys are kept only if an older one may have their rows.

    If there are more layers than can be merged at once, results in between go to the lake too; no manifest names them.
    """
    schema = _schema(sorted_runs, bucket)
    layers = [layer for sorted_run in sorted_runs for layer in _layers(sorted_run)]
    passes = 0
    while len(layers) > sizes.SORTED_RUNS_AT_ONCE:
        passes += 1
        starts = range(0, len(layers), sizes.SORTED_RUNS_AT_ONCE)
        layers = [
            _merged_at_once(
                layers[start : start + sizes.SORTED_RUNS_AT_ONCE],
                _Writer(bucket, key, f"{prefix}-pass-{passes}-{start:05d}"),
                _Writer(bucket, key, f"{prefix}-pass-{passes}-{start:05d}-deleted"),
                schema,
            )
            for start in starts
        ]
    deleted = _Writer(bucket, key, f"{prefix}-deleted") if with_deleted else None
    return _merged_at_once(layers, _Writer(bucket, key, prefix), deleted, schema)


def _layers(sorted_run: SortedRun) -> list[SortedRun]:
    """A sorted run as several, none of whose parts have keys in each other's range."""
    layers = [SortedRun(parts=tuple(parts)) for parts in _apart(sorted_run.parts)]
    return layers + [SortedRun(parts=(), deleted=tuple(parts)) for parts in _apart(sorted_run.deleted)]


def _apart(parts: Sequence[Part]) -> list[list[Part]]:
    layers: list[list[Part]] = []
    for part in sorted(parts, key=bounds):
        layer = next((layer for layer in layers if bounds(layer[-1])[1] < bounds(part)[0]), None)
        if layer is None:
            layers.append([part])
        else:
            layer.append(part)
    return layers


def _merged_at_once(
    sorted_runs: Sequence[SortedRun], rows: "_Writer", deleted: "_Writer | None", schema: pl.Schema
) -> SortedRun:
    cache = PartCache(rows.bucket)
    for group in _groups(part_slices(sorted_runs)):
        if _stays(group):
            rows.keep(group[0].part)
            continue
        lowest, highest = bounds(group[0].part)[0], max(bounds(each.part)[1] for each in group)
        for found in key_slices(group, rows.key, cache.read, lowest, highest):
            cache.forget(below=found.highest)
            frames, gone = _latest(found.slices, rows.key)
            if frames:
                rows.add(pl.concat(in_schema(frame, schema) for frame in frames))
            if deleted:
                deleted.add(gone.to_frame())
    return SortedRun(parts=rows.finish(), deleted=deleted.finish() if deleted else ())


def _schema(sorted_runs: Sequence[SortedRun], bucket: Bucket) -> pl.Schema:
    """The columns and types of the newest rows; all that is rewritten is brought into them."""
    newest = next((sorted_run.parts[-1] for sorted_run in reversed(sorted_runs) if sorted_run.parts), None)
    return schema_of(bucket, newest) if newest else pl.Schema()


def _groups(slices: Sequence[PartSlice]) -> Iterator[list[PartSlice]]:
    """Slices in groups that share no keys; a part that stays as it is, is a group of its own."""
    group: list[PartSlice] = []
    for touching in _touching(slices):
        if _stays(touching):
            if group:
                yield group
            yield touching
            group = []
        else:
            group += touching
    if group:
        yield group


def _touching(slices: Sequence[PartSlice]) -> Iterator[list[PartSlice]]:
    group: list[PartSlice] = []
    reached = 0
    for each in slices:
        lowest, highest = bounds(each.part)
        if group and lowest > reached:
            yield group
            group = []
        reached = max(reached, highest) if group else highest
        group.append(each)
    if group:
        yield group


def _stays(group: Sequence[PartSlice]) -> bool:
    """Whether a part need not be rewritten: nothing else has keys in its range, and it is not small."""
    if len(group) > 1 or group[0].gone:
        return False
    part = group[0].part
    return 2 * part.rows >= sizes.PART_ROWS or part.bytes >= sizes.FULL_BYTES


def _latest(slices: Sequence[PartSlice], key: str) -> tuple[list[pl.DataFrame], pl.Series]:
    """Of each key the newest row, or that it is gone."""
    newest_first = sorted(slices, key=lambda each: each.sorted_run, reverse=True)
    said = pl.concat([pl.Series(key, [], dtype=pl.Int64), *(each.frame[key].cast(pl.Int64) for each in newest_first)])
    is_news, start = said.is_first_distinct(), 0
    frames, gone = [], [said.clear()]
    for each in newest_first:
        news = is_news.slice(start, each.frame.height)
        if each.gone:
            gone.append(said.slice(start, each.frame.height).filter(news))
        else:
            frames.append(each.frame.filter(news))
        start += each.frame.height
    return frames, pl.concat(gone)


def _rows_of_a_part(rows: pl.DataFrame) -> int:
    """How many of these rows are a part: fewer of a table whose rows are wide."""
    each = rows.estimated_size() / max(1, rows.height)
    return max(1, min(sizes.PART_ROWS, int(sizes.PART_BYTES / max(1.0, each))))


class _Writer:
    """Writes rows that come in ascending ranges of keys as parts."""

    def __init__(self, bucket: Bucket, key: str, prefix: str) -> None:
        self.bucket = bucket
        self.key = key
        self._prefix = prefix
        self._parts: list[Part] = []
        self._written = 0
        self._waiting: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        rows = rows.sort(self.key)
        waiting = rows if self._waiting is None else pl.concat([self._waiting, rows])
        most = _rows_of_a_part(waiting)
        while waiting.height >= most:
            self._write(waiting.head(most))
            waiting = waiting.slice(most)
        self._waiting = waiting

    def keep(self, part: Part) -> None:
        """Let a part stay as it is, after the rows that were added so far."""
        self._flush()
        self._parts.append(part)

    def finish(self) -> tuple[Part, ...]:
        self._flush()
        return tuple(self._parts)

    def _flush(self) -> None:
        if self._waiting is not None and self._waiting.height:
            self._write(self._waiting)
        self._waiting = None

    def _write(self, rows: pl.DataFrame) -> None:
        self._parts.append(write_part(self.bucket, f"{self._prefix}-{self._written:05d}", rows, row_key=self.key))
        self._written += 1
