"""Values of rows as texts, for a person who reads them in quarantine."""

import polars as pl


def texts_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with each value's text in its place; NULL stays NULL."""
    # Columns are taken as they are and not by name: polars would read a name such as `*` or `^a$` as a pattern.
    return pl.DataFrame([_texts(column) for column in rows.iter_columns()])


def _texts(values: pl.Series) -> pl.Series:
    # Polars' own cast of a time ends with the second.
    return values.dt.to_string("%H:%M:%S%.f") if values.dtype == pl.Time else values.cast(pl.String)
