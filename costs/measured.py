"""What was measured of totes, as an estimate by size reads it: `make bench` has written it.

Everything is taken to grow along a straight line, through the two largest sizes at which it was measured.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from totes.errors import UserError

DEFAULT = Path(__file__).parent / "measured.json"
"""A result of `make bench`, as it wrote it; a newer one takes its place under this name."""

_FORMAT = 1
_FEW, _MANY = 100, 10_000
"""Changes of the two ticks that are measured with changes."""

READ_BYTES_A_ROW = 80
"""What the nightly comparison reads of the source, over the network and without encryption, for each of its rows: 74 to
79 with shops of 2,000 to 150,000 orders, whose numbers are shorter than a large shop's. No result of `make bench` has
it; tests/integration/costs/test_nights.py counts it."""

# The dashboard, as docs/dashboard.md has it from `make bench-snapshot` and `make bench-page` with 100,000 and a million
# orders. No result of `make bench` has them.
SNAPSHOT_BYTES_AN_ORDER = 38
TICK_BYTES_A_MONTHS_ORDER = 60
"""A tick of a few events writes files of the snapshot again, those of the months that it touches: so much for each
order that a month has."""


@dataclass(frozen=True)
class Growth:
    """A straight line.

    Attributes:
        fixed: what there is without any.
        each: what each brings.
    """

    fixed: float
    each: float

    def at(self, number: float) -> float:
        """What so many come to."""
        return self.fixed + self.each * number

    @classmethod
    def through(cls, points: Mapping[int, float]) -> Self:
        """The line through the two largest of some sizes; it falls nowhere and begins at nothing or more.

        What grows faster than its size is taken to go on as at the largest.
        """
        *_, low, high = sorted(points)
        each = max(0.0, (points[high] - points[low]) / (high - low))
        fixed = points[high] - each * high
        return cls(fixed, each) if fixed >= 0 else cls(0.0, points[high] / high)


FIRST_NUMBER = Growth(0.24, 3.4e-6)
"""Seconds until the page shows its first number, by orders."""
PAGE_BYTES = Growth(5e6, 500)
"""Memory of the browser."""
PUBLICATION = Growth(0.6, 1.7e-5)
"""Seconds in which all of the snapshot is written."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured.

    Seconds are the processors', the function's and PostgreSQL's, one after the other: a clock would tell of what else
    ran on the machine.

    Attributes:
        began: when, in UTC.
        sizes: the orders of the shops that were measured.
        extract, transform, load: seconds for the first batch, by orders.
        idle: seconds of a tick that finds nothing: capture, transform and load.
        changed_seconds: what a tick takes beside that as soon as it finds anything.
        change_seconds: and for each change.
        verify: seconds of the comparison of the warehouse with the source.
        ingestion_bytes, processed_bytes, warehouse_bytes: what the first load stores, by orders.
        batch_bytes: what a batch of a few rows stores in the lake.
    """

    began: str
    sizes: Sequence[int]
    extract: Growth
    transform: Growth
    load: Growth
    idle: Growth
    changed_seconds: float
    change_seconds: float
    verify: Growth
    ingestion_bytes: Growth
    processed_bytes: Growth
    warehouse_bytes: Growth
    batch_bytes: float

    def tick_seconds(self, orders: float, changes: float) -> float:
        """What a tick takes that finds so many changes in a shop with so many orders."""
        found = self.changed_seconds + changes * self.change_seconds if changes else 0.0
        return self.idle.at(orders) + found

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a result of `make bench`.

        Raises:
            UserError: it is none, or lacks something.
        """
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{file} is no result of make bench: {error}") from error
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise UserError(f"{file} is no result of make bench of format {_FORMAT}, the one that this version reads")
        return cls._of(_Document(document, file))

    @classmethod
    def _of(cls, document: "_Document") -> Self:
        sizes = document.sizes()
        largest = sizes[-1]
        idle, few, many = (
            document.seconds(f"tick, {what}") for what in ("no change", f"{_FEW} changes", f"{_MANY:,} changes")
        )
        change = max(0.0, many.at(largest) - few.at(largest)) / (_MANY - _FEW)
        return cls(
            began=document.began,
            sizes=sizes,
            extract=document.seconds("extract"),
            transform=document.seconds("transform"),
            load=document.seconds("load"),
            idle=idle,
            changed_seconds=max(0.0, few.at(largest) - idle.at(largest) - _FEW * change),
            change_seconds=change,
            verify=document.seconds("verify"),
            ingestion_bytes=document.stored("ingestion"),
            processed_bytes=document.stored("processed"),
            warehouse_bytes=document.stored("warehouse"),
            batch_bytes=document.stored_by_a_batch(),
        )


class _Document:
    """A result of `make bench`; what it lacks is an error that says how it comes in."""

    def __init__(self, document: Mapping[str, Any], file: Path) -> None:
        self._document = document
        self._file = file
        self.began = str(document["began"])

    def sizes(self) -> Sequence[int]:
        return sorted(self._found("extract"))

    def seconds(self, subject: str) -> Growth:
        found = self._found(subject)
        return Growth.through({size: statistics.median(map(_seconds, samples)) for size, samples in found.items()})

    def stored(self, place: str) -> Growth:
        points = {size: float(self._stored(f"{size} orders")[place]) for size in self.sizes()}
        return Growth.through(points)

    def stored_by_a_batch(self) -> float:
        numbers = {each["number"] for each in self._document["series"] if each["of"] == "batches"}
        if not numbers:
            raise self._lacks("any old lake")
        number = max(numbers)
        stored = self._stored(f"{number} batches")
        return float((stored["ingestion"] + stored["processed"]) / number)

    def _found(self, subject: str) -> Mapping[int, Sequence[Mapping[str, float]]]:
        found = {
            each["number"]: each["samples"]
            for each in self._document["series"]
            if (each["subject"], each["of"]) == (subject, "orders") and each["samples"]
        }
        if len(found) < 2:  # noqa: PLR2004 - a line has two points
            raise self._lacks(f'"{subject}" at two sizes')
        return found

    def _stored(self, size: str) -> Mapping[str, int]:
        stored = self._document.get("stored", {}).get(size)
        if stored is None:
            raise self._lacks(f"what {size} take in the lake and the warehouse")
        return dict(stored)

    def _lacks(self, what: str) -> UserError:
        return UserError(
            f"{self._file} does not have {what}; measure it with "
            "make bench ORDERS=100000,1000000 BATCHES=100 ONLY=load,ticks,verify,batches"
        )


def _seconds(sample: Mapping[str, float]) -> float:
    return sample["cpu"] + sample["server_cpu"]
