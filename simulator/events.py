"""What may happen in a shop, and how often it does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator import orders, reference_events, silent_edits
from simulator.event_context import EventContext


@dataclass(frozen=True)
class Event:
    """A transaction that may happen.

    Attributes:
        kind: what it is called where events are counted.
        weight: how often it happens, against the others.
        act: writes it.
        commits: whether the transaction commits.
    """

    kind: str
    weight: int
    act: Callable[[EventContext], None]
    commits: bool = True


NEW_SALES_ORDER = Event("new sales orders", 340, orders.new_sales_order)

EVENTS = (
    NEW_SALES_ORDER,
    Event("new purchase orders", 141, orders.new_purchase_order),
    Event("payments made", 200, orders.payment_made),
    Event("deliveries rescheduled", 50, orders.delivery_rescheduled),
    Event("quantities amended", 30, orders.quantity_amended),
    Event("orders edited without a stamp", 100, silent_edits.order_edited),
    Event("designs moved without a stamp", 20, silent_edits.design_moved),
    Event("rows written as they were", 15, silent_edits.touched),
    Event("new designs", 30, reference_events.new_design),
    Event("new staff", 4, reference_events.new_staff),
    Event("departments renamed", 3, reference_events.department_renamed),
    Event("addresses changed", 6, reference_events.address_changed),
    Event("counterparties renamed", 4, reference_events.counterparty_renamed),
    Event("orders deleted", 8, orders.order_deleted),
    Event("orders with savepoints", 24, orders.order_second_thought),
    Event("orders rolled back", 25, orders.new_sales_order, commits=False),
)

_SHARES = np.array([event.weight for event in EVENTS]) / sum(event.weight for event in EVENTS)


def any_event(generator: np.random.Generator) -> Event:
    """Draw an event by weight."""
    return EVENTS[int(generator.choice(len(EVENTS), p=_SHARES))]
