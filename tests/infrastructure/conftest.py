"""Each environment, synthesised once a run."""

from pathlib import Path

import pytest

from stacks.config import Environment
from tests.support.templates import Synthesised, environment_of, synthesised_once


@pytest.fixture(scope="session")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.getbasetemp().parent / "synthesised"
    store.mkdir(exist_ok=True)
    return store


@pytest.fixture(scope="session")
def dev(_store: Path) -> Synthesised:
    return synthesised_once(environment_of("dev"), _store)


@pytest.fixture(scope="session")
def prod(_store: Path) -> Synthesised:
    return synthesised_once(environment_of("prod"), _store)


@pytest.fixture(scope="session")
def local(_store: Path) -> Synthesised:
    return synthesised_once(environment_of("local"), _store)


@pytest.fixture(scope="session", params=Environment.names())
def synthesised(request: pytest.FixtureRequest, _store: Path) -> Synthesised:
    """Every environment in turn."""
    return synthesised_once(environment_of(request.param), _store)


@pytest.fixture(scope="session", params=[name for name in Environment.names() if name != "local"])
def deployed_to_aws(request: pytest.FixtureRequest, _store: Path) -> Synthesised:
    """Every environment that is not for this machine in turn."""
    return synthesised_once(environment_of(request.param), _store)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
