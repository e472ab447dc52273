"""Random faults: a plan drawn by a seed, of ticks with a piece of history and perhaps a fault each, and its play."""

import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from tests.faults.functions import UnusableError
from tests.faults.history import History
from tests.faults.invariants import Trail, after_every_run, oldest_open, once_all_is_well, versions_held
from tests.faults.registry import FAULTS
from tests.faults.scene import MissedError, Scene
from tests.faults.world import Ground, World


@dataclass(frozen=True)
class TickPlan:
    """A tick: what its chances are drawn by, how much happens at the source before it, and its fault, if any.

    In a world of ticks `in_pieces` many functions read and transform what is large in so small a shop.
    """

    seed: int
    steps: int
    fault: str | None
    in_pieces: bool = False


@dataclass
class Report:
    """What a play came to; a fault is counted where it happened."""

    ticks: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    rows_checked: int = 0
    violations: list[str] = field(default_factory=list)


def drawn(
    seed: int,
    ticks: int,
    faults: float = 0.5,
    *,
    among: Sequence[str] = tuple(FAULTS),
    played: Mapping[str, int] = MappingProxyType({}),
) -> list[TickPlan]:
    """Draw a plan.

    Args:
        seed: what it is drawn by.
        ticks: how many it has.
        faults: how many of them, about, have a fault.
        among: the faults to draw from; those that were played least often come first.
        played: how often each was played before.
    """
    generator = np.random.default_rng(seed)
    times = Counter({name: played.get(name, 0) for name in among})
    return [
        TickPlan(
            seed=int(generator.integers(2**32)),
            steps=int(generator.integers(1, 12)),
            fault=_least_played(times, generator) if generator.random() < faults else None,
            in_pieces=seed % 2 == 1,
        )
        for _ in range(ticks)
    ]


def _least_played(times: Counter[str], generator: np.random.Generator) -> str:
    least = min(times.values())
    names = [name for name, number in times.items() if number == least]
    name = names[int(generator.integers(len(names)))]
    times[name] += 1
    return name


def play(
    plan: Sequence[TickPlan],
    ground: Ground,
    *,
    weakness: str | None = None,
    all_is_checked_every: int = 25,
) -> Report:
    """Play a plan in a new world, until its end or the first violation.

    Args:
        plan: the ticks.
        ground: where the world stands.
        weakness: what the pipeline does wrong on purpose.
        all_is_checked_every: after so many ticks what holds once all is well is checked too.
    """
    report = Report()
    world = World(ground, weakness, in_pieces=plan[0].in_pieces)
    history = History(lambda: world.source, np.random.default_rng(0))
    try:
        _play(plan, world, history, report, all_is_checked_every)
        if not report.violations:
            history.settle()
            report.violations += [*_healed(world), *after_every_run(world), *once_all_is_well(world)]
    finally:
        history.close()
        world.close()
    return report


def _play(plan: Sequence[TickPlan], world: World, history: History, report: Report, all_is_checked_every: int) -> None:
    trail = Trail()
    for number, tick in enumerate(plan, start=1):
        generator = np.random.default_rng(tick.seed)
        history.draw_by(generator)
        history.go_on(tick.steps)
        if tick.fault is None:
            ended = oldest_open(world)
            report.violations += ordinary(world)
            trail.due = ended
        else:
            report.violations += _faulty(tick.fault, Scene(world, history, generator), report)
        report.violations += after_every_run(world, trail)
        if number % all_is_checked_every == 0 and not report.violations:
            report.violations += [*_healed(world), *once_all_is_well(world)]
        report.ticks = number
        report.rows_checked += versions_held(world)
        if report.violations:
            return


def ordinary(world: World) -> list[str]:
    """A run without a fault: it succeeds, or it stops for a mass deletion and then may go on."""
    tick = world.tick()
    if tick.error == "MassDeletion":
        tick = world.tick(asked={"accept_deletes": ["payment", "design", "sales_order", "purchase_order"]})
    return [] if tick.succeeded else [f"healing: an ordinary run failed: {tick}"]


def _faulty(fault: str, scene: Scene, report: Report) -> list[str]:
    try:
        FAULTS[fault](scene)
    except MissedError:
        report.missed += 1
        return []
    except UnusableError:  # of this process, and not of what is tested
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the plan that leads to it is to be told
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{fault}: {where.line} {error!r}"]
    report.faults[fault] += 1
    return []


def _healed(world: World) -> list[str]:
    return [*ordinary(world), *ordinary(world)]


def shortest(plan: Sequence[TickPlan], fails: Callable[[Sequence[TickPlan]], bool], tries: int) -> list[TickPlan]:
    """Return the shortest plan found that still fails: ticks left out, halves first, then faults and history.

    Args:
        plan: one that fails.
        fails: plays a plan.
        tries: how many plays it may take.
    """
    shortest = list(plan)
    size = len(shortest) // 2
    while size and tries:
        start = 0
        while start < len(shortest) and tries:
            tried = shortest[:start] + shortest[start + size :]
            tries -= 1
            if tried and fails(tried):
                shortest = tried
            else:
                start += size
        size //= 2
    for number in range(len(shortest)):
        for change in ({"fault": None}, {"steps": 1}):
            tried = [*shortest]
            tried[number] = replace(tried[number], **change)
            if tried != shortest and tries:
                tries -= 1
                if fails(tried):
                    shortest = tried
    return shortest
