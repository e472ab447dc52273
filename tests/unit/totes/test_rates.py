"""A day's rates are read as they are written, and what cannot be a rate is refused with its reason."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from totes.errors import LakeCorrupted
from totes.rates import DayOfRates, Judged, LastGood, days_of, judge

DAY = date(2024, 3, 5)
CODES = {"GBP", "USD", "EUR", "JPY"}


def answer(rates: Any, day: date = DAY) -> bytes:
    return json.dumps({"date": day.isoformat(), "gbp": rates}).encode()


def said(**rates: str) -> DayOfRates:
    return DayOfRates(day=DAY, base="GBP", rates=rates)


def yesterday(rate: str, days: int = 1) -> LastGood:
    return LastGood(day=DAY - timedelta(days=days), rate=Decimal(rate))


def test_an_answer_is_read_digit_by_digit_and_what_is_no_currency_stays_out() -> None:
    body = b'{"date":"2024-03-05","gbp":{"1inch":2.2,"btc":2e-5,"eur":1.16768833,"gbp":1,"usd":1.26607284}}'
    read = DayOfRates.from_answer(body, DAY, "GBP", CODES)
    assert read == said(EUR="1.16768833", USD="1.26607284")
    assert DayOfRates.from_json(read.to_json()) == read


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"<html>", "the answer is no JSON"),
        (b"[" * 100_000, "the answer is no JSON"),
        (b"[]", "the answer has no rates of GBP"),
        (answer(None), "the answer has no rates of GBP"),
        (answer({"btc": 1}), "the answer has no rates of GBP"),
        (answer({"usd": 1}, DAY - timedelta(days=1)), "the answer is not of 2024-03-05"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_as_a_whole(body: bytes, wrong: str) -> None:
    read = DayOfRates.from_answer(body, DAY, "GBP", CODES)
    assert read.wrong == wrong
    assert judge(read, {}) == Judged(good={}, refused={"GBP": wrong})


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        ("0", "is not above zero"),
        ("-1.2", "is not above zero"),
        ("null", "is no number"),
        ("NaN", "is no number"),
        ("Infinity", "is no number"),
        ('{"a": 1}', "is no number"),
        ("1_2.5", "is no number"),
        ("\u0661", "is no number"),
        ("1e300", "is no rate that a currency can have"),
        ("12.5", "is 12.5, a factor of ten from 1.25 of 2024-03-04"),
        ("0.125", "is 0.125, a factor of ten from 1.25 of 2024-03-04"),
    ],
)
def test_nonsense_is_refused_and_the_other_rates_of_the_day_are_good(rate: str, reason: str) -> None:
    judged = judge(said(EUR="1.17", USD=rate), {"USD": yesterday("1.25"), "EUR": yesterday("1.16")})
    assert judged == Judged(good={"EUR": Decimal("1.17")}, refused={"USD": reason})


def test_a_number_too_long_to_be_kept_is_none_whatever_its_beginning_says() -> None:
    body = f'{{"date":"2024-03-05","gbp":{{"usd":1.{"0" * 120}e5}}}}'.encode()
    read = DayOfRates.from_answer(body, DAY, "GBP", CODES)
    assert judge(read, {}).refused == {"USD": "is no number"}


def test_a_rate_may_move_by_less_than_ten_times_in_a_day() -> None:
    assert judge(said(USD="12.4"), {"USD": yesterday("1.25")}).refused == {}
    assert judge(said(USD="0.126"), {"USD": yesterday("1.25")}).refused == {}


def test_a_currency_that_was_divided_by_ten_is_believed_after_a_week() -> None:
    assert judge(said(USD="12.5"), {"USD": yesterday("1.25", days=7)}).refused
    assert judge(said(USD="12.5"), {"USD": yesterday("1.25", days=8)}).refused == {}


def test_a_folder_that_a_person_has_made_among_the_days_is_named() -> None:
    bucket = MemoryStore().bucket("processed")
    bucket.put_new("rates/GBP/", b"")
    with pytest.raises(LakeCorrupted, match="s3://processed/rates/GBP/ is no day of rates; take it out of rates/GBP/"):
        list(days_of(bucket, "GBP"))
