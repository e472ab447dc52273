"""A day's rates as the processed bucket has them: what the source said, in one format, and not yet judged."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from totes.errors import LakeCorrupted
from totes.lake import Bucket, read_as

_FOLDER = "rates/"
_SUFFIX = ".json"
_MOST = 100
"""Characters that are kept of what should have been a number."""


@dataclass(frozen=True, kw_only=True)
class DayOfRates:
    """What the source said of a day.

    Attributes:
        day: the day.
        base: the ISO 4217 code of the currency whose unit is expressed in others.
        rates: by ISO 4217 code, how many units of that currency one unit of the base is worth; as the source wrote it,
            so that no digit is lost.
        wrong: why the whole answer is useless; empty: it is not.
    """

    day: date
    base: str
    rates: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""

    @classmethod
    def from_answer(cls, body: bytes, day: date, base: str, codes: Collection[str]) -> "DayOfRates":
        """Read the source's answer of a day.

        Args:
            body: the answer, which also has crypto-currencies, metals and withdrawn codes.
            day: the day that was asked for.
            base: the currency that was asked for.
            codes: the codes that are kept, in capitals.
        """
        try:
            said = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            return cls(day=day, base=base, wrong="the answer is no JSON")
        rates = said.get(base.lower()) if isinstance(said, dict) else None
        if not isinstance(rates, dict):
            return cls(day=day, base=base, wrong=f"the answer has no rates of {base}")
        if said.get("date") != day.isoformat():
            return cls(day=day, base=base, wrong=f"the answer is not of {day}")
        named = {code.upper(): value for code, value in rates.items()}
        kept = {code: _text(named[code]) for code in sorted(named.keys() & {*codes} - {base})}
        return cls(day=day, base=base, rates=kept, wrong="" if kept else f"the answer has no rates of {base}")

    @classmethod
    def from_json(cls, body: bytes) -> "DayOfRates":
        """Read what `to_json` wrote."""
        said = json.loads(body)
        return read_as(cls, {**said, "day": date.fromisoformat(said["day"])})

    def to_json(self) -> bytes:
        """The day as the processed bucket has it."""
        return json.dumps({**asdict(self), "day": self.day.isoformat()}, separators=(",", ":")).encode()


def key_of(base: str, day: date) -> str:
    """The key of a day in both buckets: of the raw answer in the ingestion bucket, of what was read in the other."""
    return f"{_FOLDER}{base}/{day}{_SUFFIX}"


def days_of(bucket: Bucket, base: str, after: date | None = None) -> Iterator[date]:
    """Yield the days of a currency that a bucket has, ascending, those after one if it is given.

    Raises:
        LakeCorrupted: something is there that is no day, such as a folder that a person has made.
        LakeUnavailable: the store did not answer or refused for the moment.
        ConfigurationError: the bucket is missing or may not be listed.
    """
    prefix = f"{_FOLDER}{base}/"
    for each in bucket.listed(prefix, after="" if after is None else key_of(base, after)):
        try:
            yield date.fromisoformat(each.key.removeprefix(prefix).removesuffix(_SUFFIX))
        except ValueError as error:
            place = f"s3://{bucket.name}/{each.key}"
            raise LakeCorrupted(f"{place} is no day of rates; take it out of {prefix}") from error


def read_day(bucket: Bucket, base: str, day: date) -> DayOfRates:
    """Read a day of the processed bucket.

    Raises:
        LakeCorrupted: there is no such day.
        LakeUnavailable: the store did not answer or refused for the moment.
    """
    return DayOfRates.from_json(bucket.get(key_of(base, day)))


def _text(value: Any) -> str:
    """A value as the source wrote it; what a database cannot hold, such as NUL or half a character, is escaped.

    One that is cut is no number any more: a number's exponent may have been at its end.
    """
    text = ascii(value if isinstance(value, str) else json.dumps(value))[1:-1]
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."
