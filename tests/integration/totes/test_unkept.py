"""Whoever asks is told which references of the source may lead nowhere, so that a join would lose rows."""

import pytest

from tests.support.databases import execute, own_session, session, value
from tests.support.pipeline import Pipeline
from totes.answers import fitness
from totes.answers.unkept import unkept_references
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


def dangling(pipeline: Pipeline) -> int:
    """How many sales orders are lost where they are joined to designs."""
    orders, joined = "SELECT count(*) FROM current_sales_order", " JOIN dim_design USING (design_id)"
    return int(value(pipeline.warehouse, orders)) - int(value(pipeline.warehouse, orders + joined))


TO_ANOTHER_KEY = """
    ALTER TABLE sales_order DROP CONSTRAINT sales_order_design_id_fkey;
    ALTER TABLE design ADD COLUMN number integer UNIQUE; UPDATE design SET number = design_id + 1000;
    UPDATE sales_order SET design_id = design_id + 1000;
    ALTER TABLE sales_order ADD FOREIGN KEY (design_id) REFERENCES design (number)
"""

ON_THE_PARENT_ALONE = """
    CREATE TABLE old_sales_order () INHERITS (sales_order);
    INSERT INTO old_sales_order SELECT * FROM sales_order WHERE sales_order_id = 1;
    UPDATE old_sales_order SET sales_order_id = 99999, design_id = 9999
"""


@pytest.mark.parametrize("change", [TO_ANOTHER_KEY, ON_THE_PARENT_ALONE])
@pytest.mark.begun
def test_a_foreign_key_that_does_not_keep_the_reference_is_none(pipeline: Pipeline, change: str) -> None:
    execute(pipeline.source, change)
    pipeline.tick()
    assert dangling(pipeline) > 0, "or nobody would have to be told"
    assert "sales_order.design_id" in said_of_source(pipeline)


ON_EACH_PARTITION = """
    ALTER TABLE transaction DROP CONSTRAINT transaction_sales_order_id_fkey;
    ALTER TABLE sales_order RENAME TO sales_order_1;
    CREATE TABLE sales_order (LIKE sales_order_1) PARTITION BY RANGE (sales_order_id);
    ALTER TABLE sales_order ADD PRIMARY KEY (sales_order_id);
    ALTER TABLE sales_order ATTACH PARTITION sales_order_1 DEFAULT
"""

OF_TWO_COLUMNS = """
    ALTER TABLE sales_order DROP CONSTRAINT sales_order_design_id_fkey, ADD COLUMN tenant integer NOT NULL DEFAULT 1;
    ALTER TABLE design ADD COLUMN tenant integer NOT NULL DEFAULT 1, ADD UNIQUE (design_id, tenant);
    ALTER TABLE sales_order ADD FOREIGN KEY (design_id, tenant) REFERENCES design (design_id, tenant)
"""


@pytest.mark.parametrize("change", [ON_EACH_PARTITION, OF_TWO_COLUMNS])
@pytest.mark.begun
def test_a_reference_that_is_kept_in_another_way_is_kept(pipeline: Pipeline, change: str) -> None:
    execute(pipeline.source, change)
    assert "foreign key" not in said_of_source(pipeline)


@pytest.mark.begun
def test_a_second_column_that_may_be_null_keeps_nothing(pipeline: Pipeline) -> None:
    execute(pipeline.source, OF_TWO_COLUMNS + "; ALTER TABLE sales_order ALTER COLUMN tenant DROP NOT NULL")
    assert "sales_order.design_id" in said_of_source(pipeline)


@pytest.mark.begun
def test_names_of_others_are_not_asked_for(pipeline: Pipeline) -> None:
    """In a database of SQL_ASCII they may be no text at all."""
    asked: list[tuple[str, ...]] = []
    with session(pipeline.source) as source, source.cursor() as cursor:
        cursor.execute("CREATE TABLE of_others (which integer REFERENCES design)")
        cursor.execute("ALTER TABLE sales_order DROP CONSTRAINT sales_order_design_id_fkey")
        unkept_references(cursor, SOURCE_TABLES, STAR_TABLES)
        cursor.scroll(0, mode="absolute")
        asked = cursor.fetchall()
    assert asked == [("sales_order", "design_id")]
