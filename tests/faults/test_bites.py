"""The machine is known to bite: pipelines that are weak on purpose are caught; some here, all by make mutation."""

import pytest

from tests.faults.functions import CAPTURE, LOAD, Function
from tests.faults.invariants import Trail, after_every_run, oldest_open
from tests.faults.mutation import AMONG, hunted
from tests.faults.random_faults import TickPlan, drawn, play
from tests.faults.weaknesses import WEAKNESSES
from tests.faults.worker import Raised
from tests.faults.world import Ground, World
from tests.support.databases import execute

QUICKLY = {
    "watermark": "complete",
    "rows of a key that is held are held": "complete",
    "star rows lose a part": "complete",
    "payments are not closed": "complete",
    "every row is a version": "single",
    "rows are counted wrong": "accounted",
    "dimensions keep their first row": "healing",
    "no ledger": "atomic",
}
"""Those that histories without faults bring to light, and by which invariant."""


def without_faults(ticks: int) -> list[TickPlan]:
    return [TickPlan(seed=seed, steps=10, fault=None) for seed in range(ticks)]


@pytest.mark.parametrize("weakness", QUICKLY)
def test_a_weakness_is_caught_by_the_invariant_that_it_breaks(common_ground: Ground, weakness: str) -> None:
    caught = hunted(weakness, common_ground, without_faults(40))
    assert caught is not None
    assert caught.by == QUICKLY[weakness], caught


def test_a_commit_before_the_data_is_caught(common_ground: Ground) -> None:
    world = World(common_ground, "commit before data")
    try:
        assert world.tick().succeeded
        execute(world.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
        world.capture()
        world.transform()
        assert world.functions[LOAD].pause("INSERT INTO public.fact_payment")
        world.functions[LOAD].kill()
        assert any("complete: " in violation for violation in after_every_run(world))
        world.tick()
        assert any("complete: " in violation for violation in after_every_run(world))
    finally:
        world.close()


def test_a_run_that_says_that_nothing_has_changed_is_believed_by_no_invariant(common_ground: Ground) -> None:
    """It makes no batch, whose horizon would tell what has to be there: an ordinary run brings what had ended."""
    world, trail = World(common_ground, "one transaction is none"), Trail()
    try:
        assert world.tick().succeeded
        execute(world.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
        world.capture()  # and does not load: in this world that would take ids of the source's server
        execute(world.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
        ended = oldest_open(world)
        assert world.tick().succeeded
        assert after_every_run(world, trail) == []
        trail.due = ended
        assert any("complete: " in violation for violation in after_every_run(world, trail))
    finally:
        world.close()


def test_pieces_that_keep_what_has_changed_since_are_caught(common_ground: Ground) -> None:
    plan = drawn(1, 1, faults=1.0, among=["rows change between pieces"])
    assert plan[0].in_pieces
    caught = hunted("pieces keep what has changed since", common_ground, plan)
    assert caught is not None
    assert caught.by == "single", caught


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_weakness_names_what_the_library_has(weakness: str) -> None:
    function = Function(CAPTURE, {}, weakness)
    try:
        # A process that its weakness cannot be put into says so; this one has not been told of any source.
        assert isinstance(function.invoke(), Raised)
    finally:
        function.kill()


def test_the_same_histories_are_no_trouble_to_the_pipeline_that_ships(common_ground: Ground) -> None:
    assert play(without_faults(8), common_ground).violations == []


def test_the_mutation_run_plays_every_fault_that_the_protocol_is_about() -> None:
    assert {tick.fault for tick in drawn(1, 4 * len(AMONG), among=AMONG)} == {None, *AMONG}
