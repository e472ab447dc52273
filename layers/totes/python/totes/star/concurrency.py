"""Work on a few batches at once: each is so small that it mostly waits for the store."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

MOST_AHEAD = 32
"""Work on batch N begins only when batch N - MOST_AHEAD and all before it are done."""

_AT_ONCE = 16
"""Threads, each with a connection to the store."""

Result = TypeVar("Result")


def map_in_order(
    work: Callable[[int], Result | None], batches: Sequence[int], time_is_up: Callable[[], bool]
) -> Iterator[tuple[int, Result]]:
    """Do the work on batches, a few at once, and yield each with what came of it, in the order of batches.

    It ends early if time is up, or at a batch whose work came to nothing (None).

    Args:
        work: done in other threads, unless there is only one batch.
        batches: the batches.
        time_is_up: asked before each is begun.
    """
    if len(batches) == 1:
        [batch] = batches
        result = None if time_is_up() else work(batch)
        if result is not None:
            yield batch, result
        return
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for batch, future in _begun(pool, work, batches, time_is_up):
            result = future.result()
            if result is None:
                return
            yield batch, result
    finally:
        pool.shutdown(cancel_futures=True)


def _begun(
    pool: ThreadPoolExecutor,
    work: Callable[[int], Result | None],
    batches: Sequence[int],
    time_is_up: Callable[[], bool],
) -> Iterator[tuple[int, "Future[Result | None]"]]:
    rest, under_way = iter(batches), deque[tuple[int, "Future[Result | None]"]]()
    more = True
    while more or under_way:
        while more and len(under_way) < MOST_AHEAD:
            batch = None if time_is_up() else next(rest, None)
            more = batch is not None
            if batch is not None:
                under_way.append((batch, pool.submit(work, batch)))
        if under_way:
            yield under_way.popleft()
