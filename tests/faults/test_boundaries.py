"""Each function is killed by SIGKILL at every one of its step boundaries, one after the other."""

import pytest

from tests.faults.boundary import Script
from tests.faults.functions import CAPTURE, LOAD, STEPS, TRANSFORM, Died, batches_of
from tests.faults.invariants import Trail, after_every_run, once_all_is_well
from tests.faults.worker import Returned
from tests.faults.world import World
from tests.support.databases import execute
from tests.support.pipeline import keys_of

CHANGES = (
    "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id % 3 = 0; "
    "UPDATE department SET location = 'Hull' WHERE department_id < 3; "
    "UPDATE purchase_order SET agreed_delivery_date = 'TBC' WHERE purchase_order_id = 2; "
    "DELETE FROM payment WHERE payment_id = 5"
)


@pytest.mark.parametrize(("step", "least"), [(CAPTURE, 60), (TRANSFORM, 20), (LOAD, 90)])
def test_a_function_killed_at_every_boundary_leaves_what_the_next_run_makes_good(
    world: World, step: str, least: int
) -> None:
    assert world.tick().succeeded
    execute(world.source, CHANGES)
    for earlier in STEPS[: STEPS.index(step)]:
        world.functions[earlier].invoke()
    boundary, trail = 0, Trail()
    while isinstance(world.functions[step].invoke(script=Script(action="die", at=boundary)), Died):
        assert after_every_run(world, trail) == []
        boundary += 1
        if boundary % 2 == 0 and step == CAPTURE and _has_two_manifests(world):
            # It died after its commit, so there is nothing left to do; a new change is.
            execute(world.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 1")
    assert boundary >= least
    assert world.tick().succeeded
    assert after_every_run(world) == []
    assert once_all_is_well(world) == []


def _has_two_manifests(world: World) -> bool:
    return sum(key.startswith("manifests/") for key in keys_of(world.ingestion)) > 1


@pytest.mark.parametrize("step", STEPS)
def test_a_function_whose_answer_was_lost_does_nothing_when_it_is_asked_again(world: World, step: str) -> None:
    assert world.tick().succeeded
    execute(world.source, CHANGES)
    for name in STEPS[: STEPS.index(step)]:
        world.functions[name].invoke()
    first, again = world.functions[step].invoke(), world.functions[step].invoke()
    assert isinstance(first, Returned)
    assert isinstance(again, Returned)
    done = {CAPTURE: "batch", TRANSFORM: "transformed", LOAD: "loaded"}[step]
    assert batches_of(first, done)
    assert not batches_of(again, done)
    assert first.value["newest"] == again.value["newest"] == 2
