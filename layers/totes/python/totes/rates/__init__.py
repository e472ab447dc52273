"""Rates: what a currency is worth, day by day, as a public source says; into the lake, and judged before it counts."""

from totes.rates.days import DayOfRates, days_of, key_of, read_day
from totes.rates.fetch import Fetched, fetch_rates
from totes.rates.judge import Judged, LastGood, judge
from totes.rates.source import RateSource, RatesUnavailable

__all__ = [
    "DayOfRates",
    "Fetched",
    "Judged",
    "LastGood",
    "RateSource",
    "RatesUnavailable",
    "days_of",
    "fetch_rates",
    "judge",
    "key_of",
    "read_day",
]
