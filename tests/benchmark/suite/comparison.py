"""Two results, subject by subject: what is slower, and what is only noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table

from tests.benchmark.suite.limits import verdicts
from tests.benchmark.suite.results import Measure, Result, Series

_A_LITTLE = 0.05

Word = Literal["less", "more", "same"]

_WORDS = {"less": "[green]less[/]", "more": "[red]more[/]", "same": "[dim]same[/]"}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a subject took of something, in two results.

    Attributes:
        before, after: the series.
        measure: of what.
    """

    before: Series
    after: Series
    measure: Measure

    @property
    def factor(self) -> float:
        """How many times as much the second takes, by the medians."""
        return self.after.median(self.measure) / max(self.before.median(self.measure), 1e-9)

    @property
    def word(self) -> Word:
        """Whether that is worth a word: it is more than a little, and each repeat of one is above each of the other."""
        if abs(self.factor - 1) < _A_LITTLE:
            return "same"
        before, after = self.before.values(self.measure), self.after.values(self.measure)
        if max(after) < min(before):
            return "less"
        return "more" if min(after) > max(before) else "same"


def differences(before: Result, after: Result, measure: Measure) -> Iterator[Difference]:
    """Compare what both results have."""
    for series in before.series:
        other = after.find(series.subject, series.of, series.number)
        if series.samples and other is not None:
            yield Difference(before=series, after=other, measure=measure)


def comparison(before: Result, after: Result) -> Table:
    """Return a table of all that both results have."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{before.began} and {after.began}", title_justify="left")
    table.add_column("")
    table.add_column("size", justify="right")
    for column in ("seconds", "processor", "PostgreSQL's", "memory"):
        table.add_column(column, justify="right", no_wrap=True)
    measures: tuple[Measure, ...] = ("seconds", "cpu", "server_cpu", "peak")
    for row in zip(*(differences(before, after, measure) for measure in measures), strict=True):
        series = row[0].before
        table.add_row(series.subject, f"{series.number:,} {series.of}", *(_cell(each) for each in row))
    return table


def limits(before: Result, after: Result) -> Table:
    """Return a table of the limits that both results judge; a ratio is of one run, and so of one machine."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="limits", title_justify="left")
    for column in ("", "sales orders", "limit", "before", "after"):
        table.add_column(column, justify="left" if not column else "right")
    earlier = {(each.limit, each.orders): each for each in verdicts(before)}
    for each in verdicts(after):
        if (old := earlier.get((each.limit, each.orders))) is not None:
            unit = f"of {each.limit.against}" if each.limit.against else "MB"
            numbers = (f"{value:,.2f}" for value in (each.limit.most, old.value, each.value))
            table.add_row(f"{each.limit.subject}, {unit}", f"{each.orders:,}", *numbers)
    return table


def _cell(each: Difference) -> str:
    scale, form = (1_000_000, "{:,.0f}") if each.measure == "peak" else (1, "{:,.2f}")
    before, after = (form.format(series.median(each.measure) / scale) for series in (each.before, each.after))
    return f"{before} > {after} x{each.factor:.2f} {_WORDS[each.word]}"
