"""Which step breaks first as a shop grows, at how many orders a year, and what to do then."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from costs.by_size import (
    CAPTURE,
    FIRST_NUMBER_SECONDS,
    GIB,
    MEMORY_SHARE,
    PUBLISH,
    STORAGE_SHARE,
    VERIFY,
    Stored,
    TemplateSet,
)
from costs.measured import FIRST_NUMBER, PAGE_BYTES, PUBLICATION, Measured
from costs.prices import DATABASE_GIB
from costs.shop import PAYMENTS_VERSIONS_AN_ORDER, Shop

MOST = 10**12
"""Orders a year; what holds that long does not break."""

PAGE_GIB = 2
REBUILT_VERSIONS = 50_000_000
"""Versions of one fact that a rebuild, by which a warehouse is filled first too, can make (docs/guarantees.md)."""

_SWITCH_OFF = "switch it off (dashboard=False), and answer from the warehouse: schema report has the same figures"


@dataclass(frozen=True, kw_only=True)
class Break:
    """Where a step breaks.

    Attributes:
        step: the step.
        limit: what it runs into.
        orders_a_year: the most sales orders a year with which it holds; None: it does not break.
        remedy: what to do.
    """

    step: str
    limit: str
    orders_a_year: int | None
    remedy: str

    def holds(self, orders_a_year: int) -> bool:
        """Whether it holds with so many."""
        return self.orders_a_year is None or orders_a_year <= self.orders_a_year


@dataclass(frozen=True)
class _Limit:
    step: str
    says: str
    most: float
    takes: Callable[[Shop], float]
    remedy: str


def breaks(templates: TemplateSet, measured: Measured) -> Sequence[Break]:
    """Where each step breaks, the first first.

    Raises:
        UserError: see `TemplateSet.function`.
    """
    limits = (
        *_of_ticks(templates, measured),
        *_of_nights(templates, measured),
        *_of_warehouse(templates, measured),
        *_of_dashboard(templates),
    )
    found = [
        Break(step=each.step, limit=each.says, orders_a_year=_largest(each, templates), remedy=each.remedy)
        for each in limits
    ]
    return sorted(found, key=lambda each: MOST if each.orders_a_year is None else each.orders_a_year)


def _of_ticks(templates: TemplateSet, measured: Measured) -> Iterator[_Limit]:
    capture = templates.function(CAPTURE)
    schedule = f"{templates.tick_minutes:.0f} minutes between ticks"
    yield _Limit(
        "tick without changes",
        schedule,
        templates.tick_minutes * 60,
        lambda shop: measured.tick_seconds(shop.orders, 0) * capture.slower,
        "raise tick_minutes, or memory_mb of all three",
    )
    yield _Limit(
        "busiest tick",
        schedule,
        templates.tick_minutes * 60,
        lambda shop: measured.tick_seconds(shop.orders, shop.busiest_changes) * capture.slower,
        "nothing is lost: runs step back for each other and catch up; raise tick_minutes, or memory_mb of all three",
    )


def _of_nights(templates: TemplateSet, measured: Measured) -> Iterator[_Limit]:
    verify = templates.function(VERIFY)
    yield _Limit(
        "nightly comparison",
        f"{verify.seconds / 60:.0f} minutes of a function",
        verify.seconds,
        lambda shop: measured.verify.at(shop.orders) * verify.slower,
        "give it a whole processor (memory_mb=1769 for verify); beyond that no night sees all of it, and totes says so",
    )
    yield _Limit(
        "first load and rebuild: the largest fact",
        f"{REBUILT_VERSIONS / 1e6:.0f} million versions of one fact",
        REBUILT_VERSIONS,
        lambda shop: PAYMENTS_VERSIONS_AN_ORDER * shop.orders,
        "no function builds its keys in time then: ask the star in Athena (docs/athena.md)",
    )


def _of_warehouse(templates: TemplateSet, measured: Measured) -> Iterator[_Limit]:
    for database in templates.databases:
        given = str(database.properties.get("DBInstanceClass"))
        storage = float(database.number("MaxAllocatedStorage", default=int(database.number("AllocatedStorage"))))
        yield _Limit(
            "warehouse: storage",
            f"{storage:,.0f} GiB that it may grow to",
            storage,
            lambda shop: Stored.of(shop, measured).warehouse / GIB * STORAGE_SHARE,
            "raise most_storage_gib in stacks/config.py; RDS ends at 65,536",
        )
        if given in DATABASE_GIB:
            yield _Limit(
                "warehouse: instance",
                f"a {MEMORY_SHARE}th of it in the {DATABASE_GIB[given]} GiB of {given}",
                DATABASE_GIB[given],
                lambda shop: Stored.of(shop, measured).warehouse / GIB / MEMORY_SHARE,
                f"a larger instance_type, up to {[*DATABASE_GIB][-1]}: the table of costs has taken it already",
            )


def _of_dashboard(templates: TemplateSet) -> Iterator[_Limit]:
    if not templates.has_dashboard:
        return
    publish = templates.function(PUBLISH)
    yield _Limit(
        "dashboard: its first number",
        f"{FIRST_NUMBER_SECONDS} seconds of waiting",
        FIRST_NUMBER_SECONDS,
        lambda shop: FIRST_NUMBER.at(shop.orders),
        _SWITCH_OFF,
    )
    yield _Limit(
        "dashboard: the browser",
        f"{PAGE_GIB} GiB of its memory",
        PAGE_GIB * GIB,
        lambda shop: PAGE_BYTES.at(shop.orders),
        _SWITCH_OFF,
    )
    yield _Limit(
        "dashboard: all of it published",
        f"{publish.seconds / 60:.0f} minutes of a function",
        publish.seconds,
        lambda shop: PUBLICATION.at(shop.orders) * publish.slower,
        _SWITCH_OFF,
    )


def _largest(limit: _Limit, templates: TemplateSet) -> int | None:
    """The most orders a year that keep within a limit, which more orders come nearer to; None: all that may be."""

    def keeps(orders_a_year: int) -> bool:
        return limit.takes(templates.shop(orders_a_year)) <= limit.most

    if keeps(MOST):
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low
