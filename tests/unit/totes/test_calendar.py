"""dim_date says of a date what the calendar says."""

import datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from totes.star.calendar import calendar_rows
from totes.star.tables.dim_date import DIM_DATE

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
MONTHS += ["November", "December"]


@given(st.lists(st.dates() | st.none(), min_size=1))
def test_each_date_has_one_row_that_tells_it_in_full(dates: list[datetime.date | None]) -> None:
    rows = calendar_rows(DIM_DATE, pl.Series(dates, dtype=pl.Date)).rows()
    assert rows == [
        (
            date,
            date.year,
            date.month,
            date.day,
            date.isoweekday(),
            DAYS[date.weekday()],
            MONTHS[date.month - 1],
            (date.month + 2) // 3,
        )
        for date in sorted({date for date in dates if date is not None})
    ]
