"""What the lake holds of a table: its latest content by key, kept in a few runs so that a tick reads little of it."""

from collections.abc import Sequence

import polars as pl

from totes.lake import Bucket, Part, Run, read_part, write_part

PART_ROWS = 200_000
"""Rows of a part of a merged run."""

MERGED_ROWS = 1_000_000
"""Runs are merged up to this many rows; larger ones stay as they are, so that merging needs bounded memory."""


def news_in(candidates: pl.DataFrame, key: str, holdings: Sequence[Run], bucket: Bucket) -> pl.DataFrame:
    """Return the candidates that the lake does not hold with the same content.

    Args:
        candidates: rows of the table, one a key, as `read_rows` gives them.
        key: the table's key column.
        holdings: the table's runs, oldest first.
        bucket: where the runs' parts lie.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
    """
    unknown = candidates
    changed = []
    for run in reversed(holdings):
        for part in run.parts:
            if not _overlaps(part, unknown[key]):
                continue
            held = read_part(bucket, part).join(unknown.select(key), on=key, how="semi")
            if held.height:
                changed.append(_differing(unknown, held, key))
                unknown = unknown.join(held.select(key), on=key, how="anti")
    return pl.concat([*changed, unknown])


def with_run(holdings: Sequence[Run], changes: Sequence[Part], key: str, bucket: Bucket, place: str) -> tuple[Run, ...]:
    """Return the holdings after a batch's changes.

    A run that is not much larger than what has come after it is merged with that, so there are about as many runs
    as the logarithm of the rows, and a row is rewritten about as often, after years of ticks.

    Args:
        holdings: the table's runs before the batch, oldest first.
        changes: the batch's own parts; they become the newest run as they are.
        key: the table's key column.
        bucket: where the parts lie, and where merged ones go.
        place: the start of a merged part's key.
    """
    runs = [*holdings, Run(parts=tuple(changes))]
    rows = runs[-1].rows
    first = len(runs) - 1
    while first > 0 and runs[first - 1].rows < 2 * rows and runs[first - 1].rows + rows <= MERGED_ROWS:
        first -= 1
        rows += runs[first].rows
    if first == len(runs) - 1:
        return tuple(runs)
    return (*runs[:first], _merged(runs[first:], key, bucket, place))


def _merged(runs: Sequence[Run], key: str, bucket: Bucket, place: str) -> Run:
    newest_first = [read_part(bucket, part) for run in reversed(runs) for part in run.parts]
    schema = newest_first[0].schema
    rows = pl.concat(_in_shape(frame, schema) for frame in newest_first)
    rows = rows.unique(key, keep="first", maintain_order=True).sort(key)
    return Run(
        parts=tuple(
            write_part(bucket, f"{place}-{number:05d}", chunk, row_key=key)
            for number, chunk in enumerate(rows.iter_slices(PART_ROWS))
        )
    )


def _overlaps(part: Part, keys: pl.Series) -> bool:
    return bool(keys.is_between(pl.lit(part.lowest), pl.lit(part.highest)).any())


def _differing(candidates: pl.DataFrame, held: pl.DataFrame, key: str) -> pl.DataFrame:
    """The candidates whose content differs from the held row of their key; a column that was not there held NULL."""
    common = candidates.join(held.select(key), on=key, how="semi").sort(key)
    known = _in_shape(held, candidates.schema).sort(key)
    differs = pl.Series([False]).new_from_index(0, common.height)
    for name in common.columns:
        differs |= common[name].ne_missing(known[name])
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
