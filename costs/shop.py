"""A shop by its sales orders a year: what that comes to in rows, in changes and in ticks that bring any.

The shares are those of the shop that the simulator builds and `make bench` measures.
"""

import math
from dataclasses import dataclass

YEARS = 3
PURCHASES_AN_ORDER = 0.42
EDITS_AN_ORDER = 0.1
WORKING_DAYS_A_YEAR = 260
OPEN_HOURS_A_DAY = 11
PEAK = 3

_OF_BOTH_KINDS = 1 + PURCHASES_AN_ORDER
ROWS_AN_ORDER = 3 * _OF_BOTH_KINDS
"""An order of either kind, its transaction and its payment."""

EDITED_AN_ORDER = _OF_BOTH_KINDS + EDITS_AN_ORDER
"""Rows that are written again: each payment once, when it is paid, and a few that people put right."""

VERSIONS_AN_ORDER = ROWS_AN_ORDER + EDITED_AN_ORDER
PAYMENTS_VERSIONS_AN_ORDER = 2 * _OF_BOTH_KINDS
"""Of the largest fact."""

ASSUMED = (
    (
        f"an order is a sales order; {PURCHASES_AN_ORDER} purchase orders come with it, and with each of both a "
        f"transaction and a payment: {ROWS_AN_ORDER:.2f} rows"
    ),
    f"each payment is paid later, all of a day's in one tick in the morning; {EDITS_AN_ORDER} rows an order are edited",
    f"the shop has sold so much for {YEARS} years, and its database, lake and warehouse hold all of it",
    (
        f"it sells on {WORKING_DAYS_A_YEAR} days a year for {OPEN_HOURS_A_DAY} hours, and the busiest tick "
        f"brings {PEAK} times as much as a usual one"
    ),
)
"""What is assumed of a shop, a sentence each."""


@dataclass(frozen=True)
class Shop:
    """A shop that sells so many orders a year.

    Attributes:
        orders_a_year: its sales orders.
        tick_minutes: how often a run looks at it.
    """

    orders_a_year: int
    tick_minutes: float

    @property
    def orders(self) -> int:
        """Sales orders that it has."""
        return self.orders_a_year * YEARS

    @property
    def rows(self) -> float:
        """Rows of the source that come of orders."""
        return self.orders * ROWS_AN_ORDER

    @property
    def changes_a_year(self) -> float:
        """Rows that are new or written again."""
        return self.orders_a_year * VERSIONS_AN_ORDER

    @property
    def ticks_a_year(self) -> float:
        """Ticks, those in which the shop is shut among them."""
        return 365 * 24 * 60 / self.tick_minutes

    @property
    def changed_ticks_a_year(self) -> float:
        """Ticks that bring something: in a small shop not each of the opening hours does."""
        open_ticks = WORKING_DAYS_A_YEAR * OPEN_HOURS_A_DAY * 60 / self.tick_minutes
        orders_a_tick = self.orders_a_year * _OF_BOTH_KINDS / open_ticks
        return open_ticks * -math.expm1(-orders_a_tick)

    @property
    def usual_changes(self) -> float:
        """Changes in a tick while it is open."""
        sold = self.orders_a_year * (ROWS_AN_ORDER + EDITS_AN_ORDER)
        return sold / (WORKING_DAYS_A_YEAR * OPEN_HOURS_A_DAY * 60 / self.tick_minutes)

    @property
    def busiest_changes(self) -> float:
        """Changes in the tick that brings most: a peak of orders, or the morning on which a day's payments are paid."""
        return max(PEAK * self.usual_changes, self.orders_a_year * _OF_BOTH_KINDS / WORKING_DAYS_A_YEAR)
