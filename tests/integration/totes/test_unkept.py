"""Whoever asks is told which references of the source may lead nowhere, so that a join would lose rows."""

import pytest

from tests.support.databases import execute, own_session, value
from tests.support.pipeline import Pipeline
from totes.answers import fitness
from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES


def said_of_source(pipeline: Pipeline) -> str:
    found = fitness(
        lambda: own_session(pipeline.source, "source"),
        lambda: own_session(pipeline.warehouse, "warehouse"),
        SOURCE_TABLES,
        STAR_TABLES,
    )
    [finding] = [each for each in found if each.subject == "source"]
    assert finding.good
    return finding.sentence


@pytest.mark.begun
def test_a_source_that_keeps_every_reference_of_a_fact_is_told_nothing(pipeline: Pipeline) -> None:
    assert "foreign key" not in said_of_source(pipeline)


@pytest.mark.begun
def test_columns_without_a_valid_foreign_key_are_named(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order DROP CONSTRAINT sales_order_design_id_fkey;"
        "ALTER TABLE payment DROP CONSTRAINT payment_currency_id_fkey, "
        "ADD FOREIGN KEY (currency_id) REFERENCES currency NOT VALID;"
        "UPDATE sales_order SET design_id = 9999 WHERE sales_order_id = 1",
    )
    pipeline.tick()
    by_design = "SELECT count(*) FROM current_sales_order JOIN dim_design USING (design_id) WHERE sales_order_id = 1"
    assert value(pipeline.warehouse, by_design) == 0, "or nobody would have to be told"
    assert "no foreign key keeps payment.currency_id, sales_order.design_id: a row" in said_of_source(pipeline)
