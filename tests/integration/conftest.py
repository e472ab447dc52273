"""Real PostgreSQL for every test that asks: one server a session, databases of its own for each test."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg2 import sql

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import quick_server
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline
from tests.support.servers import run_alone
from totes.lake import Bucket

_numbers = itertools.count(1)


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


@pytest.fixture
def source(postgres: EmbeddedPostgres, _shop_template: str) -> Iterator[str]:
    """The URI of a totesys database with a hundred sales orders."""
    with _database(postgres, template=_shop_template) as uri:
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
def pipeline(source: str, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    """The three steps between a small shop and an empty warehouse."""
    return Pipeline(source=source, warehouse=empty_database, ingestion=lake[0], processed=lake[1])


@contextmanager
def _database(postgres: EmbeddedPostgres, template: str = "template1") -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    words = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    run_alone(postgres.uri("postgres"), sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**words))
    yield postgres.uri(name)
    run_alone(postgres.uri("postgres"), sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)").format(**words))


@pytest.fixture(scope="session")
def postgres_binaries(postgres: EmbeddedPostgres) -> Path:
    """The folder with psql and pg_dump."""
    return postgres.binaries
