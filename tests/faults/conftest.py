"""A ground for all tests of a module, and a world for each."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.faults.history import History
from tests.faults.scene import Scene
from tests.faults.world import Ground, World, ground


@pytest.fixture(scope="session")
def common_ground() -> Iterator[Ground]:
    with ground() as it:
        yield it


@pytest.fixture
def world(common_ground: Ground) -> Iterator[World]:
    made = World(common_ground)
    yield made
    made.close()


def made_scene(ground: Ground) -> Scene:
    """A new world and its history; both are to be closed."""
    world, generator = World(ground), np.random.default_rng(20241115)
    return Scene(world, History(lambda: world.source, generator), generator)


@pytest.fixture
def scene(common_ground: Ground) -> Iterator[Scene]:
    made = made_scene(common_ground)
    yield made
    made.history.close()
    made.world.close()
