import datetime as dt

import numpy as np

from simulator.working_days import OpeningHours, is_working_day


def _at(hours: OpeningHours, offsets: list[int]) -> list[dt.datetime]:
    moments = hours.moments(np.array(offsets, dtype=np.int64))
    return [dt.datetime.fromtimestamp(moment / 1000, dt.UTC) for moment in moments.tolist()]


def test_the_shop_opens_at_eight_and_closes_before_seven_on_its_last_friday() -> None:
    hours = OpeningHours(days=5)
    first, last = _at(hours, [0, hours.total - 1])
    assert (first.isoweekday(), first.hour, first.minute) == (1, 8, 0)
    assert (last.isoweekday(), last.hour, last.minute, last.second) == (5, 18, 59, 59)
    assert last.date() - first.date() == dt.timedelta(days=4)


def test_weekends_are_passed_over() -> None:
    hours = OpeningHours(days=6)
    day = hours.total // 6
    friday, monday = _at(hours, [0, day])
    assert friday.isoweekday() == 5
    assert monday - friday == dt.timedelta(days=3)


def test_working_days_are_those_of_the_calendar() -> None:
    days = np.arange(-30, 30_000)
    expected = [(dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoweekday() <= 5 for day in days.tolist()]
    assert is_working_day(days).tolist() == expected


def test_no_shop_has_a_future() -> None:
    assert dt.date(1970, 1, 1) + dt.timedelta(days=OpeningHours(600).last_day) < dt.date(2025, 7, 1)
