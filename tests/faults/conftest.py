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


@pytest.fixture
def scene(world: World) -> Iterator[Scene]:
    generator = np.random.default_rng(20241115)
    history = History(lambda: world.source, generator)
    yield Scene(world, history, generator)
    history.close()
