"""Rows that should be there, compared with rows that are there."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Keys of the rows that differ, and the columns that differ in rows of both sides."""

    missing: pl.Series
    extra: pl.Series
    different: pl.Series
    columns: frozenset[str]


def compare(key: str, expected: pl.DataFrame, held: pl.DataFrame | None) -> Compared:
    """Compare two frames of the same columns and types, each with one row for each key."""
    if held is None:
        held = expected.clear()
    if expected.equals(held.select(expected.columns)):  # as nearly every page does: both are sorted by key
        nothing = expected[key].clear()
        return Compared(missing=nothing, extra=nothing, different=nothing, columns=frozenset())
    both = expected.join(held.select(key), on=key, how="semi").sort(key)
    theirs = held.join(expected.select(key), on=key, how="semi").sort(key)
    differs = pl.Series([False]).new_from_index(0, both.height)
    columns = set()
    for name in both.columns:
        unequal = both[name].ne_missing(theirs[name])
        if unequal.any():
            columns.add(name)
            differs |= unequal
    return Compared(
        missing=expected.join(held.select(key), on=key, how="anti")[key],
        extra=held.join(expected.select(key), on=key, how="anti")[key],
        different=both.filter(differs)[key],
        columns=frozenset(columns),
    )
