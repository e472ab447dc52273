"""Faults around replay and rebuild: they run beside the schedule's runs, are killed in the middle, and come twice."""

from collections.abc import Mapping

from tests.faults.boundary import Paused, Script
from tests.faults.functions import LOAD, TRANSFORM, Died, Function
from tests.faults.library import REBUILD, REPLAY
from tests.faults.run import whole
from tests.faults.scene import Fault, MissedError, Scene, arrives, begin, stir
from tests.faults.worker import Raised, Returned
from totes.lake import StarJournal

_MANY_BOUNDARIES = 60
"""Fewer than a replay or a rebuild of a young lake comes to."""


def _beside_runs(name: str) -> Fault:
    def happen(scene: Scene) -> None:
        """It stands somewhere while a whole run of the schedule goes by, and then goes on."""
        stir(scene)
        function = scene.world.library[name]
        function.start(script=Script(action="pause", at=scene.number(_MANY_BOUNDARIES)))
        answer = function.answer()
        if not isinstance(answer, Paused):
            raise MissedError
        loader = scene.world.functions[LOAD]
        scene.world.capture()
        scene.world.transform()
        loader.start()  # it may have to wait until a rebuild lets go of the loader's lock
        outcome = function.release()
        assert isinstance(loader.end(), Returned)
        _may_be_void(outcome)
        arrives(scene)

    return happen


def _killed(name: str) -> Fault:
    def happen(scene: Scene) -> None:
        """It is killed somewhere; the schedule's runs go on, and it is started again."""
        stir(scene)
        function = scene.world.library[name]
        outcome = function.invoke(script=Script(action="die", at=scene.number(_MANY_BOUNDARIES)))
        arrives(scene)
        if not isinstance(outcome, Died):
            raise MissedError
        stir(scene)
        assert isinstance(function.invoke(), Returned)
        arrives(scene)

    return happen


def _may_be_void(outcome: object) -> None:
    """A replay or rebuild whose work another one has done says so, and can be started again."""
    assert isinstance(outcome, Returned) or (isinstance(outcome, Raised) and outcome.error == "BatchTaken"), outcome


def published_before_the_load(scene: Scene) -> None:
    """An edition is published that lacks the newest batch, which the warehouse already holds; the loader comes."""
    begin(scene)
    stir(scene)
    edition = StarJournal(scene.world.processed).edition
    replay: Function = scene.world.library[REPLAY]
    assert replay.pause("s3 PutObject editions/")
    stir(scene)
    assert scene.world.tick().succeeded
    assert isinstance(replay.release(), Returned)
    assert StarJournal(scene.world.processed).edition > edition
    outcome = whole(scene.world.functions[LOAD])
    assert isinstance(outcome, Returned), outcome
    arrives(scene)


def two_replays_at_once(scene: Scene) -> None:
    """A second replay starts and ends while the first stands before it publishes."""
    first: Function = scene.world.library[REPLAY]
    stir(scene)
    scene.world.tick()
    assert first.pause("s3 PutObject editions/")
    second = scene.world.second[TRANSFORM]
    assert isinstance(whole(second, {"asked": {"replay_from": 1}}), Returned)
    _may_be_void(first.release())
    arrives(scene)


def asked_of_a_run(scene: Scene) -> None:
    """A person asks a run to replay, and the next to rebuild."""
    for asked in ({"replay_from": 1}, {"rebuild": True}):
        stir(scene)
        tick = scene.world.tick(asked=asked)
        assert tick.succeeded, tick
        arrives(scene)


FAULTS: Mapping[str, Fault] = {
    "a replay beside the runs": _beside_runs(REPLAY),
    "a rebuild beside the runs": _beside_runs(REBUILD),
    "a replay killed": _killed(REPLAY),
    "a rebuild killed": _killed(REBUILD),
    "an edition published before the load": published_before_the_load,
    "two replays at once": two_replays_at_once,
    "a replay and a rebuild asked of a run": asked_of_a_run,
}
