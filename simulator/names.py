"""Names of people, companies, places and designs, put together from vocabulary."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from simulator import vocabulary

_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", dtype=np.uint8)
_CODE_LENGTH = 7
_POSTAL_CODES = 100_000
_LEADING_ZERO = 10_000
"""Postal codes below this number begin with a zero."""

Word = TypeVar("Word")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where somebody is to be found; the fields are the columns of table address."""

    address_line_1: str
    address_line_2: str | None
    district: str | None
    city: str
    postal_code: str
    country: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member of staff; the fields are columns of table staff."""

    first_name: str
    last_name: str

    @property
    def email_address(self) -> str:
        """An address of the shop's own domain."""
        return f"{_plain(self.first_name)}.{_plain(self.last_name)}@totes.example"


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is printed on a tote; the fields are columns of table design."""

    design_name: str
    file_location: str
    file_name: str


class Names:
    """A source of names that a generator draws."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def person(self, *, apostrophe: bool | None = None) -> Person:
        """A person, whose last name has an apostrophe as asked, or now and then."""
        if apostrophe is None:
            apostrophe = self._happens(0.1)
        last = vocabulary.LAST_NAMES_WITH_APOSTROPHE if apostrophe else vocabulary.LAST_NAMES
        return Person(first_name=self._one_of(vocabulary.FIRST_NAMES), last_name=self._one_of(last))

    def contact(self) -> str:
        """A person's whole name."""
        person = self.person()
        return f"{person.first_name} {person.last_name}"

    def company(self) -> str:
        """A company's legal name."""
        one, two, three = (self.person().last_name for _ in range(3))
        return self._one_of(
            (f"{one} and Sons", f"{one}, {two} and {three}", f"{one} - {two}", f"{one} Group", f"{one} & {two} Ltd.")
        )

    def address(self, *, second_line: bool | None = None, leading_zero: bool | None = None) -> Address:
        """An address, with a second line (one in three has one) or a postal code from 0 (one in ten) as asked."""
        if second_line is None:
            second_line = self._happens(1 / 3)
        if leading_zero is None:
            leading_zero = self._happens(_LEADING_ZERO / _POSTAL_CODES)
        building = f"{self._one_of(vocabulary.PLACES)} {self._one_of(vocabulary.BUILDINGS)}"
        street = f"{self._one_of(vocabulary.STREETS)} {self._one_of(vocabulary.STREET_KINDS)}"
        return Address(
            address_line_1=f"{self._number(1, 1000)} {street}",
            address_line_2=building if second_line else None,
            district=self._one_of(vocabulary.DISTRICTS) if self._happens(0.5) else None,
            city=self._one_of(vocabulary.PLACES) + self._one_of(vocabulary.PLACE_KINDS),
            postal_code=self._postal_code(leading_zero=leading_zero),
            country=self._one_of(vocabulary.COUNTRIES),
            phone=f"{self._number(0, 10_000):04} {self._number(0, 1_000_000):06}",
        )

    def office(self) -> str:
        """A city that the shop has departments in."""
        return self._one_of(vocabulary.OFFICES)

    def department(self, *, other_than: str) -> str:
        """A department's name, of another department than that one."""
        return self._one_of([name for name in vocabulary.DEPARTMENTS if name != other_than])

    def design(self, year: int) -> Design:
        """A design that comes in that year; its file is from the year before."""
        name = self._one_of(vocabulary.DESIGNS)
        filed = f"{year - 1}{self._number(1, 13):02}{self._number(1, 29):02}"
        return Design(
            design_name=name,
            file_location=self._one_of(vocabulary.FOLDERS),
            file_name=f"{name.lower()}-{filed}-{self.item_code()[:4].lower()}.json",
        )

    def folder(self, *, other_than: str) -> str:
        """A folder that designs lie in, and not that one."""
        return self._one_of([folder for folder in vocabulary.FOLDERS if folder != other_than])

    def item_code(self) -> str:
        """The code of something that is bought."""
        return self.item_codes(1)[0]

    def item_codes(self, count: int) -> list[str]:
        """As many codes."""
        letters = _LETTERS[self._generator.integers(len(_LETTERS), size=count * _CODE_LENGTH)].tobytes().decode("ascii")
        return [letters[start : start + _CODE_LENGTH] for start in range(0, len(letters), _CODE_LENGTH)]

    def _postal_code(self, *, leading_zero: bool) -> str:
        low, high = (0, _LEADING_ZERO) if leading_zero else (_LEADING_ZERO, _POSTAL_CODES)
        extension = f"-{self._number(0, 10_000):04}" if self._happens(0.5) else ""
        return f"{self._number(low, high):05}{extension}"

    def _one_of(self, choice: Sequence[Word]) -> Word:
        return choice[int(self._generator.integers(len(choice)))]

    def _number(self, low: int, high: int) -> int:
        return int(self._generator.integers(low, high))

    def _happens(self, probability: float) -> bool:
        return bool(self._generator.random() < probability)


def _plain(name: str) -> str:
    """A name in small ASCII letters."""
    letters = unicodedata.normalize("NFKD", name).lower()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
