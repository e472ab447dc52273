"""When a schedule is due, by the expressions of EventBridge Scheduler.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EXPRESSION = re.compile(r"(?P<kind>rate|cron|at)\((?P<words>[^()]*)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"(?P<value>[1-9]\d*) (?P<unit>minute|hour|day)s?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART = re.compile(r"(?P<first>\w+|\*|\?)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
_FURTHEST_DAYS = 366 * 8  # a 29th of February may be eight years away


def due_after(expression: str, zone: str, now: datetime, before: datetime | None) -> datetime | None:
    """When a schedule is due next.

    What was missed meanwhile, because the machine slept, is not caught up on.

    Args:
        expression: of its times: rate, cron or at.
        zone: the time zone that cron and at are meant in.
        now: the moment of asking; the answer is later, but for a rate that begins: it is due at once.
        before: when it was due last; None: never yet.

    Returns:
        The moment; None: it is over.

    Raises:
        ValueError: the expression is not understood, or uses what is not supported here (L, W and #).
    """
    found = _EXPRESSION.fullmatch(expression.strip())
    if found is None:
        raise ValueError(f"{expression!r} is no schedule expression")
    match found["kind"]:
        case "rate":
            every = _interval(expression, found["words"])
            return now if before is None else before + every * ((now - before) // every + 1)
        case "at":
            moment = datetime.fromisoformat(found["words"]).replace(tzinfo=_zone(zone)).astimezone(UTC)
            return moment if before is None and moment > now else None
        case _:
            return next(_moments(expression, found["words"].split(), _zone(zone), now), None)


def _zone(name: str) -> tzinfo:
    if name in {"UTC", "Etc/UTC"}:  # a machine without a database of time zones has this one
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone that this machine knows") from error


def _interval(expression: str, words: str) -> timedelta:
    found = _RATE.fullmatch(words)
    if found is None:
        raise ValueError(f"{expression!r} is no rate such as rate(5 minutes)")
    return timedelta(seconds=int(found["value"]) * _UNITS[found["unit"]])


def _moments(expression: str, words: Sequence[str], zone: tzinfo, now: datetime) -> Iterator[datetime]:
    try:
        minutes, hours, days, months, weekdays, years = words
        of_minute, of_hour = _numbers(minutes, 0, 59), _numbers(hours, 0, 23)
        of_day, of_month = _numbers(days, 1, 31), _numbers(months, 1, 12, _MONTHS)
        of_weekday, of_year = _numbers(weekdays, 1, 7, _DAYS), _numbers(years, 1970, 2199)
    except ValueError:
        raise ValueError(f"{expression!r} is no cron expression that the local cloud knows") from None
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=number) for number in range(_FURTHEST_DAYS)):
        if (
            day.year not in of_year
            or day.month not in of_month
            or day.day not in of_day
            or day.isoweekday() % 7 + 1 not in of_weekday
        ):
            continue
        for hour in sorted(of_hour):
            for minute in sorted(of_minute):
                local = datetime.combine(day, time(hour, minute), zone)
                moment = local.astimezone(UTC)
                # Where clocks are put forward a time is missing, and what is due then is left out.
                if moment > now and moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    yield moment


def _numbers(field: str, least: int, most: int, names: Sequence[str] = ()) -> set[int]:
    """The numbers that a field of a cron expression means; raise ValueError where it is not understood."""
    numbers: set[int] = set()
    for part in field.upper().split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(field)
        if found["first"] in {"*", "?"}:
            first, last = least, most
        else:
            first = _number(found["first"], least, names)
            last = most if found["step"] else first
        if found["last"]:
            last = _number(found["last"], least, names)
        if not least <= first <= last <= most:
            raise ValueError(field)
        numbers |= set(range(first, last + 1, int(found["step"] or 1)))
    return numbers


def _number(word: str, least: int, names: Sequence[str]) -> int:
    return names.index(word) + least if word in names else int(word)
