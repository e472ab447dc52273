"""When the shop is open: Monday to Friday, 08:00 to 18:59, up to one last day that is the same for every shop.

Moments are milliseconds since 1970, days are days since 1970, and an offset is a number of opening milliseconds since
the shop first opened.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

DAY: Final = 24 * 60 * 60 * 1000
HOUR: Final = 60 * 60 * 1000

_EPOCH = dt.date(1970, 1, 1)
_LAST_DAY = (dt.date(2025, 6, 27) - _EPOCH).days
"""A Friday, and long past: the same seed makes the same shop whenever it is built."""

_OPENS = 8 * HOUR
_OPEN_FOR = 11 * HOUR
_DAYS_OF_WEEK = 7
_WORKING_DAYS_OF_WEEK = 5
_WEEKDAY_OF_EPOCH = 3
"""A Thursday, where Monday is 0."""


@dataclass(frozen=True)
class OpeningHours:
    """The opening hours of a shop that was open for so many working days.

    Attributes:
        days: working days.
    """

    days: int

    @property
    def total(self) -> int:
        """Opening milliseconds in all."""
        return self.days * _OPEN_FOR

    @property
    def first_day(self) -> int:
        """The day of the opening."""
        return int(self._calendar_days(np.array([0], dtype=np.int64))[0])

    @property
    def last_day(self) -> int:
        """The last working day."""
        return _LAST_DAY

    def moments(self, offsets: Integers) -> Integers:
        """The moments at these offsets."""
        return self._calendar_days(offsets // _OPEN_FOR) * DAY + _OPENS + offsets % _OPEN_FOR

    def _calendar_days(self, working_days: Integers) -> Integers:
        weeks, days = np.divmod(self.days - 1 - working_days, _WORKING_DAYS_OF_WEEK)
        return _LAST_DAY - weeks * _DAYS_OF_WEEK - days


def is_working_day(days: Integers) -> NDArray[np.bool_]:
    """Whether each day is one from Monday to Friday."""
    return (days + _WEEKDAY_OF_EPOCH) % _DAYS_OF_WEEK < _WORKING_DAYS_OF_WEEK
