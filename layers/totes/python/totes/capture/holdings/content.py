"""What the lake holds of a table: its latest content by key, in a few sorted runs, of which a capture reads little."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from totes.capture.holdings.part_cache import PartCache
from totes.capture.holdings.slices import HIGHEST, LOWEST, PartSlice, key_slices, part_slices
from totes.lake import Bucket, Part, SortedRun


@dataclass(frozen=True, kw_only=True)
class ChangedRows:
    """What the lake does not hold yet.

    Attributes:
        rows: rows that are new, differ from what is held, or are recaptured.
        added: keys (64-bit integers) of those of them of which no row is held.
    """

    rows: pl.DataFrame
    added: pl.Series


@dataclass(frozen=True, kw_only=True)
class HeldKeys:
    """The keys (64-bit integers) of all rows that are held in a range of keys, both ends included."""

    lowest: int
    highest: int
    keys: pl.Series


class Holdings:
    """The sorted runs of one table, oldest first; of two rows of one key the one in the later of them counts.

    Each part is read about once by a reader who asks in ascending order of keys.
    """

    def __init__(self, sorted_runs: Sequence[SortedRun], key: str, bucket: Bucket) -> None:
        self._sorted_runs = sorted_runs
        self._key = key
        self._cache = PartCache(bucket)

    def changed_rows(self, candidates: pl.DataFrame, recapture: pl.Series) -> ChangedRows:
        """Return those of the candidates that are not held with the same content, or that are recaptured.

        Args:
            candidates: rows of the table, one a key, as `read_rows` gives them.
            recapture: keys (64-bit integers) of rows that are returned in any case.

        Raises:
            LakeCorrupted: a part is missing or not what was written.
        """
        key, unknown, highest = self._key, candidates, _highest(candidates[self._key])
        added = []
        changed = []
        for sorted_run in reversed(self._sorted_runs):
            for part in _overlapping(sorted_run.deleted, unknown[key]):
                gone = self._cache.read(part, up_to=highest).select(
                    pl.col(key).cast(candidates.schema[key], strict=False)
                )
                added.append(unknown.join(gone, on=key, how="semi"))
                unknown = unknown.join(gone, on=key, how="anti")
            for part in _overlapping(sorted_run.parts, unknown[key]):
                held = self._cache.read(part, up_to=highest).join(unknown.select(key), on=key, how="semi")
                if held.height:
                    changed.append(_differing(unknown, held, key))
                    unknown = unknown.join(held.select(key), on=key, how="anti")
        self._cache.forget(below=highest)
        fresh = pl.concat([*added, unknown])
        found = pl.concat([*changed, fresh])
        if recapture.len():
            asked = candidates.filter(candidates[key].cast(pl.Int64).is_in(recapture.implode()))
            found = pl.concat([found, asked.join(found.select(key), on=key, how="anti")])
        return ChangedRows(rows=found, added=fresh[key].cast(pl.Int64))

    def held_keys(self, lowest: int = LOWEST, highest: int = HIGHEST) -> Iterator[HeldKeys]:
        """Yield the keys that are held, in ascending order, a bounded number at a time; the ranges follow each other.

        Raises:
            LakeCorrupted: a part is missing or not what was written.
        """
        unread = part_slices(self._sorted_runs)
        for found in key_slices(unread, self._key, lambda part: self._cache.read(part, self._key), lowest, highest):
            self._cache.forget(below=found.highest)
            yield HeldKeys(lowest=found.lowest, highest=found.highest, keys=_held(found.slices, self._key).sort())


def in_schema(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Rows in the columns and types that a table has by now; a value that its column cannot hold any more is NULL."""
    return pl.DataFrame([_column(rows, name, dtype) for name, dtype in schema.items()])


def _held(slices: Sequence[PartSlice], key: str) -> pl.Series:
    """The keys that are held after all slices, oldest first."""
    held = pl.Series(key, [], dtype=pl.Int64)
    for each in sorted(slices, key=lambda each: each.sorted_run):
        keys = each.frame[key].cast(pl.Int64)
        held = held.filter(~held.is_in(keys.implode())) if each.gone else pl.concat([held, keys])
    return held.unique()


def _highest(keys: pl.Series) -> int:
    highest = keys.max()
    return highest if isinstance(highest, int) else LOWEST


def _overlapping(parts: Sequence[Part], keys: pl.Series) -> Iterator[Part]:
    """The parts whose rows may have one of the keys."""
    return (part for part in parts if keys.is_between(pl.lit(part.lowest), pl.lit(part.highest)).any())


def _differing(candidates: pl.DataFrame, held: pl.DataFrame, key: str) -> pl.DataFrame:
    """The candidates whose content differs from the held row of their key; a column that was not there held NULL.

    A row also differs if its column changed type and the held value does not fit the new type exactly. A cast would
    round it as PostgreSQL did and hide the change.
    """
    common = candidates.join(held.select(key), on=key, how="semi").sort(key)
    held = held.sort(key)
    known = in_schema(held, candidates.schema)
    differs = pl.Series([False]).new_from_index(0, common.height)
    for name in common.columns:
        # Polars compares by way of the column's name, and would read one such as `^a$` as a pattern.
        differs |= common[name].alias("value").ne_missing(known[name].alias("value"))
        if name in held.columns and held.schema[name] != known.schema[name]:
            differs |= _is_inexact(held[name], known[name])
    return common.filter(differs)


def _is_inexact(held: pl.Series, known: pl.Series) -> pl.Series:
    """Where a value is not the same any more when it comes back from another type; of texts nobody can tell."""
    try:
        again = known.cast(held.dtype, strict=False)
    except pl.exceptions.InvalidOperationError:
        return pl.Series([False]).new_from_index(0, held.len())
    return held.alias("value").ne_missing(again.alias("value"))


def _column(rows: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    if name in rows.columns:
        try:
            return rows[name].cast(dtype, strict=False)
        except pl.exceptions.InvalidOperationError:
            pass  # types that do not convert into each other at all, such as a timestamp into a boolean
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, rows.height)
