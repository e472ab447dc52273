"""How often each kind of event has happened in a shop."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EventCounts:
    """How often events have happened in a shop.

    Attributes:
        by_kind: how often each kind of event happened; kinds that did not are left out.
        retries: how often an event was given up because the database did not take it: a deadlock, a lock
            that could not be had, a connection that broke off.
    """

    by_kind: Mapping[str, int] = field(default_factory=dict)
    retries: int = 0

    @property
    def total(self) -> int:
        """How many events of all kinds happened."""
        return sum(self.by_kind.values())

    def __str__(self) -> str:
        most_first = sorted(self.by_kind.items(), key=lambda item: (-item[1], item[0]))
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in most_first)
        retries = f"; {self.retries:,} had to be tried again" if self.retries else ""
        return f"{self.total:,} events" + (f": {kinds}" if kinds else "") + retries


class EventCounter:
    """Counts events; any number of threads may.

    Args:
        within: a counter that counts all that this one does.
    """

    def __init__(self, within: "EventCounter | None" = None) -> None:
        self._within = within
        self._lock = threading.Lock()
        self._by_kind: Counter[str] = Counter()
        self._retries = 0

    def count(self, kind: str) -> None:
        """One event of this kind has happened."""
        with self._lock:
            self._by_kind[kind] += 1
        if self._within:
            self._within.count(kind)

    def count_retry(self) -> None:
        """One event has been given up."""
        with self._lock:
            self._retries += 1
        if self._within:
            self._within.count_retry()

    def so_far(self) -> EventCounts:
        """What has been counted."""
        with self._lock:
            return EventCounts(dict(self._by_kind), self._retries)
