"""Real PostgreSQL for every test that asks: one server a session, databases of its own for each test."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import quick_server
from tests.support.first_run import FirstRuns
from tests.support.lived import live
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.servers import copy_of, removal_of, run_alone
from tests.support.versions import clients, find_version, keep_what_talks_to_postgres
from totes.lake import Bucket

_numbers = itertools.count(1)

find_version()  # before a thousand tests look for it


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server."""
    with quick_server() as server:
        yield server


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URI of a new, empty database."""
    with _database(postgres) as uri:
        yield uri


@pytest.fixture
def another_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URI of one more new, empty database."""
    with _database(postgres) as uri:
        yield uri


@pytest.fixture(scope="session")
def _shop_template(postgres: EmbeddedPostgres) -> str:
    postgres.create_database("shop")
    build(postgres.uri("shop"), orders=100, seed=1)
    return "shop"


@pytest.fixture(scope="session")
def _first_run(postgres: EmbeddedPostgres, _shop_template: str) -> FirstRuns:
    return _first_runs(postgres, _shop_template, "first", Pipeline.tick)


@pytest.fixture(scope="session")
def _six_runs(postgres: EmbeddedPostgres, _shop_template: str) -> FirstRuns:
    return _first_runs(postgres, _shop_template, "six", live)


def _first_runs(postgres: EmbeddedPostgres, shop: str, name: str, happen: Callable[[Pipeline], object]) -> FirstRuns:
    store, source, warehouse = MemoryStore(), f"{name}_source", f"{name}_warehouse"
    ingestion, processed = store.bucket("ingestion"), store.bucket("processed")
    _create(postgres, source, shop)
    _create(postgres, warehouse)
    happen(
        Pipeline(
            source=postgres.uri(source), warehouse=postgres.uri(warehouse), ingestion=ingestion, processed=processed
        )
    )
    return FirstRuns(source=source, warehouse=warehouse, ingestion=ingestion, processed=processed)


@pytest.fixture
def _begun(request: pytest.FixtureRequest) -> FirstRuns | None:
    """The runs that the test's pipeline begins after; None: it begins with nothing."""
    for marker, runs in (("begun", "_first_run"), ("lived", "_six_runs")):
        if request.node.get_closest_marker(marker):
            found: FirstRuns = request.getfixturevalue(runs)
            return found
    return None


@pytest.fixture
def source(postgres: EmbeddedPostgres, _shop_template: str, _begun: FirstRuns | None) -> Iterator[str]:
    """The URI of a totesys database with a hundred sales orders."""
    with _database(postgres, template=_begun.source if _begun else _shop_template) as uri:
        yield uri


@pytest.fixture
def store() -> MemoryStore:
    """What holds the lake, empty."""
    return MemoryStore()


@pytest.fixture
def lake(store: MemoryStore) -> tuple[Bucket, Bucket]:
    """An ingestion and a processed bucket, both empty."""
    return store.bucket("ingestion"), store.bucket("processed")


@pytest.fixture
def pipeline(
    postgres: EmbeddedPostgres, source: str, store: MemoryStore, lake: tuple[Bucket, Bucket], _begun: FirstRuns | None
) -> Iterator[Pipeline]:
    """The three steps between a small shop and a warehouse: an empty one, or, after a first run, the shop's."""
    with _database(postgres, template=_begun.warehouse if _begun else "template1") as warehouse:
        made = Pipeline(source=source, warehouse=warehouse, ingestion=lake[0], processed=lake[1])
        if _begun:
            _begun.copy_to(made)
            store.asked.clear()
        yield made


@contextmanager
def _database(postgres: EmbeddedPostgres, template: str = "template1") -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _create(postgres, name, template)
    yield postgres.uri(name)
    run_alone(postgres.uri("postgres"), removal_of(name))


def _create(postgres: EmbeddedPostgres, name: str, template: str = "template1") -> None:
    run_alone(postgres.uri("postgres"), copy_of(template, name))


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """The folder with psql and pg_dump."""
    return clients()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a version of PostgreSQL that is named, run what talks to it and nothing else."""
    config.hook.pytest_deselected(items=keep_what_talks_to_postgres(items))
