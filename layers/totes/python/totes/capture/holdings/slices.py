"""Sorted runs, read a range of keys at a time: what is held at once is bounded, whatever their size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from totes.capture import sizes
from totes.capture.holdings.part_cache import bounds
from totes.lake import Part, SortedRun

LOWEST, HIGHEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class PartSlice:
    """Rows, or keys of rows that are gone, that a sorted run has in a range.

    Attributes:
        sorted_run: which sorted run, counted from the oldest.
        part: the part that has them.
        gone: whether they are keys of rows that are gone.
        frame: the rows; nothing before they are read.
    """

    sorted_run: int
    part: Part
    gone: bool
    frame: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class KeySlice:
    """All that sorted runs have of the keys from one to another, both included."""

    lowest: int
    highest: int
    slices: Sequence[PartSlice]


def part_slices(sorted_runs: Sequence[SortedRun]) -> list[PartSlice]:
    """Return the parts of sorted runs, in ascending order of their lowest keys."""
    unread = pl.DataFrame()
    slices = [
        PartSlice(sorted_run=number, part=part, gone=gone, frame=unread)
        for number, sorted_run in enumerate(sorted_runs)
        for gone, parts in ((False, sorted_run.parts), (True, sorted_run.deleted))
        for part in parts
    ]
    return sorted(slices, key=lambda each: bounds(each.part))


def key_slices(
    slices: Sequence[PartSlice],
    key: str,
    read: Callable[[Part], pl.DataFrame],
    lowest: int,
    highest: int,
) -> Iterator[KeySlice]:
    """Read a range of keys in slices of at most about `sizes.ROWS_AT_ONCE` rows and `sizes.BYTES_AT_ONCE`, in order.

    Together the slices cover the range, so there is at least one, which may be empty.

    Args:
        slices: the parts, as `part_slices` gives them.
        key: the key column.
        read: reads a part.
        lowest: the lowest key.
        highest: the highest key.
    """
    while lowest <= highest:
        found = _key_slice(slices, key, read, lowest, highest)
        yield found
        lowest = found.highest + 1


def _key_slice(
    slices: Sequence[PartSlice], key: str, read: Callable[[Part], pl.DataFrame], lowest: int, highest: int
) -> KeySlice:
    """The longest slice from a key on: while it would be too large, it ends at the median of what was found so far."""
    taken: list[PartSlice] = []
    for part_slice in slices:
        first, last = bounds(part_slice.part)
        if first > highest:
            break
        if last < lowest:
            continue
        taken.append(_within(replace(part_slice, frame=read(part_slice.part)), key, lowest, highest))
        while _is_too_large(taken) and (median := _median([each.frame[key] for each in taken])) < highest:
            highest = median
            taken = [_within(each, key, lowest, highest) for each in taken]
    return KeySlice(lowest=lowest, highest=highest, slices=[each for each in taken if each.frame.height])


def _is_too_large(slices: Sequence[PartSlice]) -> bool:
    rows, held = sum(each.frame.height for each in slices), sum(each.frame.estimated_size() for each in slices)
    return rows > sizes.ROWS_AT_ONCE or held > sizes.BYTES_AT_ONCE


def _within(part_slice: PartSlice, key: str, lowest: int, highest: int) -> PartSlice:
    first, last = bounds(part_slice.part)
    if lowest <= first and last <= highest:
        return part_slice
    keys = part_slice.frame[key].cast(pl.Int64)
    return replace(part_slice, frame=part_slice.frame.filter((keys >= lowest) & (keys <= highest)))


def _median(keys: Sequence[pl.Series]) -> int:
    ordered = pl.concat(series.cast(pl.Int64) for series in keys).sort()
    return int(ordered[ordered.len() // 2])
