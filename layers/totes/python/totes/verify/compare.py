"""Rows that should be there, compared with rows that are there."""

from dataclasses import dataclass

import polars as pl

from totes.lake import RAW


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Keys of the rows that differ, and the columns that differ in rows of both sides."""

    missing: pl.Series
    extra: pl.Series
    different: pl.Series
    columns: frozenset[str]


def compare(key: str, expected: pl.DataFrame, held: pl.DataFrame | None) -> Compared:
    """Compare two frames of the same columns and types.

    Each should have one row for each key. A key that both have, and one of them twice, differs, in the key's column.

    Args:
        key: the key's column.
        expected: the rows that should be there.
        held: the rows that are, as `read_rows` gives them; None: there are none. What its column RAW names was written
            by hand (`infinity`, NaN): totes writes nothing that it cannot read.
    """
    if held is None:
        held = expected.clear().with_columns(pl.lit(None, dtype=pl.String).alias(RAW))
    nothing = expected[key].clear()
    all_read = held[RAW].null_count() == held.height
    # As nearly every page does: both are sorted by key.
    if all_read and expected.equals(held.select(expected.columns)) and expected[key].n_unique() == expected.height:
        return Compared(missing=nothing, extra=nothing, different=nothing, columns=frozenset())
    twice = pl.concat([rows.filter(pl.col(key).is_duplicated())[key] for rows in (expected, held)]).unique().sort()
    if twice.len():
        once = compare(key, _without(expected, key, twice), _without(held, key, twice))
        of_expected, of_held = (twice.is_in(rows[key].implode()) for rows in (expected, held))
        return Compared(
            missing=pl.concat([once.missing, twice.filter(of_expected & ~of_held)]),
            extra=pl.concat([once.extra, twice.filter(of_held & ~of_expected)]),
            different=pl.concat([once.different, twice.filter(of_expected & of_held)]),
            columns=once.columns | ({key} if (of_expected & of_held).any() else set()),
        )
    both = expected.join(held.select(key), on=key, how="semi").sort(key)
    theirs = held.join(expected.select(key), on=key, how="semi").sort(key)
    differs = pl.Series([False]).new_from_index(0, both.height)
    columns = set()
    for name in both.columns:
        unequal = both[name].ne_missing(theirs[name]) | theirs[RAW].str.json_path_match(f"$.{name}").is_not_null()
        if unequal.any():
            columns.add(name)
            differs |= unequal
    return Compared(
        missing=expected.join(held.select(key), on=key, how="anti")[key],
        extra=held.join(expected.select(key), on=key, how="anti")[key],
        different=both.filter(differs)[key],
        columns=frozenset(columns),
    )


def _without(rows: pl.DataFrame, key: str, keys: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col(key).is_in(keys.implode()))
