"""What was measured, as a document that outlives the run."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Of = Literal["orders", "batches"]
"""What a size counts: a shop's sales orders, or a lake's batches."""

Measure = Literal["seconds", "cpu", "server_cpu", "all_cpu", "peak"]

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one repeat took.

    Attributes:
        seconds: by the clock.
        cpu: seconds of the processor, of the process and what it started.
        server_cpu: seconds of the processor, of PostgreSQL, its background work among it.
        peak: bytes in memory at most, without PostgreSQL's; 0: of a program that had ended before anybody looked.
    """

    seconds: float
    cpu: float
    server_cpu: float
    peak: int

    @property
    def all_cpu(self) -> float:
        """Seconds of the processor, of all."""
        return self.cpu + self.server_cpu


@dataclass(kw_only=True)
class Series:
    """What a subject took at one size, repeat by repeat.

    Attributes:
        subject: its name.
        of, number: the size.
        samples: a repeat each.
        missing: why it was not measured; "": it was.
    """

    subject: str
    of: Of
    number: int
    samples: list[Sample] = field(default_factory=list)
    missing: str = ""

    def values(self, measure: Measure) -> list[float]:
        """Return what each repeat took of something."""
        return [float(getattr(sample, measure)) for sample in self.samples]

    def median(self, measure: Measure) -> float:
        """Return the median of the repeats."""
        return statistics.median(self.values(measure))


@dataclass(kw_only=True)
class Result:
    """What a run of the suite came to.

    Attributes:
        began: when, in UTC.
        machine: on what, and how busy it was.
        repeats: how many were asked for.
        sizes: what each size came to, in words for people.
        stored: bytes of each bucket of the lake and of the warehouse after the first load, by the same sizes; `totes
            costs` reckons with them.
        series: what was measured.
    """

    began: str
    machine: dict[str, str]
    repeats: int
    sizes: dict[str, str] = field(default_factory=dict)
    stored: dict[str, dict[str, int]] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)

    def find(self, subject: str, of: Of, number: int) -> Series | None:
        """Return what a subject took at a size; None: it was not measured."""
        found = [s for s in self.series if (s.subject, s.of, s.number) == (subject, of, number) and s.samples]
        return found[0] if found else None

    def ratio(self, subject: str, against: str, of: Of, number: int, measure: Measure = "seconds") -> float | None:
        """Return the ratio of the medians of two subjects; None: one of them was not measured."""
        one, other = self.find(subject, of, number), self.find(against, of, number)
        if one is None or other is None:
            return None
        return one.median(measure) / max(other.median(measure), 1e-9)

    def numbers(self, of: Of) -> Sequence[int]:
        """Return the sizes, ascending."""
        return sorted({series.number for series in self.series if series.of == of})

    def add(self, subject: str, of: Of, number: int, sample: Sample | None, missing: str = "") -> None:
        """Take what a repeat took, or why it was not measured."""
        series = next((s for s in self.series if (s.subject, s.of, s.number) == (subject, of, number)), None)
        if series is None:
            series = Series(subject=subject, of=of, number=number)
            self.series.append(series)
        if sample is not None:
            series.samples.append(sample)
        series.missing = missing

    def to_json(self) -> str:
        """Return the document."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the document; raise ValueError where it is of another format."""
        document: dict[str, Any] = json.loads(text)
        if (found := document.pop("format", None)) != FORMAT:
            raise ValueError(f"a result of format {found} is none of this suite's, which is {FORMAT}")
        series = [
            Series(**{**each, "samples": [Sample(**sample) for sample in each["samples"]]})
            for each in document.pop("series")
        ]
        return cls(**document, series=series)
