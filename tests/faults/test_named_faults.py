"""Each fault by its name: whatever it does to a run, two runs later all is well, and the history is whole."""

from contextlib import suppress

import pytest

from tests.faults.invariants import after_every_run, once_all_is_well
from tests.faults.registry import FAULTS
from tests.faults.scene import MissedError, Scene


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled_by(name: str, scene: Scene) -> None:
    assert scene.world.tick().succeeded
    scene.history.go_on(12)
    if name == "the store refuses":
        # Of three steps and three requests it draws one; the loader, say, puts no object.
        with suppress(MissedError):
            FAULTS[name](scene)
    else:
        FAULTS[name](scene)
    assert after_every_run(scene.world) == []
    scene.history.go_on(6)
    scene.history.settle()
    for _ in range(2):
        tick = scene.world.tick()
        assert tick.succeeded, tick
        assert after_every_run(scene.world) == []
    assert once_all_is_well(scene.world) == []
