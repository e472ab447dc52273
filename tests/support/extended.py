"""Run in a project that the recipes of docs/extending.md have extended: it takes up what the version before has left.

`python -m tests.support.extended SOURCE WAREHOUSE`, with the URIs of two empty databases of one server.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

from simulator import build
from tests.integration.totes.test_reports import assert_answers_are_the_sources
from tests.support.databases import execute, session, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES, Captured, capture
from totes.capture.source_schema import SourceTable
from totes.errors import ConfigurationError
from totes.roles import prepare_source
from totes.star import STAR_TABLES, replay, transform
from totes.star_schema import Dimension, StarTable
from totes.verify import verify
from totes.warehouse import load

ROLE = {"username": "totes_extended", "password": "a-password"}

SOURCES_BEFORE = [table for table in SOURCE_TABLES if table.name != "complaint"]


def star_before() -> list[StarTable]:
    """The star of the version before, which knows of no complaints and of no managers."""
    return [
        replace(table, columns=[column for column in table.columns if column.name != "manager"])
        if isinstance(table, Dimension)
        else table
        for table in STAR_TABLES
        if table.name != "fact_complaint"
    ]


def let_read(source: str, tables: Sequence[SourceTable]) -> None:
    """What `totes init source` does."""
    with session(source) as admin:
        prepare_source(admin, ROLE, [table.name for table in tables])


def captured(pipeline: Pipeline, tables: Sequence[SourceTable]) -> Captured:
    """A capture by the role that may read what it was let."""
    with session(pipeline.source) as shop:
        with shop, shop.cursor() as cursor:
            cursor.execute(f"SET ROLE {ROLE['username']}")
        return capture(shop, pipeline.ingestion, tables)


def loaded_by_the_version_before(pipeline: Pipeline) -> None:
    """A batch and a warehouse that hold nothing of what was added."""
    let_read(pipeline.source, SOURCES_BEFORE)
    captured(pipeline, SOURCES_BEFORE)
    transform(pipeline.ingestion, pipeline.processed, star_before())
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, star_before())


def refusal(pipeline: Pipeline) -> str:
    """What a run says whose role may not read the new table."""
    try:
        captured(pipeline, SOURCE_TABLES)
    except ConfigurationError as error:
        return str(error)
    raise AssertionError("a table was read that nobody let the role read")


def replayed(pipeline: Pipeline) -> None:
    """What `totes replay --from 1` does, to its end."""
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    while pipeline.load().rebuilding:
        pass


def main(source: str, warehouse: str) -> None:
    """Print what a run says without the grant; with it, the new table, column and question arrive and are equal."""
    build(source, orders=100, seed=1)
    store = MemoryStore()
    ingestion, processed = store.bucket("ingestion"), store.bucket("processed")
    pipeline = Pipeline(source=source, warehouse=warehouse, ingestion=ingestion, processed=processed)
    loaded_by_the_version_before(pipeline)

    print(refusal(pipeline))  # noqa: T201 - what the test reads
    let_read(source, SOURCE_TABLES)
    assert captured(pipeline, SOURCE_TABLES).batch == 2
    execute(source, "DROP OWNED BY totes_extended; DROP ROLE totes_extended")

    assert pipeline.tick().tables["fact_complaint"].versions == 10
    execute(source, "UPDATE complaint SET refund = 7.5 WHERE complaint_id = 3")
    execute(source, "DELETE FROM complaint WHERE complaint_id = 4")
    pipeline.tick()
    assert value(warehouse, "SELECT count(*) FROM fact_complaint") == 12
    replayed(pipeline)
    assert_warehouse_mirrors(source, warehouse)
    assert_answers_are_the_sources(pipeline)
    with session(source) as shop, session(warehouse) as connection:
        assert verify(shop, connection, ingestion, SOURCE_TABLES, STAR_TABLES).differences == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
