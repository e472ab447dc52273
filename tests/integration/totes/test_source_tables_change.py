"""The source's tables change as migrations change them, and no row tells: what a table is tells, nothing is lost."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from tests.support.databases import execute, rows, session, value
from tests.support.earlier import capture_nothing_as_an_earlier_totes
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.versions import since
from totes.capture import changes
from totes.capture.rows import streaming
from totes.capture.rows.keys import SourceKeys
from totes.capture.source import identity
from totes.errors import ConfigurationError, ContractError, SourceUnavailable
from totes.lake import CaptureManifest, Journal, read_part
from totes.lake.manifests import digest
from totes.outcomes import Span

SWAP = "ALTER TABLE payment RENAME TO payment_old; ALTER TABLE payment_new RENAME TO payment"

PARTITIONED = """
    CREATE TABLE payment_new (LIKE payment INCLUDING DEFAULTS INCLUDING GENERATED) PARTITION BY RANGE (payment_id);
    CREATE TABLE low PARTITION OF payment_new FOR VALUES FROM (MINVALUE) TO (20);
    CREATE TABLE high PARTITION OF payment_new FOR VALUES FROM (20) TO (MAXVALUE);
    ALTER TABLE payment_new ADD PRIMARY KEY (payment_id);
    INSERT INTO payment_new SELECT * FROM payment;
"""

BY_TIME = """
    CREATE TABLE payment_new (LIKE payment INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
    CREATE TABLE early PARTITION OF payment_new FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
    CREATE TABLE late PARTITION OF payment_new FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);
    ALTER TABLE payment_new ADD PRIMARY KEY (payment_id, created_at);
    INSERT INTO payment_new SELECT * FROM payment;
"""

CASES = {
    "swapped for an edited copy": (
        "",
        (
            "CREATE TABLE payment_new (LIKE payment INCLUDING ALL); INSERT INTO payment_new SELECT * FROM payment;"
            "UPDATE payment_new SET payment_amount = payment_amount + 1000 WHERE payment_id % 2 = 0"
        ),
        SWAP,
    ),
    "an enum's value renamed": (
        (
            "CREATE TYPE kind AS ENUM ('SALE', 'PURCHASE');"
            "ALTER TABLE transaction ALTER transaction_type TYPE kind USING transaction_type::text::kind"
        ),
        "",
        "ALTER TYPE kind RENAME VALUE 'SALE' TO 'SOLD'",
    ),
    "two values of an enum exchanged": (
        (
            "CREATE TYPE kind AS ENUM ('SALE', 'PURCHASE');"
            "ALTER TABLE transaction ALTER transaction_type TYPE kind USING transaction_type::text::kind"
        ),
        "",
        (
            "ALTER TYPE kind RENAME VALUE 'SALE' TO 'x'; ALTER TYPE kind RENAME VALUE 'PURCHASE' TO 'SALE';"
            "ALTER TYPE kind RENAME VALUE 'x' TO 'PURCHASE'"
        ),
    ),
    "a column dropped and added again": (
        "",
        "",
        (
            "ALTER TABLE sales_order DROP COLUMN agreed_delivery_location_id;"
            "ALTER TABLE sales_order ADD COLUMN agreed_delivery_location_id integer NOT NULL DEFAULT 1"
        ),
    ),
    "two columns renamed into each other": (
        "",
        "",
        (
            "ALTER TABLE design RENAME file_name TO x; ALTER TABLE design RENAME file_location TO file_name;"
            "ALTER TABLE design RENAME x TO file_location"
        ),
    ),
    "a partition exchanged": (
        PARTITIONED + SWAP,
        (
            "CREATE TABLE low_new (LIKE low INCLUDING ALL); INSERT INTO low_new SELECT * FROM low;"
            "UPDATE low_new SET payment_amount = 7"
        ),
        (
            "ALTER TABLE payment DETACH PARTITION low;"
            "ALTER TABLE payment ATTACH PARTITION low_new FOR VALUES FROM (MINVALUE) TO (20)"
        ),
    ),
    "a partition detached": (PARTITIONED + SWAP, "", "ALTER TABLE payment DETACH PARTITION low"),
    "partitioned in place": ("", PARTITIONED, SWAP),
    "a virtual column made in another way": (
        (
            "ALTER TABLE payment DROP COLUMN payment_date;"
            "ALTER TABLE payment ADD COLUMN payment_date text GENERATED ALWAYS AS ('2024-01-01') VIRTUAL"
        ),
        "",
        "ALTER TABLE payment ALTER COLUMN payment_date SET EXPRESSION AS ('2025-02-02')",
    ),
}


def marks_of(before: str) -> list[pytest.MarkDecorator]:
    if not before:
        return [pytest.mark.begun]
    return [since(18, "virtual columns")] if before.endswith("VIRTUAL") else []


@pytest.mark.parametrize("case", [pytest.param(name, marks=marks_of(before)) for name, (before, *_) in CASES.items()])
def test_a_change_that_no_row_tells_of_is_not_lost(pipeline: Pipeline, case: str) -> None:
    before, build, change = CASES[case]
    execute(pipeline.source, before or "SELECT 1")
    pipeline.tick()
    execute(pipeline.source, build or "SELECT 1")
    execute(pipeline.source, "UPDATE design SET design_name = design_name || '.' WHERE design_id = 1")
    pipeline.tick()  # the horizon is past whatever was built
    execute(pipeline.source, change)
    loaded = pipeline.tick()
    assert rows(pipeline.warehouse, "SELECT count(*) > 0 FROM etl.drift WHERE batch_id = %s", [loaded.newest]) == [
        (True,)
    ]
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None, "the batch says what the tables are now, and nothing is read again"


def read_by(monkeypatch: pytest.MonkeyPatch, tick: Callable[[], object]) -> int:
    """How many rows a tick reads."""
    read = []

    def stream(snapshot, table, columns, condition, consume):  # type: ignore[no-untyped-def]
        def counting(frame):  # type: ignore[no-untyped-def]
            read.append(frame.height)
            consume(frame)

        streaming.stream_rows(snapshot, table, columns, condition, counting)

    with monkeypatch.context() as context:
        context.setattr(changes, "stream_rows", stream)
        tick()
    return sum(read)


def test_maintenance_that_changes_no_row_makes_no_whole_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN colour text DEFAULT 'black'")
    pipeline.capture()
    execute(pipeline.source, "UPDATE currency SET last_updated = now()")
    pipeline.capture()
    with session(pipeline.source) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in ("VACUUM FULL design", "CLUSTER sales_order USING sales_order_pkey", "VACUUM FREEZE"):
                cursor.execute(statement)
    execute(pipeline.source, "ALTER TABLE design ALTER colour SET DEFAULT 'red'; ANALYZE")
    read = read_by(monkeypatch, pipeline.capture)
    assert read <= value(pipeline.source, "SELECT count(*) FROM currency")


def test_a_partition_that_is_attached_is_read_whole_and_the_others_are_not(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, PARTITIONED + SWAP)
    execute(pipeline.source, "CREATE TABLE low_new (LIKE low INCLUDING ALL); INSERT INTO low_new SELECT * FROM low")
    pipeline.capture()
    execute(pipeline.source, "UPDATE currency SET last_updated = now()")
    pipeline.capture()
    execute(
        pipeline.source,
        "ALTER TABLE payment DETACH PARTITION low;"
        "ALTER TABLE payment ATTACH PARTITION low_new FOR VALUES FROM (MINVALUE) TO (20)",
    )
    of_currency, of_low = (value(pipeline.source, f"SELECT count(*) FROM {name}") for name in ("currency", "low"))
    assert read_by(monkeypatch, pipeline.tick) <= of_currency + of_low
    assert {what for (what,) in rows(pipeline.warehouse, "SELECT what FROM etl.drift WHERE batch_id = 3")} == {
        "low_new is a part of table payment now",
        "low is no part of table payment any more",
    }


@pytest.mark.parametrize("lies", ["where new rows are read", "elsewhere"])
def test_a_partition_that_is_attached_while_it_is_read_is_no_mass_deletion(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, lies: str
) -> None:
    """To attach one waits for no reader, and it is there from then on, whatever the reader's snapshot is."""
    execute(pipeline.source, PARTITIONED + SWAP)
    execute(pipeline.source, "ALTER TABLE payment DETACH PARTITION high; TABLE high")
    pipeline.tick()
    execute(pipeline.source, "UPDATE high SET paid = NOT paid; UPDATE payment SET paid = NOT paid")
    if lies == "elsewhere":  # new rows lie at the end of a table of many blocks, and those of the other at its start
        again = "BEGIN FOR time IN 1..100 LOOP UPDATE payment SET paid = NOT paid; END LOOP; END"
        execute(pipeline.source, f"DO $$ {again} $$; ANALYZE payment")
    whole = changes.TableChanges.read

    def once_attached(reading: changes.TableChanges, *given: Any) -> changes.TableTotals:
        if value(pipeline.source, "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'high'::regclass") == 0:
            execute(pipeline.source, "ALTER TABLE payment ATTACH PARTITION high FOR VALUES FROM (20) TO (MAXVALUE)")
        return whole(reading, *given)

    monkeypatch.setattr(changes.TableChanges, "read", once_attached)
    if lies == "elsewhere":
        assert pipeline.capture().batch == 2
    else:
        with pytest.raises(SourceUnavailable, match="payment is being changed as it is read"):
            pipeline.capture()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_new_value_of_an_enum_is_no_change_of_the_table(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TYPE kind AS ENUM ('SALE', 'PURCHASE'); CREATE DOMAIN kinds AS kind[];"
        "ALTER TABLE design ADD COLUMN kinds kinds DEFAULT '{SALE}'",
    )
    pipeline.capture()
    execute(pipeline.source, "ALTER TYPE kind ADD VALUE 'GIFT' BEFORE 'SALE'")
    assert pipeline.capture().batch is None
    execute(pipeline.source, "ALTER TYPE kind RENAME VALUE 'SALE' TO 'SOLD'")
    assert pipeline.capture().drift == ("the value 'SALE' of an enum in table design is 'SOLD' now",)


MADE_AGAIN = """
    ALTER TYPE "TransactionType" RENAME TO old; CREATE TYPE "TransactionType" AS ENUM ({});
    ALTER TABLE transaction ALTER transaction_type TYPE "TransactionType"
        USING replace(transaction_type::text, 'PURCHASE', '{}')::"TransactionType";
    DROP TYPE old
"""
AGAIN = "an enum in table transaction was made again"
ENUMS = {
    "made again with a value more": (MADE_AGAIN.format("'SALE', 'PURCHASE', 'GIFT'", "PURCHASE"), (AGAIN,)),
    "made again with a value less": (
        MADE_AGAIN.format("'SALE', 'BUY'", "BUY"),
        (AGAIN, "the value 'PURCHASE' of an enum in table transaction is gone"),
    ),
    "made a text": (
        "ALTER TABLE transaction ALTER transaction_type TYPE text",
        ('column transaction.transaction_type is text, it was "TransactionType"',),
    ),
}


@pytest.mark.parametrize("case", ENUMS)
@pytest.mark.begun
def test_an_enum_that_is_made_again_loses_only_the_values_that_it_has_no_more(pipeline: Pipeline, case: str) -> None:
    change, drift = ENUMS[case]
    execute(pipeline.source, change)
    assert pipeline.capture().drift == drift
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


GREEN = """
    CREATE SCHEMA green;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
            EXECUTE format('CREATE TABLE green.%1$I (LIKE public.%1$I INCLUDING ALL)', name);
            EXECUTE format('INSERT INTO green.%1$I SELECT * FROM public.%1$I', name);
        END LOOP;
    END $$
"""
FOR_A_WHILE = {
    "an enum's label": (
        """ALTER TYPE "TransactionType" RENAME VALUE 'SALE' TO 'SOLD'""",
        """ALTER TYPE "TransactionType" RENAME VALUE 'SOLD' TO 'SALE'""",
    ),
    "the schema": (
        "ALTER SCHEMA public RENAME TO blue; ALTER SCHEMA green RENAME TO public",
        "ALTER SCHEMA public RENAME TO green; ALTER SCHEMA blue RENAME TO public",
    ),
}


@pytest.mark.parametrize("what", FOR_A_WHILE)
@pytest.mark.begun
def test_a_name_that_is_another_one_while_rows_are_read_leaves_nothing_wrong(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    change, back = FOR_A_WHILE[what]
    execute(pipeline.source, f"{GREEN}; UPDATE green.design SET design_name = 'green'")
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET design_name = 'since' WHERE design_id < 4")
    execute(pipeline.source, "UPDATE green.design SET design_name = 'greener' WHERE design_id < 4")
    execute(pipeline.source, "UPDATE transaction SET last_updated = last_updated + interval '1s'")

    def changed_at_the_first(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(changes, "stream_rows", streaming.stream_rows)
        execute(pipeline.source, change)
        streaming.stream_rows(*given, **named)

    monkeypatch.setattr(changes, "stream_rows", changed_at_the_first)
    with pytest.raises(SourceUnavailable, match=r"catalog was changed while its tables were read.*: (label|schema) "):
        pipeline.capture()
    execute(pipeline.source, back)
    assert pipeline.tick().batches.count == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


COMPOSITES = {
    "a composite": ("CREATE TYPE shelf AS (row_no int, name text); CREATE DOMAIN place AS shelf", "ROW(1, 'x')"),
    "a composite within a composite": (
        "CREATE TYPE shelf AS (row_no int, name text); CREATE TYPE place AS (shelf shelf, bay int)",
        "ROW(ROW(1, 'x'), 3)",
    ),
    "a domain of an array": (
        "CREATE TYPE shelf AS (row_no int, name text); CREATE DOMAIN place AS shelf[]",
        "ARRAY[ROW(1, 'x')]::shelf[]",
    ),
    "the row of a table": ("CREATE TABLE shelf (row_no int, name text); CREATE DOMAIN place AS shelf", "ROW(1, 'x')"),
}


@pytest.mark.parametrize("case", COMPOSITES)
def test_a_composite_type_that_loses_and_gains_attributes_is_not_lost(pipeline: Pipeline, case: str) -> None:
    made, place = COMPOSITES[case]
    execute(pipeline.source, f"{made}; ALTER TABLE design ADD COLUMN place place; UPDATE design SET place = {place}")
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET design_name = design_name || '.' WHERE design_id = 1")
    pipeline.tick()  # the horizon is past what was built
    word, attribute = ("TABLE", "COLUMN") if case == "the row of a table" else ("TYPE", "ATTRIBUTE")
    for change in (f"ADD {attribute} depth int", f"DROP {attribute} name"):
        execute(pipeline.source, f"ALTER {word} shelf {change}")
        told = "column design.place is another one, or made in another way, than before"
        assert told in pipeline.capture().drift
        assert places_in_the_lake(pipeline) == dict(rows(pipeline.source, "SELECT design_id, place::text FROM design"))
        assert pipeline.capture().batch is None, "the batch says what the type is now, and nothing is read again"


def places_in_the_lake(pipeline: Pipeline) -> dict[int, str]:
    """What the lake holds of each design's place."""
    journal = Journal(pipeline.ingestion)
    manifest = CaptureManifest.from_json(journal.read(journal.newest()))
    return {
        row["design_id"]: row["place"]
        for run in manifest.tables["design"].holdings
        for part in run.parts
        for row in read_part(pipeline.ingestion, part).to_dicts()
    }


def test_a_lake_that_does_not_say_what_composite_types_are_is_read_again_where_there_are_some(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, "CREATE TYPE shelf AS (row_no int); ALTER TABLE design ADD COLUMN place shelf")
    with monkeypatch.context() as context:
        context.setattr(identity, "_COMPOSITES", "SELECT '', '', '' WHERE %s IS NULL")
        pipeline.capture()
        execute(pipeline.source, "UPDATE currency SET last_updated = now()")
        pipeline.capture()
    of_currency, of_design = (value(pipeline.source, f"SELECT count(*) FROM {name}") for name in ("currency", "design"))
    assert of_design <= read_by(monkeypatch, pipeline.capture) <= of_currency + of_design
    assert pipeline.capture().batch is None


def test_rows_in_a_foreign_table_are_refused_by_name(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;"
        "CREATE FOREIGN TABLE far () INHERITS (payment) SERVER nowhere",
    )
    with pytest.raises(ContractError, match="rows of table payment lie in the foreign table far"):
        pipeline.capture()


@pytest.mark.parametrize(
    ("member", "made"),
    [
        ("payment", f"CREATE TABLE payment_new (LIKE payment INCLUDING ALL) USING other; {SWAP}"),
        ("part", "CREATE TABLE part () INHERITS (payment) USING other"),
    ],
    ids=["the table", "a part of it"],
)
def test_rows_that_another_access_method_keeps_are_refused_by_name(pipeline: Pipeline, member: str, made: str) -> None:
    """What it says of a row's xmin does not tell whether the row is new."""
    execute(pipeline.source, f"CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; {made}")
    with pytest.raises(ContractError, match=f"rows of table payment lie in {member}, which the access method other"):
        pipeline.capture()


@since(17, "access methods of partitioned tables")
def test_an_access_method_of_partitions_to_come_keeps_no_rows(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        f"CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; {PARTITIONED} {SWAP};"
        "ALTER TABLE payment SET ACCESS METHOD other",
    )
    assert pipeline.capture().batch == 1


@pytest.mark.parametrize("shape", ["", f"{PARTITIONED} {SWAP};"], ids=["plain", "partitioned"])
def test_rows_that_citus_keeps_on_other_servers_are_refused_by_name(pipeline: Pipeline, shape: str) -> None:
    """To PostgreSQL they lie in an ordinary table; only Citus's own catalog tells."""
    execute(
        pipeline.source,
        f"{shape} SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass)",
    )
    assert pipeline.capture().batch == 1
    execute(pipeline.source, "INSERT INTO pg_catalog.pg_dist_partition VALUES ('payment')")
    with pytest.raises(ContractError, match="rows of table payment lie in payment, which Citus keeps, so that"):
        pipeline.capture()


@pytest.mark.parametrize("copied", ["SELECT * FROM payment WHERE payment_id = 3", "SELECT * FROM payment"])
@pytest.mark.begun
def test_a_key_that_is_there_twice_stops_the_run_before_anything_is_committed(pipeline: Pipeline, copied: str) -> None:
    execute(pipeline.source, f"CREATE TABLE archive () INHERITS (payment); INSERT INTO archive {copied}")
    with pytest.raises(ContractError, match=r"payment_id \d is there more than once in table payment and the tables"):
        pipeline.capture()
    assert Journal(pipeline.ingestion).newest() == 1
    execute(pipeline.source, "DROP TABLE archive")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


TWIN = (
    # An index that is not ready gets no entry of a new row: so a damaged one lacks some.
    "UPDATE pg_index SET indisready = false WHERE indexrelid = 'design_pkey'::regclass",
    """
    INSERT INTO design SELECT (jsonb_populate_record(d, '{"file_name": "twin"}')).* FROM design AS d
    WHERE design_id = 2
    """,
    "UPDATE pg_index SET indisready = true WHERE indexrelid = 'design_pkey'::regclass",
)


@pytest.mark.begun
@pytest.mark.parametrize("deleted", ["=", "<>"], ids=["the twin", "the original"])
def test_a_key_that_is_there_twice_under_a_damaged_index_is_named_and_the_row_that_is_kept_arrives(
    pipeline: Pipeline, deleted: str
) -> None:
    for statement in TWIN:
        execute(pipeline.source, statement)
    for _ in range(2):
        with pytest.raises(ContractError, match=r"^design_id 2 is there more than once.*REINDEX TABLE design$"):
            pipeline.capture()
    assert Journal(pipeline.ingestion).newest() == 1
    execute(
        pipeline.source,
        "SET enable_indexscan = off; SET enable_bitmapscan = off; SET session_replication_role = replica;"
        f"DELETE FROM design WHERE design_id = 2 AND file_name {deleted} 'twin'; REINDEX TABLE design",
    )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_a_row_that_a_damaged_index_does_not_find_is_not_taken_for_one_that_is_gone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 4")
    within = SourceKeys.within

    def without_one(keys: SourceKeys, lowest: int, highest: int) -> sql.Composable:
        return sql.SQL("{} AND payment_id <> 3").format(within(keys, lowest, highest))

    monkeypatch.setattr(SourceKeys, "within", without_one)
    with pytest.raises(ContractError, match=r"^table payment has \d+ rows, .* are found; .*REINDEX TABLE payment$"):
        pipeline.capture()
    monkeypatch.undo()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_partition_that_is_attached_as_keys_are_compared_is_tried_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(pipeline.source, PARTITIONED + SWAP)
    execute(pipeline.source, "ALTER TABLE payment DETACH PARTITION high; TABLE high")
    pipeline.tick()
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    whole = changes.TableChanges._compare_keys

    def once_attached(reading: changes.TableChanges, found: changes.ChangeSink) -> int:
        execute(pipeline.source, "ALTER TABLE payment ATTACH PARTITION high FOR VALUES FROM (20) TO (MAXVALUE)")
        return whole(reading, found)

    with monkeypatch.context() as patched:
        patched.setattr(changes.TableChanges, "_compare_keys", once_attached)
        with pytest.raises(SourceUnavailable, match="payment is being changed as it is read"):
            pipeline.capture()
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_table_that_is_partitioned_by_time_is_captured_and_its_keys_are_checked(pipeline: Pipeline) -> None:
    """Its primary key must have the time too, so PostgreSQL lets an id be there at two times."""
    execute(pipeline.source, BY_TIME + SWAP)
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    execute(pipeline.source, "UPDATE payment SET created_at = '2023-05-05' WHERE payment_id IN (3, 4)")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 5")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    again = (
        "CREATE TEMPORARY TABLE again AS SELECT * FROM payment WHERE payment_id = 7;"
        "UPDATE again SET created_at = '2023-01-01'; INSERT INTO payment SELECT * FROM again"
    )
    execute(pipeline.source, again)
    with pytest.raises(ContractError, match="payment_id 7 is there more than once in table payment and the tables"):
        pipeline.capture()
    assert Journal(pipeline.ingestion).newest() == 3
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 7 AND created_at <> '2023-01-01'")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_primary_key_that_is_checked_at_the_end_of_a_transaction_is_one(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE payment DROP CONSTRAINT payment_pkey; ALTER TABLE payment ADD PRIMARY KEY (payment_id) DEFERRABLE",
    )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@since(18, "virtual columns")
@pytest.mark.begun
def test_a_virtual_column_beyond_the_contract_is_not_worked_out_so_none_that_fails_stops_a_run(
    pipeline: Pipeline,
) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order ADD COLUMN each numeric GENERATED ALWAYS AS (1.0 / (units_sold - 77)) VIRTUAL;"
        "UPDATE sales_order SET units_sold = 77 WHERE sales_order_id = 5",
    )
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_a_name_that_a_value_refers_to_is_in_the_lake_as_it_was_when_the_row_was_captured(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TABLE before (); ALTER TABLE design ADD COLUMN referred regclass;"
        "UPDATE design SET referred = 'before'::regclass WHERE design_id = 1",
    )
    pipeline.capture()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
    pipeline.capture()
    execute(pipeline.source, "ALTER TABLE before RENAME TO after")
    assert pipeline.capture().batch is None
    execute(pipeline.source, "UPDATE design SET design_name = 'x' WHERE design_id = 1")
    newest = pipeline.capture().newest
    [part] = CaptureManifest.from_json(Journal(pipeline.ingestion).read(newest)).tables["design"].changes
    assert read_part(pipeline.ingestion, part)["referred"].to_list() == ["public.after"]


@pytest.mark.begun
def test_a_lake_of_format_1_is_taken_up_and_what_was_lost_then_is_found(pipeline: Pipeline) -> None:
    journal = Journal(pipeline.ingestion)
    first = journal.read(1)
    manifest = dataclasses.replace(CaptureManifest.from_json(first), batch=2, parent=digest(first))
    old = json.loads(manifest.to_json())
    for name in ("format", "position", "host"):
        del old[name]
    del old["source"]["in_recovery"]
    for table in old["tables"].values():
        del table["identity"]
        table |= {"changes": [], "deletes": [], "context": []}
    execute(pipeline.source, CASES["swapped for an edited copy"][1])
    old["horizon"] = value(pipeline.source, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    execute(pipeline.source, SWAP)
    journal.commit(2, json.dumps(old).encode())
    assert CaptureManifest.from_json(journal.read(2)).format == 1
    assert pipeline.tick().batches == Span(first=2, last=3, count=2)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_what_an_earlier_totes_has_missed_is_found_by_one_whole_read(pipeline: Pipeline) -> None:
    """It said of a column that its type is narrower, and took what PostgreSQL had rounded for what the lake held."""
    execute(pipeline.source, "ALTER TABLE sales_order ALTER unit_price TYPE numeric(10, 0)")
    capture_nothing_as_an_earlier_totes(pipeline)
    assert pipeline.tick().batches == Span(first=2, last=3, count=2)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    third = CaptureManifest.from_json(Journal(pipeline.ingestion).read(3))
    assert not any(table.context for table in third.tables.values()), "that was joined before, and has its context"
    assert pipeline.capture().batch is None, "once"


def test_what_a_totes_of_the_first_day_has_written_is_named(pipeline: Pipeline) -> None:
    pipeline.tick()
    body = json.loads(Journal(pipeline.ingestion).read(1))
    del body["drift"], body["format"]
    with pytest.raises(ConfigurationError, match="batch 1 was written by a version of totes from before 24 November"):
        CaptureManifest.from_json(json.dumps(body).encode())
    execute(pipeline.warehouse, "DROP TABLE etl.star_column; ALTER TABLE etl.batch DROP COLUMN edition")
    with pytest.raises(ConfigurationError, match=r"a version of totes from before 24 .* name an empty database"):
        pipeline.load()


@pytest.mark.begun
def test_a_joined_row_that_is_gone_takes_its_referring_rows_to_quarantine_until_it_is_back(pipeline: Pipeline) -> None:
    staff = value(pipeline.source, "SELECT count(*) FROM staff WHERE department_id = 3")
    assert staff
    kept = rows(pipeline.source, "SELECT * FROM department WHERE department_id = 3")
    before = rows(pipeline.warehouse, "SELECT * FROM dim_staff ORDER BY staff_id")
    execute(
        pipeline.source,
        "ALTER TABLE staff DISABLE TRIGGER ALL; ALTER TABLE department DISABLE TRIGGER ALL;"
        "DELETE FROM department WHERE department_id = 3",
    )
    assert pipeline.tick().tables["dim_staff"].quarantined == staff
    assert rows(pipeline.warehouse, "SELECT * FROM dim_staff ORDER BY staff_id") == before, (
        "the last good version stays"
    )
    assert pipeline.capture().batch is None
    with session(pipeline.source) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO department VALUES ({', '.join(['%s'] * len(kept[0]))})", kept[0])
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_no_truncate_fits_between_the_snapshot_and_a_read(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def truncate_first(*arguments):  # type: ignore[no-untyped-def]
        try:
            execute(pipeline.source, "SET lock_timeout = '50ms'; TRUNCATE payment")
        except psycopg2.errors.LockNotAvailable as refusal:
            refused.append(refusal)
        streaming.stream_rows(*arguments)

    monkeypatch.setattr(changes, "stream_rows", truncate_first)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert pipeline.tick().tables["fact_payment"].versions == 1
    assert refused
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_blanks_that_fill_a_text_up_to_its_length_say_nothing(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE payment_type ALTER COLUMN payment_type_name TYPE char(40); "
        "ALTER TABLE currency ALTER COLUMN currency_code TYPE char(5); "
        "ALTER TABLE purchase_order ALTER COLUMN item_code TYPE char(30)",
    )
    loaded = pipeline.tick()
    assert (loaded.quarantined, {counts.versions for counts in loaded.tables.values()}) == (0, {0})
    execute(pipeline.source, "UPDATE purchase_order SET item_code = 'since' WHERE purchase_order_id = 2")
    assert pipeline.tick().tables["fact_purchase_order"].versions == 1
    assert (
        value(pipeline.warehouse, "SELECT item_code FROM current_purchase_order WHERE purchase_order_id = 2") == "since"
    )


@pytest.mark.begun
def test_a_domain_over_its_own_type_is_no_other_type(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE DOMAIN money2 AS numeric(10,2) CHECK (VALUE >= 0); CREATE DOMAIN price AS money2 CHECK (VALUE < 9999); "
        "CREATE DOMAIN number AS int; CREATE DOMAIN word AS text; "
        "ALTER TABLE sales_order ALTER COLUMN unit_price TYPE price, ALTER COLUMN sales_order_id TYPE number; "
        "ALTER TABLE design ALTER COLUMN design_name TYPE word",
    )
    assert pipeline.capture().drift == ()
    execute(pipeline.source, "UPDATE sales_order SET unit_price = unit_price + 0.01 WHERE sales_order_id = 3")
    assert pipeline.tick().tables["fact_sales_order"].versions == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_domain_over_another_type_breaks_the_contract(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE DOMAIN words AS text; ALTER TABLE payment ALTER COLUMN payment_amount TYPE words",
    )
    with pytest.raises(ContractError, match=r"column payment\.payment_amount is words, expected a numeric"):
        pipeline.capture()
