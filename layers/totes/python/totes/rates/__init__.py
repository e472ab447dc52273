"""Rates: what currencies are worth on each day, as a public source says; kept in the lake, and judged before use."""

from totes.rates.days import DayOfRates, days_of, key_of, read_day
from totes.rates.fetch import Fetched, fetch_rates
from totes.rates.judging import Judged, LastGood, judge
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
