"""How often a schedule's expression comes due in a month."""

import re
from decimal import Decimal

from costs.assumptions import DAYS_A_MONTH, HOURS_A_MONTH
from costs.templates import Unpriceable

_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ANY = ("*", "?")


def runs_a_month(expression: str) -> Decimal:
    """How often rate(...) or cron(...) comes due; raise Unpriceable if it cannot be counted."""
    if rate := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", expression):
        return HOURS_A_MONTH * 60 / (int(rate[1]) * _MINUTES[rate[2]])
    if cron := re.fullmatch(r"cron\((\S+) (\S+) (\S+) \* (\S+) \*\)", expression):
        minutes, hours, of_month, of_week = cron.groups()
        try:
            return _count(minutes, 60) * _count(hours, 24) * _days(of_month, of_week)
        except ValueError:  # a field that stands for no plain numbers, such as L
            pass
    raise Unpriceable(f"how often {expression} comes due is not worked out")


def _days(of_month: str, of_week: str) -> Decimal:
    if of_week not in _ANY:
        for number, name in enumerate(_WEEK, start=1):
            of_week = of_week.replace(name, str(number))
        return DAYS_A_MONTH * _count(of_week, len(_WEEK)) / len(_WEEK)
    return DAYS_A_MONTH if of_month in _ANY else Decimal(_count(of_month, 31))


def _count(field: str, size: int) -> int:
    """How many values of so many a cron field stands for."""
    return sum(_count_part(part, size) for part in field.split(","))


def _count_part(part: str, size: int) -> int:
    if part == "*":
        return size
    if "/" in part:
        first, step = part.split("/")
        return len(range(0 if first == "*" else int(first), size, int(step)))
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1
