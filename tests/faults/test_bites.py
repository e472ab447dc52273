"""The machine is known to bite: pipelines that are weak on purpose are caught, each by the invariant that it breaks."""

from tests.faults.deck import TickPlan, play
from tests.faults.functions import LOAD
from tests.faults.invariants import after_every_run
from tests.faults.world import Ground, World
from tests.support.databases import execute


def without_faults(ticks: int) -> list[TickPlan]:
    return [TickPlan(seed=seed, steps=10, fault=None) for seed in range(ticks)]


def kinds(violations: list[str]) -> set[str]:
    words = {"complete", "single", "ordered", "atomic", "accounted", "replayable", "healing"}
    return {word for word in words for violation in violations if f"{word}: " in violation}


def test_a_watermark_instead_of_the_horizon_is_caught(common_ground: Ground) -> None:
    report = play(without_faults(30), common_ground, weakness="watermark")
    assert "complete" in kinds(report.violations)


def test_a_commit_before_the_data_is_caught(common_ground: Ground) -> None:
    world = World(common_ground, "commit before data")
    try:
        assert world.tick().succeeded
        execute(world.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
        world.capture()
        world.transform()
        assert world.functions[LOAD].pause("INSERT INTO public.fact_payment")
        world.functions[LOAD].kill()
        assert "complete" in kinds(after_every_run(world))
        world.tick()
        assert "complete" in kinds(after_every_run(world))
    finally:
        world.close()


def test_a_loader_without_a_ledger_is_caught(common_ground: Ground) -> None:
    nothing_happens = [TickPlan(seed=seed, steps=0, fault=None) for seed in range(2)]
    report = play(nothing_happens, common_ground, weakness="no ledger")
    assert "single" in kinds(report.violations)


def test_the_same_histories_are_no_trouble_to_the_pipeline_that_ships(common_ground: Ground) -> None:
    assert play(without_faults(8), common_ground).violations == []
