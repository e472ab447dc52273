"""Each environment, synthesised once a run."""

from pathlib import Path

import pytest

from stacks.config import Environment
from tests.support.templates import Synthesised, production, synthesised_once


@pytest.fixture(scope="session")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.getbasetemp().parent / "synthesised"
    store.mkdir(exist_ok=True)
    return store


@pytest.fixture(scope="session")
def dev(_store: Path) -> Synthesised:
    return synthesised_once(Environment.named("dev"), _store)


@pytest.fixture(scope="session")
def prod(_store: Path) -> Synthesised:
    return synthesised_once(production(), _store)


@pytest.fixture(scope="session")
def local(_store: Path) -> Synthesised:
    return synthesised_once(Environment.named("local"), _store)


@pytest.fixture(params=["dev", "prod", "local"])
def synthesised(request: pytest.FixtureRequest) -> Synthesised:
    """Every environment in turn."""
    environment: Synthesised = request.getfixturevalue(request.param)
    return environment


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
