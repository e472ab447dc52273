"""The views of the current state are what totes makes of them, and nothing of others is taken for one."""

import logging
import re

import pytest

from tests.support.databases import execute, rows, session, value
from tests.support.pipeline import Pipeline
from tests.support.versions import OPTION_OF_VIEWS
from totes.errors import ConfigurationError

DEFINITION = "SELECT pg_get_viewdef('current_payment'::regclass)"

MARK = """
    SELECT obj_description(oid, 'pg_rewrite') FROM pg_rewrite WHERE ev_class = 'current_payment'::regclass
"""

RULE = "FROM pg_rewrite WHERE ev_class = 'current_payment'::regclass"

EARLIER = """
    CREATE OR REPLACE VIEW current_payment AS SELECT * FROM (
        SELECT DISTINCT ON (payment_id) * FROM fact_payment ORDER BY payment_id, batch_id DESC
    ) AS newest WHERE NOT is_deleted
"""

CONTENT = "SELECT * FROM current_payment ORDER BY payment_id"

REPORTS = "SELECT count(*) FROM pg_views WHERE schemaname = 'report'"

REPLACED = "CREATE OR REPLACE VIEW current_payment AS SELECT * FROM fact_payment WHERE paid"

SET = "SELECT reloptions, relacl::text FROM pg_class WHERE oid = 'current_payment'::regclass"


@pytest.mark.begun
def test_a_view_that_was_replaced_is_made_again_by_the_next_load_which_says_so(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    before = value(pipeline.warehouse, DEFINITION)
    execute(pipeline.warehouse, f"{REPLACED}; ALTER VIEW current_payment SET ({OPTION_OF_VIEWS} = true)")
    execute(pipeline.warehouse, "GRANT SELECT ON current_payment TO pg_monitor")
    as_set = rows(pipeline.warehouse, SET)
    pipeline.load()
    assert value(pipeline.warehouse, DEFINITION) == before
    assert rows(pipeline.warehouse, SET) == as_set
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said.startswith("the view current_payment was not what totes makes, and is so again; it was:")
    assert re.search(r"WHERE (fact_payment\.)?paid", said), said  # before PostgreSQL 16, columns come with their table
    caplog.clear()
    pipeline.load()
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.begun
def test_a_view_of_an_earlier_totes_is_taken_up_without_a_word(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    mark = value(pipeline.warehouse, MARK)
    execute(
        pipeline.warehouse,
        'COMMENT ON RULE "_RETURN" ON current_payment IS NULL; ALTER TABLE fact_payment ADD COLUMN note text',
    )
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM current_payment")
        pipeline.load()  # which waits for no reader, and lets none wait
    assert value(pipeline.warehouse, MARK) == mark
    execute(pipeline.warehouse, "ALTER TABLE fact_payment DROP COLUMN note")  # the view has nothing to do with it
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.begun
def test_a_view_that_an_earlier_totes_made_by_another_query_is_made_as_now_without_a_word(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    definition, mark = value(pipeline.warehouse, DEFINITION), value(pipeline.warehouse, MARK)
    execute(
        pipeline.source,
        "UPDATE payment SET paid = NOT paid WHERE payment_id < 9; DELETE FROM payment WHERE payment_id = 9",
    )
    pipeline.tick()
    content = rows(pipeline.warehouse, CONTENT)
    execute(pipeline.warehouse, EARLIER)
    # As that totes has marked it.
    made = value(pipeline.warehouse, "SELECT md5(concat('fact_payment'::regclass::oid, ev_action)) " + RULE)
    execute(pipeline.warehouse, f"""COMMENT ON RULE "_RETURN" ON current_payment IS '{made}'""")
    assert rows(pipeline.warehouse, CONTENT) == content
    pipeline.load()
    assert (value(pipeline.warehouse, DEFINITION), value(pipeline.warehouse, MARK)) == (definition, mark)
    assert rows(pipeline.warehouse, CONTENT) == content
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.begun
def test_a_question_of_one_day_reads_no_more_of_the_history_than_that_day(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "CREATE INDEX ON fact_sales_order (created_date)")
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM current_sales_order WHERE created_date = '2024-01-02'")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (created_date = '2024-01-02'::date)" in plan


@pytest.mark.begun
def test_a_view_that_reads_a_renamed_table_reads_the_one_in_its_place(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "ALTER TABLE fact_payment RENAME TO before; CREATE TABLE fact_payment (LIKE before INCLUDING ALL)",
    )
    assert value(pipeline.warehouse, "SELECT count(*) FROM current_payment") > 0
    pipeline.load()
    assert value(pipeline.warehouse, "SELECT count(*) FROM current_payment") == 0


@pytest.mark.begun
def test_a_view_that_is_read_is_made_again_later(pipeline: Pipeline) -> None:
    name = pipeline.warehouse.rpartition("/")[2]
    execute(pipeline.warehouse, f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'")
    before = value(pipeline.warehouse, DEFINITION)
    execute(pipeline.warehouse, REPLACED)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    with session(pipeline.warehouse) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM current_payment")
        assert pipeline.tick().newest == 2
    assert value(pipeline.warehouse, DEFINITION) != before
    pipeline.load()
    assert value(pipeline.warehouse, DEFINITION) == before


@pytest.mark.begun
def test_a_view_with_one_more_column_is_made_again_once_it_is_dropped_as_the_log_says(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    before = value(pipeline.warehouse, DEFINITION)
    reports = value(pipeline.warehouse, REPORTS)
    columns = f"{before}".removesuffix(";")
    execute(
        pipeline.warehouse, f"CREATE OR REPLACE VIEW current_payment AS SELECT *, 1 AS mine FROM ({columns}) AS own"
    )
    pipeline.load()
    drop = "DROP VIEW current_payment CASCADE"
    assert drop in caplog.text
    execute(pipeline.warehouse, drop)
    pipeline.load()
    assert (value(pipeline.warehouse, DEFINITION), value(pipeline.warehouse, REPORTS)) == (before, reports)


@pytest.mark.begun
def test_a_view_of_other_columns_is_named_and_stops_no_load(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    execute(pipeline.warehouse, "DROP VIEW current_payment CASCADE; CREATE VIEW current_payment AS SELECT 1 AS mine")
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert pipeline.tick().newest == 2
    assert "current_payment may not be what totes makes, and cannot be made again" in caplog.text
    assert value(pipeline.warehouse, "SELECT mine FROM current_payment") == 1


@pytest.mark.parametrize("made", ["VIEW current_payment AS SELECT 1 AS mine", "TABLE current_payment (mine integer)"])
def test_a_first_load_refuses_by_name_what_others_call_like_a_view_of_totes(pipeline: Pipeline, made: str) -> None:
    execute(pipeline.warehouse, f"CREATE {made}")
    pipeline.capture()
    pipeline.transform()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"has a current_payment that totes did not make.*rename it"):
            pipeline.load()
    assert rows(
        pipeline.warehouse,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'current_payment'::regclass AND attnum > 0",
    ) == [("mine",)]
