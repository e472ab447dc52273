"""What the lake holds of a table: its latest content by key, kept in a few runs so that a tick reads little of it."""

from collections.abc import Sequence

import polars as pl

from totes.lake import Bucket, Part, Run, read_part, write_part

PART_ROWS = 200_000
"""Rows of a part of a merged run."""

MERGED_ROWS = 1_000_000
"""Runs are merged up to this many rows; larger ones stay as they are, so that merging needs bounded memory."""

_HELD = "_held"


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
    rows = pl.concat(newest_first, how="diagonal_relaxed").unique(key, keep="first", maintain_order=True).sort(key)
    return Run(
        parts=tuple(
            write_part(bucket, f"{place}-{number:05d}", chunk, row_key=key)
            for number, chunk in enumerate(rows.iter_slices(PART_ROWS))
        )
    )


def _overlaps(part: Part, keys: pl.Series) -> bool:
    if part.lowest is None or part.highest is None:
        return True
    return bool(keys.is_between(part.lowest, part.highest).any())


def _differing(candidates: pl.DataFrame, held: pl.DataFrame, key: str) -> pl.DataFrame:
    """The candidates whose content differs from the held row of their key; a column that was not there held NULL."""
    columns = [name for name in candidates.columns if name != key]
    known = held.select(key, *(_as_held(held, name, candidates.schema[name]) for name in columns))
    return (
        candidates.join(known, on=key, how="inner", suffix=_HELD)
        .filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(name + _HELD)) for name in columns))
        .select(candidates.columns)
    )


def _as_held(held: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Expr:
    if name not in held.columns:
        return pl.lit(None, dtype=dtype).alias(name + _HELD)
    return pl.col(name).cast(dtype, strict=False).alias(name + _HELD)
