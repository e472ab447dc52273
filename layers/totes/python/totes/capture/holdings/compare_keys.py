"""Which keys differ between source and lake, where a table's count says that some do.

Both sides are counted by ranges of keys, and only of ranges in which they differ are keys read. So one delete among a
hundred million rows costs a count and a thousandth of the keys, and memory is bounded whatever is gone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from totes.capture import sizes
from totes.capture.holdings.content import HeldKeys
from totes.capture.holdings.slices import HIGHEST, LOWEST
from totes.lake import KeyRanges
from totes.lake.ranges import RANGES_BITS

LakeKeys = Callable[[int, int], Iterator[HeldKeys]]
"""The keys that the lake holds between two, both included, as `Holdings.held_keys` yields them."""


class KeysOfSource(Protocol):
    """What is asked of the source; see `SourceKeys`."""

    def counts(self, shift: int, lowest: int, highest: int) -> pl.DataFrame: ...  # noqa: D102
    def between(self, lowest: int, highest: int) -> pl.Series: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Differing:
    """Keys (64-bit integers, ascending) that only the lake has, and that only the source has."""

    gone: pl.Series
    missed: pl.Series


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Ranges beside each other in which the sides differ, and how many rows the side with more of them has."""

    lowest: int
    highest: int
    rows: int


def differing(
    source: KeysOfSource, lake: LakeKeys, ranges: KeyRanges, lowest: int = LOWEST, highest: int = HIGHEST
) -> Iterator[Differing]:
    """Yield the keys that differ, in ascending order, a bounded number at a time.

    Args:
        source: the keys that the source has.
        lake: the keys that the lake holds.
        ranges: how many rows it holds in each range of the keys in question.
        lowest: the lowest of the keys in question.
        highest: the highest of them.
    """
    theirs = source.counts(ranges.shift, lowest, highest)
    for span in _spans(ranges.frame(), theirs, ranges.shift):
        if span.rows <= sizes.KEYS_AT_ONCE or ranges.shift == 0:
            held = pl.concat(found.keys for found in lake(span.lowest, span.highest))
            yield _compare(source.between(span.lowest, span.highest), held)
        else:  # keys close together and far from all others may all be in one range
            finer = KeyRanges(shift=max(0, ranges.shift - RANGES_BITS))
            for found in lake(span.lowest, span.highest):
                finer = finer.plus(found.keys)
            yield from differing(source, lake, finer, span.lowest, span.highest)


def ranges_of(lake: LakeKeys) -> KeyRanges:
    """Count the keys that the lake holds by ranges; every key is read."""
    ranges = KeyRanges()
    for found in lake(LOWEST, HIGHEST):
        ranges = ranges.plus(found.keys)
    return ranges


def _spans(ours: pl.DataFrame, theirs: pl.DataFrame, shift: int) -> Iterator[_Span]:
    both = ours.join(theirs, on="range", how="full", coalesce=True, suffix="_there").fill_null(0)
    differ = both.filter(pl.col("rows") != pl.col("rows_there")).sort("range")
    span: _Span | None = None
    for number, here, there in differ.iter_rows():
        found = _Span(lowest=number << shift, highest=((number + 1) << shift) - 1, rows=max(here, there))
        joined = _joined(span, found)
        if joined is None and span is not None:
            yield span
        span = joined or found
    if span is not None:
        yield span


def _joined(span: _Span | None, following: _Span) -> _Span | None:
    if span is None or span.highest + 1 != following.lowest or span.rows + following.rows > sizes.KEYS_AT_ONCE:
        return None
    return _Span(lowest=span.lowest, highest=following.highest, rows=span.rows + following.rows)


def _compare(source: pl.Series, held: pl.Series) -> Differing:
    return Differing(
        gone=held.filter(~held.is_in(source.implode())).sort(),
        missed=source.filter(~source.is_in(held.implode())).sort(),
    )
