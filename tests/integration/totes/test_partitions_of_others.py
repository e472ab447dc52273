"""A star table that somebody has partitioned is loaded; what is on its partitions, or is lacking, is named."""

import pytest

from tests.integration.totes.test_rebuild import rebuilt
from tests.integration.totes.test_what_others_made import SWALLOWING
from tests.support.databases import execute, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError

DESIGNS = """
    ALTER TABLE dim_design RENAME TO was;
    CREATE TABLE dim_design (LIKE was INCLUDING DEFAULTS, PRIMARY KEY (design_id)) PARTITION BY HASH (design_id);
    CREATE TABLE d0 PARTITION OF dim_design FOR VALUES WITH (MODULUS 1, REMAINDER 0) PARTITION BY HASH (design_id);
    CREATE TABLE d00 PARTITION OF d0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO dim_design SELECT * FROM was;
"""

EDIT = "UPDATE design SET file_name = 'secret' WHERE design_id IN (1, 2)"

BEFORE = SWALLOWING.format("RETURN NULL;") + (
    "CREATE TRIGGER tr BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION tf();"
)


MOVED = 'CREATE SCHEMA "Old Data"; ALTER TABLE d00 SET SCHEMA "Old Data";'


@pytest.mark.parametrize(
    ("on", "named"), [("d00", r"tr of public\.d00"), ('"Old Data".d00', r'tr of "Old Data"\.d00'), ("dim_design", "tr")]
)
@pytest.mark.begun
def test_a_trigger_of_a_partition_that_swallows_rows_of_the_shop_is_named(
    pipeline: Pipeline, on: str, named: str
) -> None:
    execute(pipeline.warehouse, DESIGNS + (MOVED if "Old" in on else "") + BEFORE.format(on))
    execute(pipeline.source, EDIT)
    said = f"batch 2 cannot be loaded: 2 of 2 rows of dim_design .* by the trigger {named}; drop it"
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=said):
            pipeline.tick()
    execute(pipeline.warehouse, "DROP FUNCTION tf CASCADE")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


FAILING = {
    "a trigger": (
        SWALLOWING.format("RAISE EXCEPTION 'secret';")
        + "CREATE TRIGGER tr AFTER UPDATE ON d00 FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE TRIGGER of_statements AFTER UPDATE ON d00 EXECUTE FUNCTION tf()",
        r"P0001, RaiseException.: the trigger tr of public\.d00; drop it",
    ),
    "a trigger of the whole table": (
        SWALLOWING.format("RAISE EXCEPTION 'secret';")
        + "CREATE TRIGGER tr AFTER UPDATE ON dim_design FOR EACH ROW EXECUTE FUNCTION tf()",
        "P0001, RaiseException.: the trigger tr of dim_design; drop it",
    ),
    "a check": (
        "ALTER TABLE d00 ADD CONSTRAINT known CHECK (file_name <> 'secret')",
        r"23514, CheckViolation.: the constraint known of public\.d00; drop it",
    ),
    "a check, in another schema": (
        MOVED + "ALTER TABLE \"Old Data\".d00 ADD CONSTRAINT known CHECK (file_name <> 'secret')",
        r'23514, CheckViolation.: the constraint known of "Old Data"\.d00; drop it',
    ),
    "a publication, in another schema": (
        MOVED + 'ALTER TABLE "Old Data".d00 REPLICA IDENTITY NOTHING; CREATE PUBLICATION ours FOR TABLE dim_design',
        r'"Old Data"\.d00 is published by ours and .*; ALTER TABLE "Old Data"\.d00 REPLICA IDENTITY DEFAULT',
    ),
    "a unique index": (
        "CREATE UNIQUE INDEX one_each ON d00 (file_name)",
        r"23505, UniqueViolation.: the index one_each of public\.d00; drop it",
    ),
}


@pytest.mark.parametrize("what", FAILING)
@pytest.mark.begun
def test_what_is_on_a_partition_and_fails_on_a_row_of_the_shop_is_named(pipeline: Pipeline, what: str) -> None:
    made, said = FAILING[what]
    execute(pipeline.warehouse, DESIGNS + made)
    execute(pipeline.source, EDIT)
    with pytest.raises(ConfigurationError, match=f"batch 2 cannot be loaded: .*{said}") as refusal:
        pipeline.tick()
    assert "secret" not in str(refusal.value)
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 1


PAYMENTS = """
    ALTER TABLE fact_payment RENAME TO was;
    CREATE TABLE fact_payment (LIKE was INCLUDING DEFAULTS) PARTITION BY LIST (is_deleted);
    CREATE TABLE held PARTITION OF fact_payment FOR VALUES IN (false);
    INSERT INTO fact_payment SELECT * FROM was;
"""


@pytest.mark.begun
def test_a_partition_that_is_lacking_for_a_row_of_the_shop_is_asked_for(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, PAYMENTS)
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 4")
    with pytest.raises(
        ConfigurationError,
        match=r"^batch 2 cannot be loaded: fact_payment is partitioned, and has no partition for a row of the batch; "
        r"add one, or a DEFAULT$",
    ):
        pipeline.tick()
    execute(pipeline.warehouse, "CREATE TABLE others PARTITION OF fact_payment DEFAULT")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize(("made", "table"), [(DESIGNS, "dim_design"), (PAYMENTS, "fact_payment")])
@pytest.mark.begun
def test_a_rebuild_over_a_table_that_is_partitioned_says_so(pipeline: Pipeline, made: str, table: str) -> None:
    execute(pipeline.warehouse, made)
    said = f"{table} is partitioned, and what replaces it is not; rename it, and the next load makes the table"
    with pytest.raises(ConfigurationError, match=said) as refusal:
        rebuilt(pipeline)
    assert "access method" not in str(refusal.value)
    execute(pipeline.warehouse, f"ALTER TABLE {table} RENAME TO kept")
    rebuilt(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
