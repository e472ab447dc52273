"""A bounded draw of random faults, and the shrinking of what fails."""

from collections.abc import Sequence

import pytest

from tests.faults.random_faults import TickPlan, drawn, play, shortest
from tests.faults.world import Ground


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_no_random_history_with_random_faults_breaks_an_invariant(common_ground: Ground, seed: int) -> None:
    report = play(drawn(seed, ticks=20, faults=0.5), common_ground)
    assert report.violations == [], f"make soak TICKS=20 SEED={seed} shows the shortest history"
    assert report.ticks == 20
    assert report.faults.total() > 4


def test_a_seed_draws_the_same_plan_and_another_seed_another() -> None:
    assert drawn(5, 40) == drawn(5, 40)
    assert drawn(5, 40) != drawn(6, 40)


def test_what_fails_is_shrunk_to_the_ticks_that_it_takes() -> None:
    plan = drawn(3, 64)

    def fails(tried: Sequence[TickPlan]) -> bool:
        return {plan[17].seed, plan[41].seed} <= {tick.seed for tick in tried}

    short = shortest(plan, fails, tries=200)
    assert [tick.seed for tick in short] == [plan[17].seed, plan[41].seed]
    assert all(tick.steps == 1 and tick.fault is None for tick in short)
