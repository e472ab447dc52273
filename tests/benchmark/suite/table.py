"""A result as tables for a terminal."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tests.benchmark.suite.limits import LimitResult, verdicts
from tests.benchmark.suite.results import Measure, Of, Result, Series
from tests.benchmark.suite.subjects import BATCHES, SUBJECTS, Subject

_MEGABYTE = 1_000_000

_NUMBERS = ("seconds", "processor", "PostgreSQL's", "memory, MB")

_SUBJECTS: dict[Of, Sequence[Subject]] = {"orders": SUBJECTS, "batches": BATCHES}


def tables(result: Result) -> RenderableType:
    """Return all that a result has to say."""
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    parts: list[RenderableType] = [Text(f"began {result.began}, {result.repeats} repeats; {machine}")]
    for of in _SUBJECTS:
        parts += [_figures(result, of, number) for number in result.numbers(of)]
        if len(result.numbers(of)) > 1:
            parts.append(_growth(result, of))
    if judged := list(verdicts(result)):
        parts.append(_verdicts(judged))
    return Group(*parts)


def spread(series: Series, measure: Measure) -> str:
    """The median, and from what to what."""
    scale, form = (_MEGABYTE, "{:,.0f}") if measure == "peak" else (1, "{:,.2f}")
    values = [value / scale for value in series.values(measure)]
    said = form.format(series.median(measure) / scale)
    return said if len(values) == 1 else f"{said} ({form.format(min(values))}-{form.format(max(values))})"


def _figures(result: Result, of: Of, number: int) -> Table:
    said = result.sizes.get(f"{number} {of}", "")
    title = f"{number:,} {'sales orders' if of == 'orders' else of}: {said}"
    table = _table(title, "", "", *_NUMBERS, "ratio")
    group = ""
    for series, subject in _in_order(result, of, number):
        table.add_row(
            subject.group if subject.group != group else "",
            subject.says,
            *_cells(series),
            *(_ratios(result, subject, of, number) if series.samples else ()),
        )
        group = subject.group
    return table


def _cells(series: Series) -> Sequence[str]:
    if not series.samples:
        return [f"not measured: {series.missing}"]
    return [spread(series, measure) for measure in ("seconds", "cpu", "server_cpu", "peak")]


def _ratios(result: Result, subject: Subject, of: Of, number: int) -> Iterator[str]:
    for name in subject.against:
        ratio = result.ratio(subject.name, name, of, number)
        if ratio is not None:
            yield f"{ratio:.2f} of {name}"


def _growth(result: Result, of: Of) -> Table:
    """What totes takes at each size, and how many times what it takes at the size before."""
    numbers = result.numbers(of)
    table = _table(f"growth with {of}", "", *(f"{number:,}" for number in numbers))
    table.add_row("[dim]size", "", *(f"[dim]x{b / a:.1f}" for a, b in pairwise(numbers)))
    for subject in _SUBJECTS[of]:
        found = [result.find(subject.name, of, number) for number in numbers]
        if not subject.is_totes or not any(found):
            continue
        for measure, unit, scale in (("seconds", "s", 1), ("peak", "MB", _MEGABYTE)):
            values = [series.median(measure) / scale if series else None for series in found]  # type: ignore[arg-type]
            table.add_row(f"{subject.name}, {unit}", *_grown(values))
    return table


def _grown(values: Sequence[float | None]) -> Iterator[str]:
    before = None
    for value in values:
        if value is None:
            yield ""
        else:
            yield f"{value:,.2f}" if before is None else f"{value:,.2f} (x{value / max(before, 1e-9):.1f})"
        before = value


def _verdicts(judged: Sequence[LimitResult]) -> Table:
    table = _table("limits", "", "sales orders", "measured", "by processor", "limit", "", "set from")
    for each in judged:
        limit = each.limit
        unit, form = (f" of {limit.against}", "{:.2f}") if limit.against else (" MB", "{:,.0f}")
        word = "[green]reached[/]" if each.reached else "[red]not reached[/]"
        table.add_row(
            limit.subject,
            f"{each.orders:,}",
            form.format(each.value) + unit,
            "" if each.by_processor is None else f"{each.by_processor:.2f}",
            form.format(limit.most),
            word if each.counts else f"[dim]({word})",
            f"{limit.orders:,}",
        )
    return table


def _in_order(result: Result, of: Of, number: int) -> Iterator[tuple[Series, Subject]]:
    for subject in _SUBJECTS[of]:
        for series in result.series:
            if (series.subject, series.of, series.number) == (subject.name, of, number):
                yield series, subject


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 1 or not column else "right", no_wrap=column in _NUMBERS)
    return table
