"""Real PostgreSQL for every test that asks: one server a session, databases of its own for each test."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg2
import pytest
from moto import mock_aws
from psycopg2 import sql

from tests.support.databases import QUICK
from tests.support.pipeline import Pipeline
from totes.lake import Bucket
from workbench.cloud.postgres import EmbeddedPostgres
from workbench.simulator import build

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="totes-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder), settings=QUICK)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> str:
    """The URI of a new, empty database."""
    return _database(postgres)


@pytest.fixture
def another_database(postgres: EmbeddedPostgres) -> str:
    """The URI of one more new, empty database."""
    return _database(postgres)


@pytest.fixture(scope="session")
def _shop_template(postgres: EmbeddedPostgres) -> str:
    postgres.create_database("shop")
    build(postgres.uri("shop"), orders=100, seed=1)
    return "shop"


@pytest.fixture
def source(postgres: EmbeddedPostgres, _shop_template: str) -> str:
    """The URI of a totesys database with a hundred sales orders."""
    return _database(postgres, template=_shop_template)


@pytest.fixture
def lake() -> Iterator[tuple[Bucket, Bucket]]:
    """An ingestion and a processed bucket, both empty."""
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-2")
        for name in ("ingestion", "processed"):
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield Bucket("ingestion", client), Bucket("processed", client)


@pytest.fixture
def pipeline(source: str, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    """The three steps between a small shop and an empty warehouse."""
    return Pipeline(source=source, warehouse=empty_database, ingestion=lake[0], processed=lake[1])


def _database(postgres: EmbeddedPostgres, template: str | None = None) -> str:
    name = f"test_{next(_numbers)}"
    connection = psycopg2.connect(postgres.uri("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template or "template1")
            )
        )
    connection.close()
    return postgres.uri(name)


@pytest.fixture(scope="session")
def postgres_binaries(postgres: EmbeddedPostgres) -> Path:
    """The folder with psql and pg_dump."""
    return postgres.binaries
