"""Source rows completed by the rows of another table that they refer to."""

from collections.abc import Iterable

import polars as pl

from totes.lake import RAW
from totes.star_schema import Join

_OWN = "the row's own {} (a name longer than any that PostgreSQL can give to a column)"


def nothing_to_join(columns: Iterable[str], key: str) -> pl.DataFrame:
    """Return a frame of none of the rows that complete others, in which all columns but the key are texts.

    Args:
        columns: of the table that completes.
        key: the column of it that is referred to.
    """
    return pl.DataFrame(schema=dict.fromkeys([*columns, RAW], pl.String()) | {key: pl.Int64()})


def complete(rows: pl.DataFrame, join: Join, completing: pl.DataFrame) -> pl.DataFrame:
    """Add to each row the columns of the row that it refers to, NULL where there is none.

    Args:
        rows: rows that refer to another table.
        join: how they do.
        completing: rows of that table, one a key.

    Returns:
        The rows, in their order, and the other table's columns, prefixed with its name and a point. A column of the
        rows themselves whose name begins like that gets another name.
    """
    # A source may have a column of such a name ("department.location", in quotes) that is not in the contract. It must
    # not be taken for the joined one, and it stays, so that a row in quarantine has all its values.
    rows = rows.rename({name: _OWN.format(name) for name in rows.columns if name.startswith(f"{join.table}.")})
    if join.on not in rows.columns:  # they are from before the table had the reference
        rows = rows.with_columns(pl.lit(None, dtype=pl.Int64).alias(join.on))
    prefixed = completing.rename(lambda name: f"{join.table}.{name}")
    reference, key = pl.col(join.on).cast(pl.Int64), pl.col(f"{join.table}.{join.key}").cast(pl.Int64)
    return rows.join(prefixed, left_on=reference, right_on=key, how="left", maintain_order="left")
