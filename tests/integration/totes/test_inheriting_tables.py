"""A table that inherits from one of totes' own doubles what readers count: it is refused by name until it is let go."""

import pytest

from tests.integration.totes.test_verify import assert_equal, verdict_on
from tests.integration.totes.test_what_others_made import by_role, loader
from tests.support.databases import execute, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.answers import fitness
from totes.capture import SOURCE_TABLES
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES

__all__ = ["by_role", "loader"]

INHERITING = {
    "of a fact": (
        (
            "CREATE TABLE old_orders () INHERITS (fact_sales_order);"
            "INSERT INTO old_orders SELECT * FROM ONLY fact_sales_order WHERE sales_order_id < 10"
        ),
        r"the table public\.old_orders inherits from public\.fact_sales_order, so .* twice",
        "ALTER TABLE public.old_orders NO INHERIT public.fact_sales_order",
    ),
    "of a dimension, in a second generation": (
        (
            'CREATE TABLE staff () INHERITS (dim_staff); CREATE TABLE "staff of 2023" () INHERITS (staff);'
            'INSERT INTO "staff of 2023" SELECT * FROM ONLY dim_staff WHERE staff_id = 2'
        ),
        r'the table public\."staff of 2023" inherits from public\.dim_staff, so .* twice',
        'ALTER TABLE public."staff of 2023" NO INHERIT public.staff',
    ),
    "from another schema": (
        (
            'CREATE SCHEMA "Old Data"; CREATE TABLE "Old Data".designs () INHERITS (dim_design);'
            'INSERT INTO "Old Data".designs SELECT * FROM ONLY dim_design WHERE design_id = 2'
        ),
        r'the table "Old Data"\.designs inherits from public\.dim_design, so .* twice',
        'ALTER TABLE "Old Data".designs NO INHERIT public.dim_design',
    ),
    "of the ledger": (
        (
            "CREATE TABLE old_counts () INHERITS (etl.batch_table);"
            "INSERT INTO old_counts SELECT * FROM ONLY etl.batch_table"
        ),
        r"the table public\.old_counts inherits from etl\.batch_table, so .* twice",
        "ALTER TABLE public.old_counts NO INHERIT etl.batch_table",
    ),
}


@pytest.mark.begun
@pytest.mark.parametrize("of", INHERITING)
def test_a_table_that_inherits_rows_to_one_of_totes_is_named_by_every_load_verify_and_doctor(
    pipeline: Pipeline, of: str
) -> None:
    made, named, remedy = INHERITING[of]
    execute(pipeline.warehouse, made)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    for refused in (pipeline.tick, lambda: verdict_on(pipeline)):
        with pytest.raises(ConfigurationError, match=named) as refusal:
            refused()
        assert remedy in str(refusal.value)
    found = fitness(lambda: session(pipeline.source), lambda: session(pipeline.warehouse), SOURCE_TABLES, STAR_TABLES)
    [finding] = [each for each in found if each.subject == "warehouse"]
    assert not finding.good
    assert remedy in finding.sentence
    execute(pipeline.warehouse, remedy)
    pipeline.tick()
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_table_that_inherits_is_named_though_the_loader_may_not_read_it(
    pipeline: Pipeline, by_role: Pipeline
) -> None:
    by_role.tick()
    made, named, _ = INHERITING["of a fact"]
    execute(pipeline.warehouse, made)
    with pytest.raises(ConfigurationError, match=named):
        by_role.load()


@pytest.mark.begun
def test_a_table_without_rows_may_inherit_from_a_star_table(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE TABLE child () INHERITS (fact_sales_order)")
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 7 WHERE sales_order_id = 3")
    assert pipeline.tick().newest == 2
    assert value(pipeline.warehouse, "SELECT count(*) FROM child") == 0
    assert_equal(pipeline)
