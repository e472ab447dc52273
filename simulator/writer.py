"""Writes events through one connection."""

from collections.abc import Callable

import numpy as np
from psycopg2.extensions import connection as Connection

from simulator.event_context import Clock, EventContext, NothingToDo
from simulator.events import NEW_SALES_ORDER, Event, any_event
from totes.errors import UserError


def write_event(
    connection: Connection,
    generator: np.random.Generator,
    clock: Clock,
    before_the_end: Callable[[], None] | None = None,
) -> str:
    """Let one event happen, as one transaction.

    An event that finds no row to happen to is replaced by a new sales order.

    Args:
        connection: with no transaction open.
        generator: decides which event, and what it writes.
        clock: the application's.
        before_the_end: called when all is written and nothing committed yet.

    Returns:
        The event's kind.

    Raises:
        psycopg2.Error: the database did not take it; nothing is written.
        UserError: not even a sales order was possible.
    """
    event = any_event(generator)
    try:
        _happen(event, connection, generator, clock, before_the_end)
    except NothingToDo:
        event = NEW_SALES_ORDER
        _sell(connection, generator, clock, before_the_end)
    return event.kind


def _sell(
    connection: Connection, generator: np.random.Generator, clock: Clock, before_the_end: Callable[[], None] | None
) -> None:
    try:
        _happen(NEW_SALES_ORDER, connection, generator, clock, before_the_end)
    except NothingToDo as error:
        raise UserError(
            "the shop has nothing to sell: address, counterparty, currency, design and staff need a row each"
        ) from error


def _happen(
    event: Event,
    connection: Connection,
    generator: np.random.Generator,
    clock: Clock,
    before_the_end: Callable[[], None] | None,
) -> None:
    try:
        with connection.cursor() as cursor:
            event.act(EventContext(cursor, generator, clock))
        if before_the_end:
            before_the_end()
        if event.commits:
            connection.commit()
    finally:
        # After a commit there is nothing left to roll back.
        if not connection.closed:
            connection.rollback()
