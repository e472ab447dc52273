"""dim_date's rows: what a date says of itself."""

import polars as pl

from totes.star_schema import Calendar

_OF_DATE = {
    "date_id": pl.col("date_id"),
    "year": pl.col("date_id").dt.year().cast(pl.Int32),
    "month": pl.col("date_id").dt.month().cast(pl.Int32),
    "day": pl.col("date_id").dt.day().cast(pl.Int32),
    "day_of_week": pl.col("date_id").dt.weekday().cast(pl.Int32),  # ISO 8601: Monday is 1
    "day_name": pl.col("date_id").dt.strftime("%A"),
    "month_name": pl.col("date_id").dt.strftime("%B"),
    "quarter": pl.col("date_id").dt.quarter().cast(pl.Int32),
}


def calendar_rows(calendar: Calendar, dates: pl.Series) -> pl.DataFrame:
    """Return a row of the calendar for each distinct date, in ascending order; none for NULL, of a fact without one."""
    distinct = dates.rename("date_id").drop_nulls().unique().sort().to_frame()
    return distinct.select(_OF_DATE[column.name].alias(column.name) for column in calendar.columns)
