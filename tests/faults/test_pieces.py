"""A first batch for many functions: killed at many boundaries, and crashes of the source between its pieces."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.faults.boundary import Paused, Script
from tests.faults.crashes import give_out_ids_again, write_unflushed
from tests.faults.functions import CAPTURE, TRANSFORM, Died
from tests.faults.invariants import after_every_run, once_all_is_well
from tests.faults.scene import refused
from tests.faults.worker import Returned
from tests.faults.world import Ground, World
from tests.support.databases import execute, value
from tests.support.pipeline import keys_of
from tests.support.servers import wait_for_recovery
from totes.capture.pieces.plan import Plans

CHANGE = (
    "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % 3 = {0} % 3; "
    "DELETE FROM payment WHERE payment_id = 5 + {0} % 30; "
    "UPDATE payment SET paid = NOT paid WHERE payment_id % 11 = {0} % 11"
)


@pytest.fixture
def large(common_ground: Ground) -> Iterator[World]:
    """A world whose functions read no more than sixty rows, of a source that has more than twice as many."""
    made = World(common_ground, in_pieces=True)
    yield made
    made.close()


EVERY = 3
"""It is killed at each third boundary, another third in each part: at every one it would take minutes."""


def killed_everywhere(world: World, event: Mapping[str, Any], first: int, step: str = CAPTURE) -> tuple[Any, int]:
    """Invoke a step until no boundary is left to kill it at, and write to the source before each attempt to capture.

    Returns:
        What it answered at last, and the first boundary that it did not come to.
    """
    boundary = first
    while True:
        if step == CAPTURE:
            execute(world.source, CHANGE.format(boundary))
        outcome = world.functions[step].invoke(event, script=Script(action="die", at=boundary))
        if not isinstance(outcome, Died):
            assert isinstance(outcome, Returned), outcome
            return outcome.value, boundary
        boundary += EVERY


def read(world: World, plan: int, pieces: list[int]) -> None:
    for piece in pieces:
        outcome = world.functions[CAPTURE].invoke({"plan": plan, "piece": piece})
        assert isinstance(outcome, Returned), outcome
        assert outcome.value == {"done": True}


def test_functions_killed_at_many_boundaries_of_a_batch_in_pieces_leave_what_the_next_makes_good(large: World) -> None:
    answer, planning = killed_everywhere(large, {}, first=0)
    plan, pieces = answer["unread"]["plan"], answer["unread"]["pieces"]
    assert answer["newest"] == 0
    first, *others = pieces
    came_of, reading = killed_everywhere(large, {"plan": plan, "piece": first}, first=1)
    assert came_of == {"done": True}
    for piece in others:
        execute(large.source, CHANGE.format(piece))
        read(large, plan, [piece])
    _, together = killed_everywhere(large, {}, first=2)
    assert min(planning, reading, together) >= 20, "so many boundaries there are at least"
    assert sum(key.startswith("manifests/") for key in keys_of(large.ingestion)) in {1, 2}
    for _ in range(2):
        assert large.tick().succeeded
        assert after_every_run(large) == []
    assert once_all_is_well(large) == []


def test_functions_killed_at_many_boundaries_of_a_large_transformation_leave_what_the_next_makes_good(
    large: World,
) -> None:
    assert isinstance(large.capture(), Returned)
    execute(large.source, CHANGE.format(1))
    answer, asking = killed_everywhere(large, {}, first=0, step=TRANSFORM)
    assert (answer["captured"], answer["newest"]) == (1, 0)
    batch, pieces = answer["untransformed"]["batch"], answer["untransformed"]["pieces"]
    first, second, *others = pieces
    came_of, transforming = killed_everywhere(large, {"batch": batch, "piece": second}, first=1, step=TRANSFORM)
    assert came_of == {"done": True}
    for piece in (*others, first):
        # By two functions at once, as where a piece is tried again while it was only slow.
        for function in (large.functions[TRANSFORM], large.second[TRANSFORM]):
            function.start({"batch": batch, "piece": piece})
        for function in (large.functions[TRANSFORM], large.second[TRANSFORM]):
            outcome = function.end()
            assert isinstance(outcome, Returned), outcome
            assert outcome.value == {"done": True}
    _, together = killed_everywhere(large, {}, first=2, step=TRANSFORM)
    assert min(asking, transforming, together) >= 8, "so many boundaries there are at least"
    for _ in range(2):
        assert large.tick().succeeded
        assert after_every_run(large) == []
    assert once_all_is_well(large) == []


def test_a_crash_of_the_source_takes_back_nothing_that_a_piece_has_seen(large: World) -> None:
    answer = large.functions[CAPTURE].invoke()
    assert isinstance(answer, Returned), answer
    number, pieces = answer.value["unread"]["plan"], answer.value["unread"]["pieces"]
    plan = Plans(large.ingestion, 1).read(number)
    of_orders = next(piece for piece in pieces if plan.pieces[piece].table == "sales_order")
    function = large.functions[CAPTURE]
    log_writer = value(large.source, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(log_writer, signal.SIGSTOP)  # else the log might be on the disk before the crash, whoever waits for it
    try:
        with closing(psycopg2.connect(large.source, options="-c synchronous_commit=off")) as writer:
            write_unflushed(writer, is_rolled_back=False)
        function.start({"plan": number, "piece": of_orders}, Script(action="pause", where="pg_current_xact_id"))
        waits = isinstance(function.answer(), Paused)
    finally:
        os.kill(log_writer, signal.SIGKILL)
        wait_for_recovery(large.source, log_writer)
    if waits:  # else somebody else has flushed the log, as any ordinary commit does
        refused(function.release(), "SourceUnavailable")
    give_out_ids_again(large.source)
    read(large, number, pieces)
    for _ in range(2):
        assert large.tick().succeeded
        assert after_every_run(large) == []
    assert once_all_is_well(large) == []
