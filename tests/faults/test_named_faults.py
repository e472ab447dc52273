"""Each fault by its name: whatever it does to a run, two runs later all is well, and the history is whole."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.conftest import made_scene
from tests.faults.invariants import after_every_run, once_all_is_well
from tests.faults.random_faults import ordinary
from tests.faults.registry import FAULTS
from tests.faults.scene import MissedError, Scene
from tests.faults.world import Ground

FAULTS_A_WORLD = 8


class Worlds:
    """Worlds after their first load, each for some faults, because making one takes longer than most faults do."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._scene: Scene | None = None
        self._faults = 0

    def take(self, *, fresh: bool = False) -> Scene:
        """A scene for one more fault; who takes it and does not give it back wants nobody else to have it."""
        scene, self._scene = self._scene, None
        if scene is not None and (fresh or self._faults == FAULTS_A_WORLD):
            _close(scene)
            scene = None
        if scene is None:
            scene, self._faults = made_scene(self._ground), 0
            assert scene.world.tick().succeeded
        self._faults += 1
        return scene

    def give_back(self, scene: Scene) -> None:
        """All is well with it."""
        self._scene = scene

    def close(self) -> None:
        """End the functions."""
        if self._scene is not None:
            _close(self._scene)


def _close(scene: Scene) -> None:
    scene.history.close()
    scene.world.close()


@pytest.fixture(scope="session")
def worlds(common_ground: Ground) -> Iterator[Worlds]:
    kept = Worlds(common_ground)
    yield kept
    kept.close()


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled_by(name: str, worlds: Worlds) -> None:
    scene = worlds.take()
    try:
        _befall(name, scene)
    except MissedError:  # what the faults before it have left may have left it nothing to happen to
        _close(scene)
        scene = worlds.take(fresh=True)
        _befall(name, scene)
    assert after_every_run(scene.world) == []
    scene.history.go_on(6)
    scene.history.settle()
    for _ in range(2):
        assert ordinary(scene.world) == []
        assert after_every_run(scene.world) == []
    assert once_all_is_well(scene.world) == []
    worlds.give_back(scene)


def _befall(name: str, scene: Scene) -> None:
    scene.history.go_on(12)
    if name == "the store refuses":
        # Of three steps and three requests it draws one; the loader, say, puts no object.
        with suppress(MissedError):
            FAULTS[name](scene)
    else:
        FAULTS[name](scene)
