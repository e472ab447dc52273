"""Each environment, synthesised once."""

from pathlib import Path

import pytest

from stacks.config import Environment
from tests.support.templates import Synthesised, production, synthesise


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(Environment.named("dev"), tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(production(), tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(Environment.named("local"), tmp_path_factory.mktemp("local"))


@pytest.fixture(params=["dev", "prod", "local"])
def synthesised(request: pytest.FixtureRequest) -> Synthesised:
    """Every environment in turn."""
    environment: Synthesised = request.getfixturevalue(request.param)
    return environment


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
