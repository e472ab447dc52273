"""A result as a picture, an SVG: at each size how long all of it took, and how what totes takes grows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.benchmark.suite.results import Measure, Of, Result, Series
from tests.benchmark.suite.subjects import BATCHES, SUBJECTS, Subject

_WIDTH, _MARGIN = 960, 24
_LABELS, _BARS = 400, 420
_ROW, _HEAD = 18, 34
_CHART_WIDTH, _CHART_HEIGHT = 380, 250
_MEGABYTE = 1_000_000

_TOTES, _OTHERS, _INK, _FAINT = "#0b6e4f", "#9aa5b1", "#1f2933", "#e4e7eb"
_LINES = ("#0b6e4f", "#c2410c", "#1d4ed8", "#7e22ce", "#a16207", "#0e7490", "#be123c", "#4d7c0f", "#475569")

_SUBJECTS: dict[Of, Sequence[Subject]] = {"orders": SUBJECTS, "batches": BATCHES}


@dataclass(frozen=True, kw_only=True)
class _Block:
    """A part of the picture, and how high it is."""

    shapes: Sequence[str]
    height: float


def picture(result: Result) -> str:
    """Return the picture."""
    blocks = [
        *(_bars(result, of, number) for of in _SUBJECTS for number in result.numbers(of)),
        *(_growth(result, of) for of in _SUBJECTS if len(result.numbers(of)) > 1),
    ]
    shapes: list[str] = []
    top = float(_MARGIN)
    for block in blocks:
        shapes += [f'<g transform="translate({_MARGIN} {top:.1f})">', *block.shapes, "</g>"]
        top += block.height + _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}" width="{_WIDTH}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(f'What was measured on {result.began}')}</title>",
            '<rect width="100%" height="100%" fill="white"/>',
            *shapes,
            "</svg>\n",
        ]
    )


def _bars(result: Result, of: Of, number: int) -> _Block:
    """A bar for each subject, as long as the logarithm of its time, and the range of its repeats on it."""
    found = [(subject, series) for subject in _SUBJECTS[of] if (series := result.find(subject.name, of, number))]
    times = [seconds for _, series in found for seconds in series.values("seconds")]
    place = _Logarithmic(times, _BARS)
    shapes = [_text(0, 14, f"{number:,} {'sales orders' if of == 'orders' else of}, seconds", bold=True)]
    for mark in place.marks():
        x, bottom = _LABELS + place(mark), _HEAD + _ROW * len(found)
        shapes += [_line(x, _HEAD - 6, x, bottom, _FAINT), _text(x, _HEAD - 10, f"{mark:g}", anchor="middle")]
    for row, (subject, series) in enumerate(found):
        shapes += _bar(subject, series, place, _HEAD + row * _ROW)
    return _Block(shapes=shapes, height=_HEAD + _ROW * len(found))


def _bar(subject: Subject, series: Series, place: "_Logarithmic", top: float) -> Iterator[str]:
    values = series.values("seconds")
    middle, colour = top + _ROW / 2, _TOTES if subject.is_totes else _OTHERS
    yield _text(_LABELS - 8, middle + 4, f"{subject.group}: {subject.says}", anchor="end")
    width = max(place(series.median("seconds")), 1)
    yield f'<rect x="{_LABELS}" y="{top + 3:.1f}" width="{width:.1f}" height="{_ROW - 6}" fill="{colour}"/>'
    yield _line(_LABELS + place(min(values)), middle, _LABELS + place(max(values)), middle, _INK)
    yield _text(_LABELS + place(max(values)) + 6, middle + 4, f"{series.median('seconds'):,.2f}")


def _growth(result: Result, of: Of) -> _Block:
    """Time and memory of totes by size, both axes logarithmic: a straight line at half a right angle is linear."""
    shapes = [_text(0, 14, f"Growth with {of}", bold=True)]
    shapes += _lines(result, of, "seconds", 0)
    shapes += _lines(result, of, "peak", _CHART_WIDTH + 80)
    names = [subject for subject in _SUBJECTS[of] if _is_drawn(result, of, subject)]
    for row, subject in enumerate(names):
        y = _HEAD + _CHART_HEIGHT + 40 + row * _ROW
        shapes += [_line(0, y - 4, 16, y - 4, _LINES[row % len(_LINES)], width=3), _text(24, y, subject.name)]
    return _Block(shapes=shapes, height=_HEAD + _CHART_HEIGHT + 40 + _ROW * len(names))


def _lines(result: Result, of: Of, measure: Measure, left: float) -> Iterator[str]:
    scale = _MEGABYTE if measure == "peak" else 1
    drawn = [subject for subject in _SUBJECTS[of] if _is_drawn(result, of, subject)]
    points = [
        [
            (number, series.median(measure) / scale)
            for number in result.numbers(of)
            if (series := result.find(subject.name, of, number))
        ]
        for subject in drawn
    ]
    across = _Logarithmic(result.numbers(of), _CHART_WIDTH)
    up = _Logarithmic([value for line in points for _, value in line], _CHART_HEIGHT)
    bottom, x0 = _HEAD + _CHART_HEIGHT, left + 40
    yield _text(x0, _HEAD - 6, "megabytes" if measure == "peak" else "seconds")
    for mark in up.marks():
        yield _line(x0, bottom - up(mark), x0 + _CHART_WIDTH, bottom - up(mark), _FAINT)
        yield _text(x0 - 6, bottom - up(mark) + 4, f"{mark:g}", anchor="end")
    for number in result.numbers(of):
        yield _text(x0 + across(number), bottom + 18, f"{number:,}", anchor="middle")
    for row, line in enumerate(points):
        places = [(x0 + across(number), bottom - up(value)) for number, value in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = _LINES[row % len(_LINES)]
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)


def _is_drawn(result: Result, of: Of, subject: Subject) -> bool:
    return subject.is_totes and any(result.find(subject.name, of, number) for number in result.numbers(of))


class _Logarithmic:
    """Where values lie on an axis from the power of ten below the least to the one above the greatest."""

    def __init__(self, values: Sequence[float], length: float) -> None:
        logarithms = [math.log10(max(value, 1e-3)) for value in values] or [0.0]
        self._first = math.floor(min(logarithms))
        self._last = max(math.ceil(max(logarithms)), self._first + 1)
        self._length = length

    def __call__(self, value: float) -> float:
        """The value's place."""
        return (math.log10(max(value, 1e-3)) - self._first) / (self._last - self._first) * self._length

    def marks(self) -> list[float]:
        """The powers of ten on the axis."""
        return [10.0**power for power in range(self._first, self._last + 1)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'
