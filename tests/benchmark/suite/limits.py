"""How fast totes means to be, as ratios within one run: what each is, and whether it is reached."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmark.suite.results import Result

_MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit of a subject.

    Attributes:
        subject: the subject's name.
        against: the one whose median time its own is divided by; "": its memory in megabytes is meant.
        most: the limit.
        orders: the size of the shop from which on it is set; what a smaller one takes is mostly the same for any.
    """

    subject: str
    against: str = ""
    most: float
    orders: int


@dataclass(frozen=True, kw_only=True)
class LimitResult:
    """A limit, and what was measured at one size.

    Attributes:
        limit: the limit.
        orders: the size.
        value: the ratio by the clock, or the megabytes.
        by_processor: the ratio of the processor's time, PostgreSQL's too, which a busy machine changes less; None: it
            is megabytes that are limited.
    """

    limit: Limit
    orders: int
    value: float
    by_processor: float | None = None

    @property
    def reached(self) -> bool:
        """Whether it is kept."""
        return self.value <= self.limit.most

    @property
    def counts(self) -> bool:
        """Whether the limit is set for this size."""
        return self.orders >= self.limit.orders


LIMITS = (
    Limit(subject="extract", against="copy out, csv", most=1.2, orders=5_000_000),
    Limit(subject="extract", most=350, orders=5_000_000),
    Limit(subject="transform", against="extract", most=0.5, orders=1_000_000),
    Limit(subject="load", against="copy in, binary", most=2.0, orders=1_000_000),
    Limit(subject="initial load", against="reload", most=1.8, orders=1_000_000),
    Limit(subject="tick, 10,000 changes", against="reload", most=0.25, orders=1_000_000),
    Limit(subject="tick, 100 changes", against="reload", most=0.12, orders=1_000_000),
    Limit(subject="tick, no change", against="reload", most=0.05, orders=1_000_000),
)


def verdicts(result: Result) -> Iterator[LimitResult]:
    """Judge each limit at each size at which it was measured."""
    for limit in LIMITS:
        for orders in result.numbers("orders"):
            verdict = _of_ratio(result, limit, orders) if limit.against else _of_memory(result, limit, orders)
            if verdict is not None:
                yield verdict


def _of_ratio(result: Result, limit: Limit, orders: int) -> LimitResult | None:
    value = result.ratio(limit.subject, limit.against, "orders", orders)
    if value is None:
        return None
    by_processor = result.ratio(limit.subject, limit.against, "orders", orders, "all_cpu")
    return LimitResult(limit=limit, orders=orders, value=value, by_processor=by_processor)


def _of_memory(result: Result, limit: Limit, orders: int) -> LimitResult | None:
    found = result.find(limit.subject, "orders", orders)
    return LimitResult(limit=limit, orders=orders, value=found.median("peak") / _MEGABYTE) if found else None
