"""Indexes of others are built beside the live tables, so that nobody waits for them, and none is lost or made up."""

import pytest

from tests.integration.totes.test_rebuild import priced_in_text, rebuilt
from tests.integration.totes.test_roles import Role
from tests.integration.totes.test_what_others_made import by_role, loader
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES, replay
from totes.warehouse.ledger import warehouse_state
from totes.warehouse.rebuild import Rebuild, StepResult, steps

__all__ = ["by_role", "loader"]

INDEXES = """
    SELECT pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class') FROM pg_index
    WHERE indrelid::regclass::text IN ('dim_design', 'fact_payment', 'etl.batch', 'etl.quarantine') ORDER BY 1
"""

BESIDE = "SELECT oid FROM pg_class WHERE relname ~ '^index_beside_'"

WHILE_NOBODY_READS = """
    CREATE FUNCTION watched(name text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (
            SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = to_regclass('public.dim_design')
        ) THEN
            RAISE 'built while nobody can read the table';
        END IF;
        RETURN lower(name);
    END $$;
"""


def until_indexes_are_built(pipeline: Pipeline) -> None:
    """Publish an edition, and rebuild the warehouse from it up to its first indexes."""
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    while not rows(pipeline.warehouse, BESIDE):
        assert step(pipeline) is StepResult.MORE


def step(pipeline: Pipeline) -> StepResult:
    """One step of a rebuild."""
    with session(pipeline.warehouse) as connection:
        with connection, connection.cursor() as cursor:
            seen = warehouse_state(cursor)
        return Rebuild(connection, pipeline.processed, STAR_TABLES).step(seen)


@pytest.mark.begun
def test_nobody_waits_for_an_index_that_is_built_again(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, WHILE_NOBODY_READS + "CREATE INDEX slow ON dim_design (watched(file_name))")
    before = rows(pipeline.warehouse, INDEXES)
    assert rebuilt(pipeline).rebuilding is None
    assert rows(pipeline.warehouse, INDEXES) == before


@pytest.mark.parametrize("when", ["before it looks at them again", "at the very moment of the swap"])
@pytest.mark.begun
def test_what_becomes_of_indexes_while_a_warehouse_is_rebuilt_is_so_afterwards(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    execute(
        pipeline.warehouse,
        "CREATE INDEX redefined ON dim_design (file_name); CREATE INDEX dropped ON fact_payment (paid);"
        'CREATE INDEX renamed ON etl.batch (captured_at); CREATE INDEX "%Kept {} now" ON dim_design (lower(file_name))',
    )
    until_indexes_are_built(pipeline)
    execute(
        pipeline.warehouse,
        "DROP INDEX redefined, dropped; CREATE UNIQUE INDEX redefined ON dim_design (design_id) INCLUDE (file_name);"
        "ALTER INDEX etl.renamed RENAME TO other; COMMENT ON INDEX etl.other IS 'mine';"
        "CREATE INDEX late ON etl.quarantine (reason) WHERE resolved_by IS NULL",
    )
    before = rows(pipeline.warehouse, INDEXES)
    if when == "at the very moment of the swap":
        build, looks = Rebuild._build_indexes, iter([False])
        monkeypatch.setattr(Rebuild, "_build_indexes", lambda *given: next(looks, True) and build(*given))
        monkeypatch.setattr(steps, "_PAUSE", 0.0)
    assert pipeline.load().rebuilding is None
    assert rows(pipeline.warehouse, INDEXES) == before
    assert not rows(pipeline.warehouse, BESIDE)


def test_an_index_that_is_still_there_is_not_built_twice(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "SHORT_SECONDS", 0.0)
    pipeline.tick()
    execute(pipeline.warehouse, "CREATE INDEX one ON dim_design (file_name); CREATE INDEX two ON etl.batch (horizon)")
    until_indexes_are_built(pipeline)
    [built] = rows(pipeline.warehouse, BESIDE)
    assert step(pipeline) is StepResult.MORE
    both = rows(pipeline.warehouse, BESIDE)
    assert len(both) == 2
    assert built in both
    pipeline.load()
    assert rows(pipeline.warehouse, "SELECT oid FROM pg_class WHERE relname IN ('one', 'two') ORDER BY 1") == sorted(
        both
    )


@pytest.mark.begun
def test_an_index_that_the_new_rows_break_is_named_and_nothing_is_changed(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    pipeline.tick()
    execute(
        pipeline.warehouse,
        "DELETE FROM fact_payment WHERE payment_id = 5 AND batch_id = 1;"
        "CREATE UNIQUE INDEX one ON fact_payment (payment_id)",
    )
    with pytest.raises(ConfigurationError, match=r"the index one of fact_payment cannot be made.*23505.*drop it"):
        rebuilt(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM fact_payment WHERE payment_id = 5") == 1
    execute(pipeline.warehouse, "DROP INDEX one")
    rebuilt(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM fact_payment WHERE payment_id = 5") == 2


@pytest.mark.begun
def test_a_unique_index_that_is_dropped_since_it_was_built_stops_no_batch(pipeline: Pipeline) -> None:
    """The next batch breaks it, and its owner drops it so that this can be loaded."""
    execute(pipeline.warehouse, "CREATE UNIQUE INDEX one ON fact_payment (payment_id)")
    until_indexes_are_built(pipeline)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    execute(pipeline.warehouse, "DROP INDEX one")
    pipeline.tick()
    assert pipeline.load().rebuilding is None
    assert value(pipeline.warehouse, "SELECT edition FROM etl.content") == 2
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_an_index_that_the_loader_may_not_make_is_named_before_a_rebuild_begins(
    pipeline: Pipeline, by_role: Pipeline, loader: Role
) -> None:
    by_role.tick()
    execute(
        pipeline.warehouse,
        "CREATE SCHEMA secret;"
        "CREATE FUNCTION secret.low(text) RETURNS text IMMUTABLE BEGIN ATOMIC SELECT lower($1); END;"
        "CREATE INDEX hidden ON dim_design (secret.low(file_name))",
    )
    with pytest.raises(
        ConfigurationError, match=r"the index hidden of dim_design.*permission denied for schema secret"
    ):
        rebuilt(by_role)
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")
    execute(pipeline.warehouse, f"GRANT USAGE ON SCHEMA secret TO {loader.username}")
    assert rebuilt(by_role).rebuilding is None
    assert value(pipeline.warehouse, "SELECT to_regclass('hidden') IS NOT NULL")


@pytest.mark.begun
def test_an_index_that_a_retyped_column_cannot_have_is_named_before_a_rebuild_begins(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE INDEX rounded ON fact_sales_order (round(unit_price))")
    with pytest.raises(ConfigurationError, match=r"the index rounded of fact_sales_order.*function round"):
        rebuilt(pipeline, priced_in_text())
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")


KEYS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid IN ('fact_payment'::regclass, 'dim_design'::regclass, 'etl.batch'::regclass)
    AND contype IN ('p', 'u') ORDER BY 1
"""

MADE_AGAIN = """
    CREATE UNIQUE INDEX again ON {table} ({columns});
    ALTER TABLE {table} DROP CONSTRAINT {key};
    ALTER INDEX {schema}.again RENAME TO {key}
"""


@pytest.mark.begun
def test_a_key_that_was_made_again_as_an_index_of_its_name_is_a_key_after_a_rebuild(pipeline: Pipeline) -> None:
    before = rows(pipeline.warehouse, KEYS)
    for schema, table, key, columns in (
        ("public", "dim_design", "dim_design_pkey", "design_id"),
        ("public", "fact_payment", "fact_payment_payment_id_batch_id_key", "payment_id, batch_id"),
        ("etl", "etl.batch", "batch_pkey", "batch_id"),
    ):
        execute(pipeline.warehouse, MADE_AGAIN.format(schema=schema, table=table, key=key, columns=columns))
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    execute(pipeline.source, "UPDATE design SET file_name = 'again' WHERE design_id = 2")
    pipeline.tick()
    assert rebuilt(pipeline).rebuilding is None
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert rows(pipeline.warehouse, KEYS) == before


@pytest.mark.begun
def test_an_index_that_has_the_name_of_a_key_and_is_another_is_named_before_a_rebuild_begins(
    pipeline: Pipeline,
) -> None:
    execute(
        pipeline.warehouse,
        "ALTER INDEX fact_payment_pkey RENAME TO fact_payment_record;"
        "CREATE INDEX fact_payment_pkey ON fact_payment (payment_date)",
    )
    with pytest.raises(
        ConfigurationError, match=r"the index fact_payment_pkey of fact_payment .*\(payment_record_id\).*rename it"
    ):
        rebuilt(pipeline)
    assert value(pipeline.warehouse, "SELECT to_regclass('etl.rebuild') IS NULL")
    execute(pipeline.warehouse, "ALTER INDEX fact_payment_pkey RENAME TO mine")
    assert pipeline.load().rebuilding is None
    assert value(pipeline.warehouse, "SELECT to_regclass('mine') IS NOT NULL")
