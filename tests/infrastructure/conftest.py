"""Each environment, synthesised once a run."""

from pathlib import Path

import pytest

from stacks import config
from tests.support.templates import Synthesised, environment_of, synthesised_once


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what is synthesised is kept for all workers of the run."""
    store = tmp_path_factory.getbasetemp().parent / "synthesised"
    store.mkdir(exist_ok=True)
    return store


@pytest.fixture(scope="session")
def dev(store: Path) -> Synthesised:
    return synthesised_once(environment_of("dev"), store)


@pytest.fixture(scope="session")
def prod(store: Path) -> Synthesised:
    return synthesised_once(environment_of("prod"), store)


@pytest.fixture(scope="session")
def local(store: Path) -> Synthesised:
    return synthesised_once(environment_of("local"), store)


@pytest.fixture(scope="session", params=config.names())
def synthesised(request: pytest.FixtureRequest, store: Path) -> Synthesised:
    """Every environment in turn."""
    return synthesised_once(environment_of(request.param), store)


@pytest.fixture(scope="session", params=[name for name in config.names() if name != "local"])
def deployed_to_aws(request: pytest.FixtureRequest, store: Path) -> Synthesised:
    """Every environment that is not for this machine in turn."""
    return synthesised_once(environment_of(request.param), store)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]
