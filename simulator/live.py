"""A writer that adds events to a shop, and goes on whatever happens to the database."""

import logging
import threading
import time
from contextlib import closing

import numpy as np
import psycopg2

from simulator.connections import Unreachable, connect
from simulator.event_context import Clock
from simulator.event_counts import EventCounter
from simulator.writer import write_event
from totes.sqlstate import first_line

logger = logging.getLogger(__name__)

_LONGEST_OPEN = 2.0
"""Seconds that a transaction stays open."""
_SHARE_OF_TIME_OPEN = 0.25
_LEFT_OPEN_AT_MOST = 0.1
"""How many transactions are left open, and how much of a writer's time that may take: the rate comes first."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
"""Seconds before the next try."""


class LiveWriter:
    """Writes events through a connection of its own.

    Args:
        uri: of the database.
        generator: this writer's alone.
        clock: the application's.
        seconds_between: events, on average.
        counter: counts them.
    """

    def __init__(
        self, *, uri: str, generator: np.random.Generator, clock: Clock, seconds_between: float, counter: EventCounter
    ) -> None:
        self._uri = uri
        self._generator = generator
        self._clock = clock
        self._seconds_between = seconds_between
        self._counter = counter
        self._pause = _FIRST_PAUSE
        self._left_open = min(_LEFT_OPEN_AT_MOST, _SHARE_OF_TIME_OPEN * seconds_between / (_LONGEST_OPEN / 2))

    def run(self, halt: threading.Event) -> None:
        """Write until told to halt.

        Raises:
            psycopg2.Error: trying again would not help; a table is missing, say.
            UserError: the shop has nothing to sell.
        """
        while not halt.is_set():
            try:
                self._write_until(halt)
            except (psycopg2.OperationalError, psycopg2.InterfaceError, Unreachable) as error:
                self._counter.count_retry()
                logger.warning("a writer tries again in %.1f s: %s", self._pause, first_line(error))
                halt.wait(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _write_until(self, halt: threading.Event) -> None:
        with closing(connect(self._uri)) as connection:
            due = time.monotonic()
            while True:
                due += self._generator.exponential(self._seconds_between)
                if halt.wait(max(0.0, due - time.monotonic())):
                    return
                kind = write_event(connection, self._generator, self._clock, lambda: self._leave_open(halt))
                self._counter.count(kind)
                self._pause = _FIRST_PAUSE

    def _leave_open(self, halt: threading.Event) -> None:
        if self._generator.random() < self._left_open:
            halt.wait(self._generator.random() * _LONGEST_OPEN)
