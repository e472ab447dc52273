"""Schedules are due when EventBridge Scheduler's documentation says.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from local_cloud import timetable
from local_cloud.timetable import due_after

NOW = datetime(2026, 11, 26, 5, 7, 30, tzinfo=UTC)  # a Thursday


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_rate_is_due_at_once_and_then_after_each_interval() -> None:
    assert due_after("rate(5 minutes)", "UTC", NOW, None) == NOW
    assert due_after("rate(5 minutes)", "UTC", NOW, NOW) == NOW + timedelta(minutes=5)
    late = NOW + timedelta(minutes=5, seconds=3)
    assert due_after("rate(5 minutes)", "UTC", late, NOW + timedelta(minutes=5)) == NOW + timedelta(minutes=10)
    assert due_after("rate(1 day)", "UTC", NOW, NOW) == NOW + timedelta(days=1)


def test_what_a_sleeping_machine_missed_is_due_no_more() -> None:
    assert due_after("rate(5 minutes)", "UTC", NOW + timedelta(hours=8), NOW) == NOW + timedelta(hours=8, minutes=5)


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ("* * * * ? *", "2026-11-26 05:08"),
        ("7 5 * * ? *", "2026-11-27 05:07"),
        ("8 5 * * ? *", "2026-11-26 05:08"),
        ("0/15 * * * ? *", "2026-11-26 05:15"),
        ("5-9/2 * * * ? *", "2026-11-26 05:09"),
        ("30 3 * * ? *", "2026-11-27 03:30"),
        ("0 22 ? * MON-FRI *", "2026-11-26 22:00"),
        ("0 4 ? * 2,SAT *", "2026-11-28 04:00"),
        ("0 0 1 JAN,JUL ? *", "2027-01-01 00:00"),
        ("0 0 29 2 ? *", "2028-02-29 00:00"),
        ("0 0 1 1 ? 2031", "2031-01-01 00:00"),
    ],
)
def test_a_cron_expression_is_due_at_its_next_moment(fields: str, due: str) -> None:
    assert due_after(f"cron({fields})", "UTC", NOW, None) == moment(due)
    assert due_after(f"cron({fields})", "UTC", NOW, NOW - timedelta(days=400)) == moment(due)


def test_a_time_zone_is_kept_where_clocks_are_put_forward_too() -> None:
    assert due_after("cron(30 9 * * ? *)", "Europe/London", NOW, None) == moment("2026-11-26 09:30")
    spring = moment("2027-03-27 12:00")
    assert due_after("cron(30 9 * * ? *)", "Europe/London", spring, None) == moment("2027-03-28 08:30")
    # At one o'clock it is two: half past one is left out that day.
    assert due_after("cron(30 1 * * ? *)", "Europe/London", spring, None) == moment("2027-03-29 00:30")


def test_what_is_over_is_due_no_more() -> None:
    assert due_after("cron(0 0 1 1 ? 2020)", "UTC", NOW, None) is None
    assert due_after("at(2026-11-26T06:00:00)", "UTC", NOW, None) == moment("2026-11-26 06:00")
    assert due_after("at(2026-11-26T06:00:00)", "UTC", NOW, moment("2026-11-26 06:00")) is None
    assert due_after("at(2026-11-26T05:00:00)", "UTC", NOW, None) is None


@pytest.mark.parametrize(
    "expression",
    [
        *("every day", "rate(5 seconds)", "rate(0 minutes)", "rate(minutes)", "cron(0 0 * * *)", "cron(61 0 * * ? *)"),
        *("cron(0 0 L * ? *)", "cron(0 0 ? * 6#3 *)", "cron(9-5 0 * * ? *)", "at(tomorrow)"),
    ],
)
def test_what_is_not_understood_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        due_after(expression, "UTC", NOW, None)


@pytest.mark.parametrize("expression", ["cron(0 3 * * ? *)", "at(2030-01-01T00:00:00)"])
def test_a_zone_that_nobody_knows_is_said_and_utc_needs_no_database(
    expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetable, "ZoneInfo", unknown)
    now = datetime(2026, 11, 26, 5, 7, tzinfo=UTC)
    assert timetable.due_after(expression, "Etc/UTC", now, None)
    with pytest.raises(ValueError, match="'Mars/North' is no time zone"):
        timetable.due_after(expression, "Mars/North", now, None)


def unknown(name: str) -> None:
    raise ZoneInfoNotFoundError(name)
