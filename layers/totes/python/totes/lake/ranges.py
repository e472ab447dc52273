"""How many rows a table has in each range of its keys: small enough for a manifest, and exact."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import polars as pl

MOST_RANGES = 2048
"""Ranges of a table; where its keys lie in more, each two neighbours become one range."""

RANGES_BITS = 11
"""MOST_RANGES is two to this power: so many bits of a key tell its range, whatever the keys are."""

_NO_COUNTS = pl.DataFrame(schema={"range": pl.Int64, "rows": pl.Int64})


@dataclass(frozen=True, kw_only=True)
class KeyRanges:
    """How many rows lie in each range of keys; the range of a key is `key >> shift`.

    Attributes:
        shift: how many of a key's low bits do not tell its range.
        first: the lowest range that has a row.
        counts: the rows of that range and of each one after it, as text: `4096*243,17` are 243 ranges of 4,096 rows
            each and one of 17. Keys are dealt out in sequence, so a table has long rows of full ranges.
    """

    shift: int = 0
    first: int = 0
    counts: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(count * times for count, times in self._run_lengths())

    def frame(self) -> pl.DataFrame:
        """Return the ranges that have rows, in ascending order: columns `range` and `rows`."""
        found, at = [], self.first
        for count, times in self._run_lengths():
            if count:
                found += [(at + step, count) for step in range(times)]
            at += times
        return pl.DataFrame(found, schema=_NO_COUNTS.schema, orient="row")

    def plus(self, keys: pl.Series) -> "KeyRanges":
        """Return the ranges after rows of these keys (64-bit integers) have come."""
        return self._changed(keys, 1)

    def minus(self, keys: pl.Series) -> "KeyRanges":
        """Return the ranges after rows of these keys (64-bit integers) have gone."""
        return self._changed(keys, -1)

    def together(self, other: "KeyRanges") -> "KeyRanges":
        """Return the ranges of both: of two parts of a table that have no key in common."""
        shift = max(self._shift_of(self.rows + other.rows), other.shift)
        return _fitted(shift, pl.concat([_wider(each, shift) for each in (self, other)]))

    def _changed(self, keys: pl.Series, sign: int) -> "KeyRanges":
        if keys.is_empty():
            return self
        shift = self._shift_of(self.rows + max(0, keys.len() * sign))
        # Keys mostly come in order, so that a range is one stretch of them, or a few.
        stretches = (keys // 2**shift).rle().struct.unnest()
        news = stretches.select(range="value", rows=pl.col("len").cast(pl.Int64) * sign)
        return _fitted(shift, pl.concat([_wider(self, shift), news]))

    def _shift_of(self, rows: int) -> int:
        """The least shift, from this one on, with which so many rows can do: no two have the same key."""
        shift = self.shift
        while rows > MOST_RANGES << shift:
            shift += 1
        return shift

    def _run_lengths(self) -> Iterator[tuple[int, int]]:
        for token in self.counts.split(",") if self.counts else ():
            count, _, times = token.partition("*")
            yield int(count), int(times or 1)


def _wider(ranges: KeyRanges, shift: int) -> pl.DataFrame:
    """Counts by ranges at least as wide, which may come in several rows each."""
    return ranges.frame().with_columns(pl.col("range") // 2 ** (shift - ranges.shift))


def _fitted(shift: int, counts: pl.DataFrame) -> KeyRanges:
    """Counts by ranges, which may come in several rows each, as so few ranges that a manifest has room for them."""
    counts = _summed(counts)
    while counts.height > MOST_RANGES:
        shift += 1
        counts = _summed(counts.with_columns(pl.col("range") // 2))
    return _written(shift, counts)


def _summed(counts: pl.DataFrame) -> pl.DataFrame:
    summed = counts.lazy().group_by("range").agg(pl.col("rows").sum())
    return summed.filter(pl.col("rows") != 0).sort("range").collect()


def _written(shift: int, counts: pl.DataFrame) -> KeyRanges:
    if counts.is_empty():
        return KeyRanges(shift=shift)
    first = at = int(counts["range"][0])
    run_lengths: list[tuple[int, int]] = []
    for number, rows in counts.iter_rows():
        if number > at:
            run_lengths.append((0, number - at))
        run_lengths.append((rows, 1))
        at = number + 1
    merged = [(count, sum(times for _, times in same)) for count, same in groupby(run_lengths, key=itemgetter(0))]
    tokens = [f"{count}*{times}" if times > 1 else f"{count}" for count, times in merged]
    return KeyRanges(shift=shift, first=first, counts=",".join(tokens))
