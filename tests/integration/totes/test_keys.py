"""A key of a star table that somebody has dropped is made again, or is missed in words; so is what blurs texts."""

import pytest

from tests.integration.totes.test_rebuild import rebuilt
from tests.integration.totes.test_what_others_made import by_role, loader
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.answers import fitness
from totes.capture import SOURCE_TABLES
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES

__all__ = ["by_role", "loader"]

KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u') ORDER BY 1, 2
"""

COLLATION = """
    SELECT collname FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE attrelid = 'dim_staff'::regclass AND attname = '{}'
"""

DROPPED = """
    ALTER TABLE dim_design DROP CONSTRAINT dim_design_pkey;
    ALTER TABLE fact_payment DROP CONSTRAINT fact_payment_payment_id_batch_id_key
"""


def edit(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE design SET file_name = 'edited' WHERE design_id = 2")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")


@pytest.mark.begun
def test_a_key_that_was_dropped_is_there_again_with_the_next_load(pipeline: Pipeline) -> None:
    before = rows(pipeline.warehouse, KEYS)
    execute(pipeline.warehouse, DROPPED)
    edit(pipeline)
    pipeline.tick()
    assert rows(pipeline.warehouse, KEYS) == before
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_key_that_rows_break_is_named_and_a_rebuild_brings_it_back(pipeline: Pipeline) -> None:
    before = rows(pipeline.warehouse, KEYS)
    execute(pipeline.warehouse, DROPPED + "; INSERT INTO dim_design SELECT * FROM dim_design WHERE design_id = 2")
    edit(pipeline)
    with pytest.raises(
        ConfigurationError, match=r"the key \(design_id\) of dim_design is gone, .*\(2\) is duplicated.*totes rebuild"
    ):
        pipeline.tick()
    assert rebuilt(pipeline).rebuilding is None
    assert rows(pipeline.warehouse, KEYS) == before
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_the_doctor_names_a_key_for_which_the_next_load_would_be_refused(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        DROPPED + "; CREATE TEMPORARY TABLE again AS SELECT * FROM fact_payment WHERE payment_id = 5;"
        "UPDATE again SET payment_record_id = 1000000; INSERT INTO fact_payment SELECT * FROM again",
    )
    found = fitness(lambda: session(pipeline.source), lambda: session(pipeline.warehouse), SOURCE_TABLES, STAR_TABLES)
    [finding] = [each for each in found if each.subject == "warehouse"]
    assert not finding.good
    with pytest.raises(ConfigurationError, match="payment_id") as refusal:
        pipeline.load()
    assert finding.sentence == str(refusal.value)


@pytest.mark.begun
def test_a_fact_does_without_its_key_while_somebody_reads_it(pipeline: Pipeline) -> None:
    name = pipeline.warehouse.rpartition("/")[2]
    execute(pipeline.warehouse, f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'")
    execute(pipeline.warehouse, "ALTER TABLE fact_payment DROP CONSTRAINT fact_payment_payment_id_batch_id_key")
    edit(pipeline)
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fact_payment")
        assert pipeline.tick().newest == 2
    held = "SELECT count(*) FROM pg_constraint WHERE conname = 'fact_payment_payment_id_batch_id_key'"
    assert value(pipeline.warehouse, held) == 0
    pipeline.load()
    assert value(pipeline.warehouse, held) == 1


def test_a_key_of_a_table_that_the_loader_may_not_alter_is_named(pipeline: Pipeline, by_role: Pipeline) -> None:
    by_role.tick()
    execute(
        pipeline.warehouse,
        "ALTER TABLE dim_design DROP CONSTRAINT dim_design_pkey; ALTER TABLE dim_design OWNER TO CURRENT_USER;"
        "GRANT SELECT ON dim_design TO PUBLIC",
    )
    with pytest.raises(ConfigurationError, match=r"the key \(design_id\) of dim_design .* must be owner .* owner, or"):
        by_role.tick()


@pytest.mark.begun
def test_a_unique_index_of_the_same_columns_is_a_key_too(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        DROPPED + "; CREATE UNIQUE INDEX one ON dim_design (design_id) INCLUDE (file_name);"
        "CREATE UNIQUE INDEX two ON fact_payment (batch_id, payment_id)",
    )
    before = rows(pipeline.warehouse, KEYS)
    edit(pipeline)
    pipeline.tick()
    assert rows(pipeline.warehouse, KEYS) == before
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_fact_that_its_owner_has_parted_may_lack_the_key(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "DROP VIEW current_payment CASCADE; ALTER TABLE fact_payment RENAME TO whole;"
        "CREATE TABLE fact_payment (LIKE whole INCLUDING DEFAULTS) PARTITION BY RANGE (created_date);"
        "CREATE TABLE part PARTITION OF fact_payment DEFAULT; INSERT INTO fact_payment SELECT * FROM whole",
    )
    edit(pipeline)
    assert pipeline.tick().newest == 2
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("dim_design", "design_id"),
        ("dim_design", "is_deleted"),
        *(("fact_payment", column) for column in ("payment_id", "payment_record_id", "batch_id", "is_deleted")),
    ],
)
def test_a_table_without_its_key_column_is_named_and_a_rebuild_makes_it_again(
    pipeline: Pipeline, table: str, column: str
) -> None:
    execute(pipeline.warehouse, f"ALTER TABLE {table} DROP COLUMN {column} CASCADE")
    edit(pipeline)
    with pytest.raises(ConfigurationError, match=rf"{table} has no column {column}, .*totes replay --from 1"):
        pipeline.tick()
    rebuilt(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
@pytest.mark.parametrize("column", ["email_address", "first_name"])
def test_a_collation_to_which_different_texts_are_equal_is_taken_back(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    """Only ICU has such a collation, and the server may have none: the catalog says so of another."""
    execute(
        pipeline.warehouse,
        "CREATE COLLATION blurred (LC_COLLATE = 'C', LC_CTYPE = 'C');"
        f"UPDATE pg_attribute SET attcollation = 'blurred'::regcollation "
        f"WHERE attrelid = 'dim_staff'::regclass AND attname = '{column}';"
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'blurred'",
    )
    execute(pipeline.source, f"UPDATE staff SET {column} = upper({column}) WHERE staff_id = 2")
    pipeline.tick()
    assert f"dim_staff.{column} has the default collation again" in caplog.text
    assert value(pipeline.warehouse, COLLATION.format(column)) == "default"
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
