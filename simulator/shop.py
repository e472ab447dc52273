"""Events in a shop: a number of them at once, or one after the other by several writers in parallel."""

import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import numpy as np
import psycopg2

from simulator.connections import connect
from simulator.event_context import Clock, utc_now
from simulator.event_counts import EventCounter, EventCounts
from simulator.live import LiveWriter
from simulator.seeds import seeded
from simulator.writer import write_event
from totes.errors import UserError
from totes.sqlstate import first_line

_LOOK_EVERY = 0.1
"""Seconds."""


class Shop:
    """The life of a totesys database.

    Args:
        uri: of a database that has totesys' tables and some content.
        seed: decides what happens. Two shops with one seed, on databases of the same content, do the same.
        clock: what rows are stamped by; UTC without a time zone.

    Raises:
        UserError: the seed is negative.
    """

    def __init__(self, uri: str, *, seed: int, clock: Clock = utc_now) -> None:
        self._uri = uri
        self._clock = clock
        self._seeds = seeded(seed)
        self._generator = np.random.Generator(np.random.PCG64(self._seeds))
        self._counter = EventCounter()

    @property
    def events(self) -> EventCounts:
        """All that has happened since the shop object was made; may be read while the shop lives."""
        return self._counter.so_far()

    def trade(self, events: int) -> EventCounts:
        """Let exactly so many events happen, one after the other, through one connection.

        Those that roll back count too.

        Returns:
            What happened.

        Raises:
            UserError: the database cannot be reached, is no shop, or did not take an event; what happened before
                stays.
        """
        counter = EventCounter(self._counter)
        with closing(connect(self._uri)) as connection:
            for _ in range(events):
                try:
                    counter.count(write_event(connection, self._generator, self._clock))
                except psycopg2.Error as error:
                    raise _no_trade(error) from error
        return counter.so_far()

    def live(self, rate: float, writers: int, stop: threading.Event, duration: float | None = None) -> EventCounts:
        """Let events happen over time, until told to stop.

        Each writer has a connection and a generator of its own. Some transactions stay open for a while, so they do
        not commit in the order in which they began. A writer whose event the database did not take, or that lost
        its connection, logs that and goes on.

        Args:
            rate: events a second, of all writers together.
            writers: how many write side by side.
            stop: ends it, in well under a second.
            duration: ends it too, after so many seconds.

        Returns:
            What happened.

        Raises:
            UserError: a figure makes no sense, the database could not be reached at the start, or is no shop.
        """
        if rate <= 0 or writers < 1:
            raise UserError(f"a shop lives by a rate above 0 and at least one writer, not {rate:g} and {writers}")
        connect(self._uri).close()
        counter, halt = EventCounter(self._counter), threading.Event()
        crew = [
            LiveWriter(
                uri=self._uri,
                generator=np.random.Generator(np.random.PCG64(seeds)),
                clock=self._clock,
                seconds_between=writers / rate,
                counter=counter,
            )
            for seeds in self._seeds.spawn(writers)
        ]
        until = math.inf if duration is None else time.monotonic() + duration
        with ThreadPoolExecutor(writers, thread_name_prefix="writer") as pool:
            try:
                running = [pool.submit(writer.run, halt) for writer in crew]
                while time.monotonic() < until and not any(writer.done() for writer in running):
                    if stop.wait(_LOOK_EVERY):
                        break
            finally:
                halt.set()
        for writer in running:
            _raise_what_ended(writer)
        return counter.so_far()


def _raise_what_ended(writer: "Future[None]") -> None:
    try:
        writer.result()
    except psycopg2.Error as error:
        raise _no_trade(error) from error


def _no_trade(error: psycopg2.Error) -> UserError:
    return UserError(f"the database does not take what a shop does: {first_line(error)}")
