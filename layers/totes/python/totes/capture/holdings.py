"""What the lake holds of a table: its latest content by key, kept in a few runs so that a tick reads little of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from totes.lake import Bucket, Part, Run, read_part, write_part

PART_ROWS = 200_000
"""Rows of a part of a merged run."""

MERGED_ROWS = 1_000_000
"""Runs are merged up to this many rows; larger ones stay as they are, so that merging needs bounded memory."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What the lake does not hold yet.

    Attributes:
        rows: rows that are new, differ from what is held, or were asked for again.
        added: how many of them have a key of which no row is held.
    """

    rows: pl.DataFrame
    added: int


def news_in(candidates: pl.DataFrame, key: str, holdings: Sequence[Run], bucket: Bucket, again: pl.Series) -> News:
    """Return those of the candidates that the lake does not hold with the same content, or that are asked for again.

    Args:
        candidates: rows of the table, one a key, as `read_rows` gives them.
        key: the table's key column.
        holdings: the table's runs, oldest first.
        bucket: where the runs' parts lie.
        again: keys (64-bit integers) of rows that are news in any case.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
    """
    unknown = candidates
    added = []
    changed = []
    asked = candidates[key].cast(pl.Int64).is_in(again.implode())
    for run in reversed(holdings):
        for part in _overlapping(run.deleted, unknown[key]):
            gone = read_part(bucket, part).select(pl.col(key).cast(candidates.schema[key], strict=False))
            added.append(unknown.join(gone, on=key, how="semi"))
            unknown = unknown.join(gone, on=key, how="anti")
        for part in _overlapping(run.parts, unknown[key]):
            held = read_part(bucket, part).join(unknown.select(key), on=key, how="semi")
            if held.height:
                changed.append(_differing(unknown, held, key))
                unknown = unknown.join(held.select(key), on=key, how="anti")
    fresh = pl.concat([*added, unknown])
    news = pl.concat([*changed, fresh])
    if asked.any():
        news = pl.concat([news, candidates.filter(asked).join(news.select(key), on=key, how="anti")])
    return News(rows=news, added=fresh.height)


def held_keys(holdings: Sequence[Run], key: str, bucket: Bucket) -> pl.Series:
    """Return the key of every row that the lake holds, as 64-bit integers, in ascending order.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
    """
    held = pl.Series(key, [], dtype=pl.Int64)
    for run in holdings:
        held = pl.concat([held, *_keys(run.parts, key, bucket)]).unique()
        if run.deleted:
            held = held.filter(~held.is_in(pl.concat(_keys(run.deleted, key, bucket)).implode()))
    return held.sort()


def with_run(holdings: Sequence[Run], newest: Run, key: str, bucket: Bucket, place: str) -> tuple[Run, ...]:
    """Return the holdings after a batch's run.

    A run that is not much larger than what has come after it is merged with that, so there are about as many runs
    as the logarithm of the rows, and a row is rewritten about as often, after years of ticks.

    Args:
        holdings: the table's runs before the batch, oldest first.
        newest: the batch's own changes and deletes.
        key: the table's key column.
        bucket: where the parts lie, and where merged ones go.
        place: the start of a merged part's key.
    """
    runs = [*holdings, newest]
    rows = newest.rows
    first = len(runs) - 1
    while first > 0 and runs[first - 1].rows < 2 * rows and runs[first - 1].rows + rows <= MERGED_ROWS:
        first -= 1
        rows += runs[first].rows
    if first == len(runs) - 1:
        return tuple(runs)
    return (*runs[:first], _merged(runs[first:], key, bucket, place, with_deleted=first > 0))


def _merged(runs: Sequence[Run], key: str, bucket: Bucket, place: str, *, with_deleted: bool) -> Run:
    """One run of several; that a row is deleted need be said only where an older run may have it."""
    frames: list[pl.DataFrame] = []
    deleted = said = pl.Series(key, [], dtype=pl.Int64)
    for run in reversed(runs):
        rows = [read_part(bucket, part) for part in run.parts]
        rows = [frame.filter(~frame[key].cast(pl.Int64).is_in(said.implode())) for frame in rows]
        gone = pl.concat([said.clear(), *_keys(run.deleted, key, bucket)])
        gone = gone.filter(~gone.is_in(said.implode()))
        said = pl.concat([said, gone, *(frame[key].cast(pl.Int64) for frame in rows)])
        frames += rows
        deleted = pl.concat([deleted, gone])
    return Run(
        parts=_written(frames, key, bucket, place),
        deleted=_written([deleted.to_frame()] if with_deleted else [], key, bucket, f"{place}-deleted"),
    )


def _written(newest_first: Sequence[pl.DataFrame], key: str, bucket: Bucket, place: str) -> tuple[Part, ...]:
    if not newest_first:
        return ()
    schema = newest_first[0].schema
    rows = pl.concat(_in_shape(frame, schema) for frame in newest_first).sort(key)
    return tuple(
        write_part(bucket, f"{place}-{number:05d}", chunk, row_key=key)
        for number, chunk in enumerate(rows.iter_slices(PART_ROWS))
        if chunk.height
    )


def _keys(parts: Sequence[Part], key: str, bucket: Bucket) -> list[pl.Series]:
    return [read_part(bucket, part, [key])[key].cast(pl.Int64) for part in parts]


def _overlapping(parts: Sequence[Part], keys: pl.Series) -> Iterator[Part]:
    """The parts whose rows may have one of the keys."""
    return (part for part in parts if keys.is_between(pl.lit(part.lowest), pl.lit(part.highest)).any())


def _differing(candidates: pl.DataFrame, held: pl.DataFrame, key: str) -> pl.DataFrame:
    """The candidates whose content differs from the held row of their key; a column that was not there held NULL."""
    common = candidates.join(held.select(key), on=key, how="semi").sort(key)
    known = _in_shape(held, candidates.schema).sort(key)
    differs = pl.Series([False]).new_from_index(0, common.height)
    for name in common.columns:
        # Polars compares by way of the column's name, and would read one such as `^a$` as a pattern.
        differs |= common[name].alias("value").ne_missing(known[name].alias("value"))
    return common.filter(differs)


def _in_shape(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Rows in the columns and types that a table has by now; a value that its column cannot hold any more is NULL."""
    return pl.DataFrame([_column(rows, name, dtype) for name, dtype in schema.items()])


def _column(rows: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    if name in rows.columns:
        try:
            return rows[name].cast(dtype, strict=False)
        except pl.exceptions.InvalidOperationError:
            pass  # types that do not convert into each other at all, such as a timestamp into a boolean
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, rows.height)
