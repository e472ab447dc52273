"""What others have made under a name that totes needs is never dropped, and is refused by name until it gives way."""

import pytest

from tests.integration.totes.test_rebuild import rebuilt, step_of_load
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES
from totes.star_schema import Dimension, integer
from totes.warehouse import load
from totes.warehouse.rebuild import steps

LEFT = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname ~ '^(dim|fact|staged|rebui)_?'"
)


def test_a_first_load_leaves_alone_what_is_there_under_a_name_that_a_rebuild_needs(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "CREATE SCHEMA etl; CREATE TABLE etl.dim_date AS SELECT 1 AS holiday;"
        "CREATE VIEW etl.dim_staff AS SELECT 2 AS x; CREATE TYPE etl.staged_changes AS ENUM ('a')",
    )
    pipeline.capture()
    pipeline.transform()
    for _ in range(2):
        with pytest.raises(
            ConfigurationError,
            match=r"has the table etl\.dim_date, the view etl\.dim_staff, the type etl\.staged_changes, which totes",
        ):
            pipeline.load()
    assert value(pipeline.warehouse, "SELECT holiday FROM etl.dim_date") == 1
    execute(
        pipeline.warehouse,
        "ALTER TABLE etl.dim_date RENAME TO holidays; DROP VIEW etl.dim_staff; DROP TYPE etl.staged_changes",
    )
    pipeline.load()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_copy_of_a_star_table_in_schema_etl_outlives_a_rebuild_that_it_hinders(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "CREATE TABLE etl.dim_staff AS SELECT *, 'why' AS note FROM dim_staff;"
        "CREATE TABLE etl.staged_payments (mine integer); DROP TABLE dim_payment_type CASCADE",
    )
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    with pytest.raises(
        ConfigurationError, match=r"the table etl\.dim_staff, which totes did not make, where a rebuild"
    ):
        pipeline.tick()
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 2, "it holds up no batch"
    execute(pipeline.warehouse, "ALTER TABLE etl.dim_staff RENAME TO corrected_staff")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.corrected_staff WHERE note = 'why'") > 0
    assert rows(pipeline.warehouse, LEFT) == [("staged_payments",)]


@pytest.mark.parametrize("name", ["batch", "quarantine", "rate_quarantine", "rebuild"])
@pytest.mark.parametrize("first", [True, False])
def test_a_table_of_the_ledgers_name_is_refused_by_name(pipeline: Pipeline, name: str, *, first: bool) -> None:
    pipeline.capture()
    pipeline.transform()
    if first:
        execute(pipeline.warehouse, "CREATE SCHEMA etl")
    else:
        pipeline.load()
        kind = "VIEW" if name == "rate_quarantine" else "TABLE"
        execute(pipeline.warehouse, f"DROP {kind} IF EXISTS etl.{name} CASCADE")
    execute(pipeline.warehouse, f"CREATE TABLE etl.{name} (id serial PRIMARY KEY, name text, edition integer)")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=rf"the warehouse has etl\.{name}, which totes did not make"):
            pipeline.load()
    assert value(pipeline.warehouse, f"SELECT count(*) FROM etl.{name}") == 0


@pytest.mark.parametrize(
    "left",
    [
        "COMMENT ON TABLE etl.rebuild IS NULL; UPDATE etl.rebuild SET definitions = 'of an earlier totes'",
        "COMMENT ON TABLE etl.rebuild IS NULL; TRUNCATE etl.rebuild",
        "TRUNCATE etl.rebuild",
    ],
    ids=["of an earlier totes", "of an earlier totes, before a crash", "before a crash"],
)
@pytest.mark.begun
def test_what_a_rebuild_has_left_that_broke_off_is_cleared_away(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    pipeline.tick()
    execute(pipeline.warehouse, "UPDATE etl.content SET rebuild = true")
    assert step_of_load(pipeline).rebuilding
    assert len(rows(pipeline.warehouse, LEFT)) > 20
    execute(pipeline.warehouse, left)
    assert pipeline.load().rebuilding is None
    assert rows(pipeline.warehouse, LEFT) == []
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_rebuild_of_another_star_leaves_nothing_and_takes_nothing_of_others(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    execute(pipeline.warehouse, "UPDATE etl.content SET rebuild = true")
    assert step_of_load(pipeline).rebuilding
    execute(pipeline.warehouse, "CREATE TABLE etl.dim_department (mine integer)")
    dim_department = Dimension(
        name="dim_department", source="department", key="department_id", columns=(integer("department_id"),)
    )
    changed = (*(table for table in STAR_TABLES if table.name != "dim_payment_type"), dim_department)
    with session(pipeline.warehouse) as connection:
        with pytest.raises(ConfigurationError, match=r"the table etl\.dim_department, which totes did not make"):
            load(connection, pipeline.processed, changed, rebuild=True)
        execute(pipeline.warehouse, "ALTER TABLE etl.dim_department RENAME TO mine")
        load(connection, pipeline.processed, changed, rebuild=True)
    assert rows(pipeline.warehouse, LEFT) == []
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.mine") == 0


FILLED = """
    INSERT INTO dim_date
    SELECT day, extract(year FROM day), extract(month FROM day), extract(day FROM day), extract(isodow FROM day),
        trim(to_char(day, 'Day')), trim(to_char(day, 'Month')), extract(quarter FROM day), 0, false
    FROM generate_series('2020-01-01'::date, '2029-12-31', interval '1 day') AS day ON CONFLICT DO NOTHING
"""


@pytest.mark.begun
def test_days_that_somebody_has_added_to_the_calendar_outlive_a_rebuild(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, FILLED)
    execute(pipeline.warehouse, "UPDATE dim_date SET quarter = 9 WHERE batch_id = 1")
    days = rows(pipeline.warehouse, "SELECT date_id FROM dim_date ORDER BY 1")
    execute(pipeline.warehouse, "DROP TABLE dim_payment_type CASCADE")
    pipeline.load()
    assert rows(pipeline.warehouse, "SELECT date_id FROM dim_date ORDER BY 1") == days
    assert value(pipeline.warehouse, "SELECT count(*) FROM dim_date WHERE quarter = 9") == 0, (
        "totes' own are made again"
    )
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_days_that_a_calendar_of_other_columns_cannot_take_stop_no_rebuild(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, FILLED)
    named = value(pipeline.warehouse, "SELECT count(*) FROM dim_date WHERE batch_id > 0")
    execute(pipeline.warehouse, "ALTER TABLE dim_date DROP COLUMN day_name")
    rebuilt(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM dim_date") == named
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
