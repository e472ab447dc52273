"""Faults of the three functions: one dies, is invoked twice, overlaps another, stands still, comes out of order."""

import itertools
from collections.abc import Mapping

from tests.faults.boundary import Paused, Script
from tests.faults.functions import CAPTURE, LOAD, STEPS, batches_of
from tests.faults.run import Step, pause, whole
from tests.faults.scene import Fault, MissedError, Scene, begin, refused, stir
from tests.faults.worker import Returned
from tests.support.databases import value

_MANY_BOUNDARIES = 150
"""About as many as a run of a step comes to."""

_HELD = "SELECT count(*) FROM etl.batch"


def _killed(step: str) -> Fault:
    def play(scene: Scene) -> None:
        stir(scene)
        at = scene.number(_MANY_BOUNDARIES)
        while scene.world.tick({step: Script(action="die", at=at)}).missed:
            stir(scene)
            at = scene.number(at)

    return play


def _twice(step: str) -> Fault:
    def play(scene: Scene) -> None:
        """The first answer is lost on its way, so whoever invoked it invokes it again."""
        for name in STEPS:
            assert isinstance(whole(scene.world.functions[name]), Returned)
            if name == step:
                assert isinstance(whole(scene.world.functions[name]), Returned)

    return play


def same_event_twice(scene: Scene) -> None:
    """The schedule starts two runs; the second goes all its way while the first stands somewhere."""
    stir(scene)
    step = STEPS[scene.number(3)]
    function = scene.world.functions[step]
    for name in STEPS[: STEPS.index(step)]:
        whole(scene.world.functions[name])
    function.start(script=Script(action="pause", at=scene.number(6)))
    answer = function.answer()
    assert scene.world.tick(second=True).succeeded
    if isinstance(answer, Paused):
        function.release()
    scene.world.tick()
    if not isinstance(answer, Paused):
        raise MissedError


def two_captures_at_once(scene: Scene) -> None:
    """Both have read the source and are about to commit the same batch."""
    first, second = scene.world.functions[CAPTURE], scene.world.second[CAPTURE]
    stir(scene)
    assert pause(first, "s3 PutObject manifests/")
    scene.write("UPDATE design SET file_name = file_name || '.' WHERE design_id = 1")
    outcome = whole(second)
    assert isinstance(outcome, Returned)
    refused(first.release(), "BatchTaken")
    assert scene.world.tick().succeeded


def rows_change_between_pieces(scene: Scene) -> None:
    """So many rows have changed that they are read in pieces, and between these they change again."""
    begin(scene)
    for table, column in (
        ("payment", "payment_amount"),
        ("sales_order", "unit_price"),
        ("transaction", "sales_order_id"),
    ):
        scene.write(f"UPDATE {table} SET {column} = {column} + {int(table != 'transaction')}")
    step = Step(scene.world.functions[CAPTURE], {})
    while step.has_more:
        step.go_on()
        if step.has_more:
            stir(scene)
    assert isinstance(step.outcome, Returned), step.outcome
    assert scene.world.tick().succeeded


def two_loaders_at_once(scene: Scene) -> None:
    """One holds the lock and the other waits for it; no batch is loaded by both."""
    first, second = scene.world.functions[LOAD], scene.world.second[LOAD]
    begin(scene)
    stir(scene)
    scene.world.capture()
    scene.world.transform()
    before = value(scene.world.warehouse, _HELD)
    assert first.pause("INSERT INTO etl.batch ")
    second.start()
    outcomes = first.release(), second.end()
    # They may take turns, so the first and the last of each say nothing.
    loaded = [outcome.value["loaded"]["count"] for outcome in outcomes if isinstance(outcome, Returned)]
    assert len(loaded) == 2, outcomes
    assert sum(loaded) == value(scene.world.warehouse, _HELD) - before, outcomes


def zombie_before_the_lock(scene: Scene) -> None:
    """A loader stands still before it has the lock, another does its work, and it wakes up."""
    scene.world.capture()
    scene.world.transform()
    zombie = scene.world.functions[LOAD]
    assert zombie.pause("pg_advisory_xact_lock")
    assert isinstance(whole(scene.world.second[LOAD]), Returned)
    outcome = zombie.release()
    assert batches_of(outcome, "loaded") == set()


def zombie_within_its_transaction(scene: Scene) -> None:
    """A loader stands still with the lock until its session is ended, another does its work, and it wakes up."""
    begin(scene)
    stir(scene)
    scene.world.capture()
    scene.world.transform()
    zombie = scene.world.functions[LOAD]
    assert zombie.pause("INSERT INTO etl.batch ", after=True)
    scene.world.terminate("warehouse")
    assert isinstance(whole(scene.world.second[LOAD]), Returned)
    refused(zombie.release(), "WarehouseUnavailable")


def out_of_order(scene: Scene) -> None:
    """Steps come in any order but theirs."""
    orders = [order for order in itertools.permutations(STEPS) if order != STEPS]
    for name in orders[scene.number(len(orders))]:
        assert isinstance(whole(scene.world.functions[name]), Returned)


FAULTS: Mapping[str, Fault] = {
    **{f"{step} killed at a boundary": _killed(step) for step in STEPS},
    **{f"{step} invoked twice": _twice(step) for step in STEPS},
    "the same event twice": same_event_twice,
    "two captures at once": two_captures_at_once,
    "rows change between pieces": rows_change_between_pieces,
    "two loaders at once": two_loaders_at_once,
    "a zombie loader before the lock": zombie_before_the_lock,
    "a zombie loader within its transaction": zombie_within_its_transaction,
    "steps out of order": out_of_order,
}
