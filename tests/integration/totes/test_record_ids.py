"""A sequence of record ids that is behind is raised by the load; where nothing gives record ids, a rebuild does."""

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from tests.integration.totes.test_rebuild import rebuilt
from tests.support.databases import execute, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError
from totes.warehouse import batch

FACTS = {
    "fact_sales_order": "sales_record_id",
    "fact_purchase_order": "purchase_record_id",
    "fact_payment": "payment_record_id",
}

BEHIND = {
    "set": "SELECT setval(pg_get_serial_sequence('{table}', '{id}'), 1, false)",
    "one behind": "SELECT setval(pg_get_serial_sequence('{table}', '{id}'), max({id}), false) FROM {table}",
    "an identity": (
        "ALTER TABLE {table} ALTER COLUMN {id} DROP DEFAULT, ALTER COLUMN {id} ADD GENERATED ALWAYS AS IDENTITY"
    ),
    "another sequence": (
        'CREATE SEQUENCE "My {id}"; ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT nextval(\'"My {id}"\')'
    ),
}

EDIT = (
    "UPDATE sales_order SET units_sold = units_sold + 1; UPDATE payment SET paid = NOT paid;"
    "UPDATE purchase_order SET item_quantity = item_quantity + 1"
)


@pytest.mark.parametrize("what", BEHIND)
@pytest.mark.begun
def test_a_sequence_of_record_ids_that_is_behind_is_raised_by_the_load(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    for table, record_id in FACTS.items():
        execute(pipeline.warehouse, BEHIND[what].format(table=table, id=record_id))
    execute(pipeline.source, EDIT)
    pipeline.tick()
    assert "was behind the record ids" in caplog.text
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    caplog.clear()
    execute(pipeline.source, EDIT)
    pipeline.tick()
    assert "was behind the record ids" not in caplog.text
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.batch") == 3


@pytest.mark.begun
def test_the_load_that_is_tried_again_brings_all_that_the_first_try_had_begun(pipeline: Pipeline) -> None:
    comment = "SELECT obj_description('fact_payment'::regclass)"
    view = "SELECT to_regclass('report.sales_by_day') IS NOT NULL"
    keys_of_the_first_version = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    state = [value(pipeline.warehouse, query) for query in (comment, view, keys_of_the_first_version)]
    execute(
        pipeline.warehouse,
        f"{BEHIND['set'].format(table='fact_payment', id='payment_record_id')};"
        "COMMENT ON TABLE fact_payment IS NULL; DROP VIEW report.sales_by_day;"
        "ALTER TABLE fact_payment ADD FOREIGN KEY (batch_id) REFERENCES etl.batch",
    )
    execute(pipeline.source, EDIT)
    assert pipeline.tick().batches.count == 1
    assert [value(pipeline.warehouse, query) for query in (comment, view, keys_of_the_first_version)] == state


@pytest.mark.begun
def test_a_sequence_that_was_one_behind_for_one_row_stops_no_load(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, BEHIND["one behind"].format(table="fact_payment", id="payment_record_id"))
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert pipeline.tick().batches.count == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize(
    "made",
    [
        "ALTER TABLE fact_sales_order ALTER COLUMN sales_record_id DROP DEFAULT",
        "DROP SEQUENCE fact_sales_order_sales_record_id_seq CASCADE",
    ],
)
@pytest.mark.begun
def test_a_fact_whose_record_ids_nothing_gives_is_named_and_cured_by_a_rebuild(pipeline: Pipeline, made: str) -> None:
    execute(pipeline.warehouse, made)
    execute(pipeline.source, EDIT)
    with pytest.raises(ConfigurationError, match=r"fact_sales_order\.sales_record_id has no default.*totes rebuild"):
        pipeline.tick()
    assert rebuilt(pipeline).rebuilding is None
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    execute(pipeline.source, EDIT)
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("table", ["fact_sales_order", "dim_design"])
@pytest.mark.begun
def test_a_key_that_no_sequence_breaks_is_named_as_it_is(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    def fails(cursor: Cursor, *_arguments: object) -> int:
        cursor.execute(f"INSERT INTO public.{table} SELECT * FROM public.{table} LIMIT 1")
        return 0

    monkeypatch.setattr(batch, "_append_versions", fails)
    execute(pipeline.source, EDIT)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.batch") == 1
