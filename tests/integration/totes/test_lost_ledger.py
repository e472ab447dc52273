"""A table of the ledger, the state or the exchange rates that somebody has dropped or renamed is made again."""

import dataclasses
import logging
import re

import pytest

from tests.integration.totes.test_rates import FIRST, Site, brought, fetch, held, site
from tests.integration.totes.test_rebuild import rebuilt
from tests.support.content import content_of
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.answers import fitness, state_of
from totes.capture import SOURCE_TABLES
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES
from totes.verify import verify

__all__ = ["site"]

READ_BY_REPORTS = "SELECT batch, quarantined FROM report.freshness"
LEFT = "SELECT relname FROM pg_class WHERE relname ~ '^(staged|rebuil|index_beside)'"


def with_quarantine(pipeline: Pipeline) -> None:
    """Bring a batch with a row that waits in quarantine, and another one that waits to be loaded."""
    execute(pipeline.source, "UPDATE payment SET payment_date = 'no date' WHERE payment_id = 4")
    pipeline.tick()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    pipeline.capture()
    pipeline.transform()


DROPPED = {
    "batch_table": "DROP TABLE etl.batch_table CASCADE",
    "drift": "DROP TABLE etl.drift CASCADE",
    "quarantine": "DROP TABLE etl.quarantine CASCADE",
    "content": "DROP TABLE etl.content CASCADE",
    "star_column": "DROP TABLE etl.star_column CASCADE",
    "content, star_column": "DROP TABLE etl.content, etl.star_column CASCADE",
    "batch": "DROP TABLE etl.batch CASCADE",
    "batch, renamed": "ALTER TABLE etl.batch RENAME TO batch_old",
    "quarantine, renamed": "ALTER TABLE etl.quarantine RENAME TO quarantine_old",
    "batch, batch_table, drift, quarantine": (
        "DROP TABLE etl.batch, etl.batch_table, etl.drift, etl.quarantine CASCADE"
    ),
    "batch, batch_table, drift, quarantine, content, star_column": (
        "DROP TABLE etl.batch, etl.batch_table, etl.drift, etl.quarantine, etl.content, etl.star_column CASCADE"
    ),
}


@pytest.mark.begun
def test_what_reads_the_ledger_names_its_tables_that_are_gone(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "DROP TABLE etl.batch_table, etl.drift, etl.quarantine CASCADE")
    lacking = r"the warehouse lacks etl\.batch_table, etl\.drift, etl\.quarantine, which was lost, .*\(totes run\)"
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        with pytest.raises(ConfigurationError, match=lacking):
            verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
        with pytest.raises(ConfigurationError, match=lacking):
            state_of(warehouse, STAR_TABLES)


@pytest.mark.parametrize("what", DROPPED)
@pytest.mark.lived
def test_a_table_of_the_ledger_that_was_dropped_comes_back_with_its_rows(
    pipeline: Pipeline, another_database: str, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    with_quarantine(pipeline)
    dataclasses.replace(pipeline, warehouse=another_database).load()
    execute(pipeline.warehouse, DROPPED[what])
    said = ", ".join(f"etl.{name}" for name in what.removesuffix(", renamed").split(", "))
    connects = (lambda: session(pipeline.source), lambda: session(pipeline.warehouse))
    assert f"{said} was dropped; the next run makes all of it again" in str(
        [*fitness(*connects, SOURCE_TABLES, STAR_TABLES)]
    )
    while pipeline.load().rebuilding:
        pass
    assert f"{said} was dropped; the warehouse is rebuilt" in caplog.text
    assert content_of(pipeline.warehouse) == content_of(another_database)
    assert rows(pipeline.warehouse, READ_BY_REPORTS) == rows(another_database, READ_BY_REPORTS)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 6")
    caplog.clear()
    assert pipeline.tick().batches.count == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    rebuilt(pipeline)
    indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'etl' AND tablename = 'quarantine'"
    assert value(pipeline.warehouse, indexes) == 2
    assert rows(pipeline.warehouse, LEFT) == []
    newest = value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch")
    assert rows(pipeline.warehouse, READ_BY_REPORTS)[0][0] == newest


@pytest.mark.begun
def test_beside_star_tables_without_any_ledger_the_load_says_what_to_do_and_that_works(pipeline: Pipeline) -> None:
    before = content_of(pipeline.warehouse)
    execute(pipeline.warehouse, "DROP SCHEMA etl CASCADE")
    with pytest.raises(ConfigurationError, match=r"; name an empty database, or, .*DROP TABLE .* CASCADE") as refusal:
        pipeline.load()
    [remedy] = re.findall("DROP TABLE .* CASCADE", str(refusal.value))
    execute(pipeline.warehouse, remedy)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_without_its_ledger_a_warehouse_goes_back_to_no_earlier_batch(pipeline: Pipeline) -> None:
    """An edition may not have come as far as the warehouse yet."""
    execute(pipeline.warehouse, "DROP TABLE etl.batch CASCADE")
    execute(pipeline.warehouse, "UPDATE etl.batch_table SET batch_id = 2; UPDATE fact_payment SET paid = NOT paid")
    paid = rows(pipeline.warehouse, "SELECT payment_id, paid FROM fact_payment ORDER BY 1")
    assert pipeline.load().rebuilding
    assert rows(pipeline.warehouse, "SELECT payment_id, paid FROM fact_payment ORDER BY 1") == paid
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    assert pipeline.tick().rebuilding is None
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_the_content_is_written_also_without_its_key(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "ALTER TABLE etl.content DROP CONSTRAINT content_pkey")
    rebuilt(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.content WHERE NOT rebuild") == 1


LOST_RATES = {
    "refused_rate": "DROP TABLE etl.refused_rate CASCADE",
    "reporting_currency": "DROP TABLE etl.reporting_currency CASCADE",
    "rate_day": "DROP TABLE etl.rate_day CASCADE",
    "rate_quarantine": "DROP VIEW etl.rate_quarantine CASCADE",
    "refused_rate, renamed": "ALTER TABLE etl.refused_rate RENAME TO refused_old",
}


@pytest.mark.parametrize("what", LOST_RATES)
@pytest.mark.begun
def test_what_was_dropped_of_the_ledger_of_rates_comes_back(pipeline: Pipeline, site: Site, what: str) -> None:
    nonsense = "SELECT star_table, key, reason, source_row FROM etl.rate_quarantine ORDER BY 1, 2"
    site.says(FIRST, usd=1.25, eur=0)
    fetch(pipeline, site)
    brought(pipeline)
    before = (held(pipeline), rows(pipeline.warehouse, nonsense))
    assert all(before)
    execute(pipeline.warehouse, LOST_RATES[what])
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert pipeline.tick().batches.count == 1
    assert not brought(pipeline).failed
    assert (held(pipeline), rows(pipeline.warehouse, nonsense)) == before
    assert brought(pipeline).days == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
