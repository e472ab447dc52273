"""Star rows with the columns of this version, also of parts that an earlier version has written."""

import polars as pl

from totes.errors import ConfigurationError
from totes.star_schema import StarTable


def conformed(table: StarTable, rows: pl.DataFrame, batch: int) -> pl.DataFrame:
    """Return the star table's columns of a part's rows; a nullable column that the part lacks is NULL.

    Raises:
        ConfigurationError: the part lacks a column that must have a value.
    """
    missing = [column for column in table.columns if column.name not in rows.columns]
    for column in missing:
        if not column.nullable:
            raise ConfigurationError(
                f"batch {batch} was transformed by a version of totes whose {table.name} had no {column.name}; "
                "transform it again (totes replay --from 1)"
            )
    return rows.with_columns(pl.lit(None).alias(column.name) for column in missing).select(
        column.name for column in table.columns
    )
