"""Each fault by its name: whatever it does to a run, two runs later all is well, and the history is whole."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults import replays
from tests.faults.conftest import made_scene
from tests.faults.invariants import after_every_run, as_the_source_says, replayable
from tests.faults.proxy import Proxy
from tests.faults.random_faults import ordinary
from tests.faults.registry import FAULTS
from tests.faults.scene import MissedError, Scene
from tests.faults.world import Ground

FAULTS_A_WORLD = 8


class Worlds:
    """Worlds after their first load, each for some faults, because making one takes longer than most faults do.

    At its end, when its lake has all that they have left there, a world's warehouse is rebuilt from it; and before a
    fault that itself rebuilds it, after which the two would agree whatever had come before.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._scene: Scene | None = None
        self._faults: list[str] = []

    def take(self, fault: str, *, fresh: bool = False) -> Scene:
        """A scene for one more fault; who takes it and does not give it back wants nobody else to have it."""
        if fresh:
            self.end()
        scene, self._scene = self._scene, None
        if scene is None:
            scene, self._faults = made_scene(self._ground), []
            assert scene.world.tick().succeeded
        elif fault in replays.FAULTS:
            assert self._lost_by_a_rebuild(scene) == []
        self._faults.append(fault)
        return scene

    def give_back(self, scene: Scene) -> None:
        """All is well with it."""
        self._scene = scene
        if len(self._faults) == FAULTS_A_WORLD:
            self.end()

    def end(self) -> None:
        """See that the lake tells all that the warehouse says, and end the functions."""
        if self._scene is not None:
            scene, self._scene = self._scene, None
            found = self._lost_by_a_rebuild(scene)
            scene.history.close()
            scene.world.close()
            assert found == []

    def _lost_by_a_rebuild(self, scene: Scene) -> list[str]:
        return [f"{violation}, after {', '.join(self._faults)}" for violation in replayable(scene.world)]


@pytest.fixture(scope="session")
def worlds(common_ground: Ground) -> Iterator[Worlds]:
    kept = Worlds(common_ground)
    yield kept
    kept.end()


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled_by(name: str, worlds: Worlds) -> None:
    if name.endswith("half open") and not Proxy.falls_silent():
        pytest.skip("who runs the tests may not let a connection fall silent")
    scene = worlds.take(name)
    try:
        _befall(name, scene)
    except MissedError:  # what the faults before it have left may have left it nothing to happen to
        _heal(scene)
        worlds.give_back(scene)
        scene = worlds.take(name, fresh=True)
        _befall(name, scene)
    assert after_every_run(scene.world) == []
    scene.history.go_on(6)
    _heal(scene)
    assert as_the_source_says(scene.world) == []
    worlds.give_back(scene)


def _heal(scene: Scene) -> None:
    scene.history.settle()
    for _ in range(2):
        assert ordinary(scene.world) == []
        assert after_every_run(scene.world) == []


def _befall(name: str, scene: Scene) -> None:
    scene.history.go_on(12)
    if name == "the store refuses":
        # Of three steps and three requests it draws one; the loader, say, puts no object.
        with suppress(MissedError):
            FAULTS[name](scene)
    else:
        FAULTS[name](scene)
