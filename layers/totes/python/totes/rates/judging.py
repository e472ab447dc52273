"""Which rates of a day are nonsense: a rate must be a positive number, and near what it was the day before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from totes.rates.days import DayOfRates

_FACTOR = 10
_REMEMBERED = timedelta(days=7)
"""Older rates are not compared with: a currency that has been worth a tenth for a week was divided by ten."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
"""A number as JSON has it; Decimal would also read `1_2.5`, and digits of other scripts."""

_LARGEST, _SMALLEST = Decimal("1e12"), Decimal("1e-12")


@dataclass(frozen=True, kw_only=True)
class LastGood:
    """The last good rate of a currency, and its day."""

    day: date
    rate: Decimal


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The outcome of a day: the good rates, and why the others are refused; both by ISO 4217 code."""

    good: Mapping[str, Decimal]
    refused: Mapping[str, str]


def judge(said: DayOfRates, last: Mapping[str, LastGood]) -> Judged:
    """Judge a day's rates.

    Args:
        said: what the source said.
        last: the last good rate of each currency before that day, if there is one.

    Returns:
        Each rate, as good or as refused; a useless answer is refused under its base.
    """
    good: dict[str, Decimal] = {}
    refused = {said.base: said.wrong} if said.wrong else {}
    for code, text in said.rates.items():
        rate = _number(text)
        if rate is None:
            refused[code] = "is no number"
        elif rate <= 0:
            refused[code] = "is not above zero"
        elif not _SMALLEST < rate < _LARGEST:
            refused[code] = "is no rate that a currency can have"
        elif why := _jumps(rate, said.day, last.get(code)):
            refused[code] = why
        else:
            good[code] = rate
    return Judged(good=good, refused=refused)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:  # its exponent has too many digits
        return None


def _jumps(rate: Decimal, day: date, last: LastGood | None) -> str:
    if last is None or day - last.day > _REMEMBERED:
        return ""
    if last.rate / _FACTOR < rate < last.rate * _FACTOR:
        return ""
    return f"is {rate:f}, a factor of ten from {last.rate:f} of {last.day}"
