"""Source and warehouse are brought to another major version of PostgreSQL in place, as RDS does it."""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import Shop, build
from tests.support.content import content_of
from tests.support.databases import QUICK, execute, session, value
from tests.support.in_memory import in_memory
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import upgraded
from totes.star import STAR_TABLES
from totes.warehouse import load

GRANTED = "SELECT has_table_privilege('analyst', 'current_payment', 'SELECT')"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="totes-", dir=in_memory(), ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def old(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL 16."""
    server = EmbeddedPostgres(folder / "old", version=16, settings=QUICK)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pipeline(old: EmbeddedPostgres) -> Pipeline:
    """A shop of version 16 that has lived, and its warehouse, with a view of somebody's and a role that reads it."""
    for name in ("source", "warehouse"):
        old.create_database(name)
    store = MemoryStore()
    made = on(old, Pipeline(source="", warehouse="", ingestion=store.bucket("ingestion"), processed=store.bucket("p")))
    build(made.source, orders=60, seed=3)
    made.tick()
    execute(made.source, "UPDATE payment SET paid = NOT paid WHERE payment_id % 3 = 0")
    execute(made.source, "DELETE FROM payment WHERE payment_id % 11 = 0")
    made.tick()
    execute(
        made.warehouse,
        "CREATE VIEW paid AS SELECT * FROM current_payment WHERE paid; CREATE ROLE analyst; "
        "GRANT SELECT ON current_payment TO analyst; CREATE INDEX by_amount ON fact_payment (payment_amount)",
    )
    return made


def on(server: EmbeddedPostgres, pipeline: Pipeline) -> Pipeline:
    return dataclasses.replace(pipeline, source=server.uri("source"), warehouse=server.uri("warehouse"))


def test_an_upgrade_loses_no_change_and_brings_none_and_a_rebuild_keeps_what_others_made(
    pipeline: Pipeline, old: EmbeddedPostgres, folder: Path
) -> None:
    before = content_of(pipeline.warehouse)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
    with upgraded(old, folder / "new", QUICK) as new:
        pipeline = on(new, pipeline)
        counts = pipeline.tick().tables
        assert {name: table.versions for name, table in counts.items() if table.versions} == {"fact_payment": 1}
        assert not any(table.deleted for table in counts.values())

        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
        Shop(pipeline.source, seed=3).trade(30)
        pipeline.tick()
        assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
        after = content_of(pipeline.warehouse)
        assert set(before["fact_payment"]) <= set(after["fact_payment"])

        paid = value(pipeline.warehouse, "SELECT count(*) FROM paid")
        with session(pipeline.warehouse) as connection:
            load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
        assert content_of(pipeline.warehouse) == after
        assert value(pipeline.warehouse, "SELECT count(*) FROM paid") == paid
        assert value(pipeline.warehouse, GRANTED)
        assert value(pipeline.warehouse, "SELECT to_regclass('by_amount') IS NOT NULL")
        assert not pipeline.tick().batches.count
