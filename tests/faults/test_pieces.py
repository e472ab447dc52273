"""A first batch that many functions read: killed at every boundary of planning, reading and putting together."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.faults.boundary import Script
from tests.faults.functions import CAPTURE, Died
from tests.faults.invariants import after_every_run, once_all_is_well
from tests.faults.worker import Returned
from tests.faults.world import Ground, World
from tests.support.databases import execute
from tests.support.pipeline import keys_of

CHANGE = (
    "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % 3 = {0} % 3; "
    "DELETE FROM payment WHERE payment_id = 5 + {0} % 30; "
    "UPDATE payment SET paid = NOT paid WHERE payment_id % 11 = {0} % 11"
)


@pytest.fixture
def large(common_ground: Ground) -> Iterator[World]:
    """A world whose functions read no more than sixty rows, of a source that has more than twice as many."""
    made = World(common_ground, rows_in_one_function=60)
    yield made
    made.close()


def killed_everywhere(world: World, event: Mapping[str, Any]) -> tuple[Any, int]:
    """Invoke the capture until no boundary is left to kill it at, and write to the source before each attempt.

    Returns:
        What it answered at last, and how often it was killed.
    """
    boundary = 0
    while True:
        execute(world.source, CHANGE.format(boundary))
        outcome = world.functions[CAPTURE].invoke(event, script=Script(action="die", at=boundary))
        if not isinstance(outcome, Died):
            assert isinstance(outcome, Returned), outcome
            return outcome.value, boundary
        boundary += 1


def test_functions_killed_at_every_boundary_of_a_batch_in_pieces_leave_what_the_next_makes_good(large: World) -> None:
    answer, planning = killed_everywhere(large, {})
    plan, pieces = answer["unread"]["plan"], answer["unread"]["pieces"]
    assert answer["newest"] == 0
    first, *others = pieces
    read, reading = killed_everywhere(large, {"plan": plan, "piece": first})
    assert read == {"read": True}
    for piece in others:
        execute(large.source, CHANGE.format(piece))
        outcome = large.functions[CAPTURE].invoke({"plan": plan, "piece": piece})
        assert isinstance(outcome, Returned), outcome
        assert outcome.value == {"read": True}
    _, together = killed_everywhere(large, {})
    assert min(planning, reading, together) >= 20, "so many boundaries there are at least"
    assert sum(key.startswith("manifests/") for key in keys_of(large.ingestion)) in {1, 2}
    for _ in range(2):
        assert large.tick().succeeded
        assert after_every_run(large) == []
    assert once_all_is_well(large) == []
