"""Small batches are transformed many at once, and larger ones no more at once than there is memory for."""

import threading
import time
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.support.memory_store import MemoryStore
from totes.lake import Journal
from totes.star import STAR_TABLES
from totes.star.concurrency import map_in_order

_TRANSFORM = import_module("totes.star.transform")
_MOST = _TRANSFORM._BYTES_AT_ONCE


class UnderWay:
    """What is transformed at the same moment."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.wait = wait
        self._lock = threading.Lock()
        self._bytes = self.most_bytes = 0

    def add(self, size: int) -> None:
        with self._lock:
            self._bytes += size
            self.most_bytes = max(self.most_bytes, self._bytes)


class Work:
    """A batch, as a transformation sees it."""

    rows = 1

    def __init__(self, size: int, under_way: UnderWay) -> None:
        self.bytes = size
        self._under_way = under_way

    def transformed(self, _is_over: Callable[[], bool]) -> str:
        self._under_way.add(self.bytes)
        self._under_way.wait()
        self._under_way.add(-self.bytes)
        return "done"


def transformed(
    sizes: list[int], monkeypatch: pytest.MonkeyPatch, wait: Callable[[], object] = lambda: time.sleep(0.002)
) -> UnderWay:
    """Transform batches of these sizes, many at once; each waits in the middle."""
    under_way, bucket = UnderWay(wait), MemoryStore().bucket("any")
    monkeypatch.setattr(Journal, "read", lambda _, batch: batch)
    monkeypatch.setattr(_TRANSFORM, "Batch", lambda batch, *_: Work(sizes[batch], under_way))
    work = _TRANSFORM.Transformation(bucket, bucket, STAR_TABLES, lambda: False)
    done = [batch for batch, _ in map_in_order(work, range(len(sizes)), lambda: False)]
    assert done == [*range(len(sizes))]
    return under_way


def test_batches_that_are_transformed_at_once_are_no_larger_together_than_one_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert transformed([_MOST // 3] * 40, monkeypatch).most_bytes == _MOST // 3 * 3


def test_a_batch_that_is_larger_by_itself_is_transformed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [10, 20, 3 * _MOST, 30, 40] * 8
    assert transformed(sizes, monkeypatch).most_bytes == 3 * _MOST


def test_small_batches_are_transformed_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(16, timeout=60)
    assert transformed([1000] * 16 * 5, monkeypatch, together.wait).most_bytes == 16 * 1000
