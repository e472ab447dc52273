"""What changed is asked of PostgreSQL: no change is missed, and none is made up."""

import dataclasses
import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from simulator import build
from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from tests.support.servers import run_alone
from tests.support.versions import server_in, since
from totes.answers import fitness
from totes.capture import SOURCE_TABLES, capture, changes, sizes
from totes.capture.rows import streaming
from totes.capture.source import snapshot
from totes.capture.source.snapshot import snapshot_of
from totes.errors import BatchTaken, ConfigurationError, ContractError, LakeCorrupted
from totes.lake import Bucket, CaptureManifest, Journal, read_part
from totes.outcomes import Span

NEW_DESIGN = (
    "INSERT INTO design (design_name, file_location, file_name, last_updated) VALUES (%s, '/lib', 'new.json', now())"
)


def designs(pipeline: Pipeline, name: str) -> int:
    count: int = value(pipeline.warehouse, "SELECT count(*) FROM dim_design WHERE design_name = %s", [name])
    return count


def versions(pipeline: Pipeline, order: int) -> int:
    query = "SELECT count(*) FROM fact_sales_order WHERE sales_order_id = %s"
    count: int = value(pipeline.warehouse, query, [order])
    return count


@pytest.mark.begun
def test_the_first_tick_brings_the_whole_shop(pipeline: Pipeline) -> None:
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_tick_without_changes_writes_nothing(pipeline: Pipeline) -> None:
    before = pipeline.objects()
    assert pipeline.capture().batch is None
    assert pipeline.tick().batches.count == 0
    assert pipeline.objects() == before
    assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 1


def test_an_empty_shop_gives_no_batch(pipeline: Pipeline) -> None:
    execute(pipeline.source, f"TRUNCATE {', '.join(table.name for table in SOURCE_TABLES)}")
    assert pipeline.capture().newest == 0
    assert pipeline.tick().newest == 0
    assert pipeline.objects() == {}


@pytest.mark.begun
def test_a_transaction_that_commits_after_a_run_is_in_the_next_batch(pipeline: Pipeline) -> None:
    with session(pipeline.source) as late:
        with late.cursor() as cursor:
            cursor.execute(NEW_DESIGN, ["late"])
        execute(pipeline.source, NEW_DESIGN, ["early"])
        pipeline.tick()
        assert designs(pipeline, "early") == 1
        late.commit()
    pipeline.tick()
    assert designs(pipeline, "late") == 1


@pytest.mark.begun
def test_a_released_savepoint_of_a_long_transaction_is_not_missed(pipeline: Pipeline) -> None:
    with session(pipeline.source) as late, late.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        execute(pipeline.source, NEW_DESIGN, ["between"])
        cursor.execute("SAVEPOINT inner_part")
        cursor.execute(NEW_DESIGN, ["in a savepoint"])
        cursor.execute("RELEASE SAVEPOINT inner_part")
        pipeline.tick()
        late.commit()
    pipeline.tick()
    assert designs(pipeline, "in a savepoint") == 1


@pytest.mark.begun
def test_a_prepared_transaction_is_not_missed(pipeline: Pipeline) -> None:
    with session(pipeline.source) as connection, connection.cursor() as cursor:
        cursor.execute(NEW_DESIGN, ["prepared"])
        cursor.execute("PREPARE TRANSACTION 'held back'")
    execute(pipeline.source, NEW_DESIGN, ["meanwhile"])
    pipeline.tick()
    with session(pipeline.source) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("COMMIT PREPARED 'held back'")
    pipeline.tick()
    assert designs(pipeline, "prepared") == 1


def test_rows_read_again_behind_a_long_transaction_make_no_second_batch(pipeline: Pipeline) -> None:
    with session(pipeline.source) as long, long.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id < 50")
        pipeline.tick()
        before = pipeline.objects()
        assert pipeline.capture().batch is None
        assert pipeline.objects() == before
        long.rollback()


@pytest.mark.begun
def test_naming_transactions_finds_what_their_ages_find(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every horizon of a history with subtransactions, one that is open, and rows that were frozen."""
    first = value(pipeline.source, "SELECT pg_current_xact_id()::text::bigint")
    with session(pipeline.source) as open_still, open_still.cursor() as cursor:
        cursor.execute("UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
        for key in range(2, 9):
            execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [key])
            with session(pipeline.source) as nested, nested, nested.cursor() as writer:
                writer.execute("SAVEPOINT one; UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [key + 20])
        run_alone(pipeline.source, sql.SQL("VACUUM FREEZE payment"))
        names, found = (snapshot.NAMED_IDS, -1), list[object]()
        with session(pipeline.source) as connection, snapshot_of(connection) as seen:
            for horizon in range(first - 2, seen.ceiling + 1):
                last = CaptureManifest(
                    batch=1,
                    parent=None,
                    captured_at=datetime.now(UTC),
                    horizon=horizon,
                    source=seen.source,
                    drift=(),
                    tables={},
                )
                found = []
                for named in names:
                    monkeypatch.setattr(snapshot, "NAMED_IDS", named)
                    with connection.cursor() as reader:
                        query = sql.SQL("SELECT payment_id FROM payment WHERE {} ORDER BY 1")
                        reader.execute(query.format(seen.may_be_new(last)))
                        found.append(reader.fetchall())
                assert found[0] == found[1], horizon
            assert found == [[], []]


def test_a_batch_is_one_state_of_the_shop_whatever_commits_while_it_is_read(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = streaming.stream_rows

    def stream_and_disturb(snapshot, table, *arguments):  # type: ignore[no-untyped-def]
        stream(snapshot, table, *arguments)
        if table.name == "address":  # read already; whatever is written now belongs to the next batch
            execute(pipeline.source, "UPDATE design SET design_name = 'disturbed' WHERE design_id = 1")

    monkeypatch.setattr(changes, "stream_rows", stream_and_disturb)
    execute(pipeline.source, NEW_DESIGN, ["seen"])
    execute(pipeline.source, "UPDATE address SET phone = '1' WHERE address_id = 1")
    pipeline.tick()
    assert (designs(pipeline, "seen"), designs(pipeline, "disturbed")) == (1, 0)
    pipeline.tick()
    assert designs(pipeline, "disturbed") == 1


@pytest.mark.begun
def test_an_edit_that_leaves_last_updated_alone_is_a_version(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET design_id = design_id % 5 + 1 WHERE sales_order_id = 7")
    pipeline.tick()
    assert versions(pipeline, 7) == 2
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_two_edits_between_two_ticks_are_one_version_and_apart_they_are_two(pipeline: Pipeline) -> None:
    for units in (1001, 1002):
        execute(pipeline.source, "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 7", [units])
    pipeline.tick()
    assert versions(pipeline, 7) == 2
    for units in (1003, 1004):
        execute(pipeline.source, "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 7", [units])
        pipeline.tick()
    history = "SELECT units_sold FROM fact_sales_order WHERE sales_order_id = 7 ORDER BY sales_record_id OFFSET 1"
    assert rows(pipeline.warehouse, history) == [(1002,), (1003,), (1004,)]


@pytest.mark.begun
def test_an_edit_taken_back_later_is_two_more_versions(pipeline: Pipeline) -> None:
    [[units]] = rows(pipeline.source, "SELECT units_sold FROM sales_order WHERE sales_order_id = 7")
    for edited in (units + 1, units):
        execute(pipeline.source, "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 7", [edited])
        pipeline.tick()
    assert versions(pipeline, 7) == 3


@pytest.mark.begun
def test_an_update_that_changes_no_value_writes_nothing(pipeline: Pipeline) -> None:
    before = pipeline.objects()
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold; UPDATE staff SET first_name = first_name")
    assert pipeline.capture().batch is None
    assert pipeline.objects() == before


@pytest.mark.begun
def test_a_source_restored_from_its_own_dump_gives_no_version(
    pipeline: Pipeline, postgres_binaries: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "dump.sql"
    subprocess.run([postgres_binaries / "pg_dump", "--file", dump, "--dbname", pipeline.source], check=True)
    execute(pipeline.source, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    subprocess.run(
        [postgres_binaries / "psql", "-qv", "ON_ERROR_STOP=1", "-o", tmp_path / "out", "-f", dump, pipeline.source],
        check=True,
    )
    loaded = pipeline.tick()
    assert sum(counts.versions for counts in loaded.tables.values()) == 0
    assert loaded.batches == Span(first=2, last=2, count=1), "a batch without rows says that the tables are others"
    assert pipeline.capture().batch is None
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 1 WHERE sales_order_id = 3")
    pipeline.tick()
    assert versions(pipeline, 3) == 2


def test_another_database_under_the_same_name_is_read_whole_and_then_by_its_own_horizon(
    pipeline: Pipeline, empty_database: str, postgres_binaries: Path, tmp_path: Path, lake: tuple[Bucket, Bucket]
) -> None:
    """A restore into a new database has an identity of its own: one batch of no changes takes over its horizon."""
    pipeline.capture()
    dump = tmp_path / "dump.sql"
    subprocess.run([postgres_binaries / "pg_dump", "--file", dump, "--dbname", pipeline.source], check=True)
    execute(pipeline.source, "SELECT 1")
    subprocess.run(
        [postgres_binaries / "psql", "-qv", "ON_ERROR_STOP=1", "-o", tmp_path / "out", "-f", dump, empty_database],
        check=True,
    )
    restored = Pipeline(source=empty_database, warehouse=empty_database, ingestion=lake[0], processed=lake[1])
    assert restored.capture().batch == 2
    manifest = CaptureManifest.from_json(Journal(lake[0]).read(2))
    assert not any(table.changes or table.context for table in manifest.tables.values())
    assert restored.capture().batch is None


def test_a_source_put_back_by_its_disk_is_read_whole(empty_database: str, lake: tuple[Bucket, Bucket]) -> None:
    """A restored disk keeps the identifier, the timeline and the oid, and gives out the same ids once more."""
    with tempfile.TemporaryDirectory(prefix="totes-") as name:
        folder = Path(name)
        server = server_in(folder / "server")
        server.start()
        try:
            server.create_database("totesys")
            build(server.uri("totesys"), orders=20, seed=1)
            server.stop()
            subprocess.run(["cp", "-a", folder / "server" / "data", folder / "disk"], check=True)
            server.start()
            for units in range(40):
                execute(
                    server.uri("totesys"), "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 2", [units]
                )
            shop = Pipeline(
                source=server.uri("totesys"), warehouse=empty_database, ingestion=lake[0], processed=lake[1]
            )
            shop.tick()
            server.stop()
            subprocess.run(["rm", "-r", folder / "server" / "data"], check=True)
            subprocess.run(["mv", folder / "disk", folder / "server" / "data"], check=True)
            server.start()
            execute(server.uri("totesys"), "UPDATE sales_order SET units_sold = 4242 WHERE sales_order_id = 3")
            for _ in range(60):
                execute(server.uri("totesys"), "SELECT pg_current_xact_id()")
            restored = dataclasses.replace(shop, source=server.uri("totesys"))
            restored.tick()
            assert_warehouse_mirrors(restored.source, restored.warehouse)
            assert restored.capture().batch is None
        finally:
            server.stop()


@pytest.mark.begun
def test_rows_frozen_by_vacuum_are_neither_missed_nor_read_again(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 1 WHERE sales_order_id = 4")
    with session(pipeline.source) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FREEZE")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


def test_tables_of_many_chunks_parts_and_runs_give_the_same_star(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 700)
    monkeypatch.setattr(sizes, "PART_ROWS", 7)
    monkeypatch.setattr(sizes, "ROWS_AT_ONCE", 60)
    monkeypatch.setattr(sizes, "KEPT_ROWS", 20)
    monkeypatch.setattr(streaming, "_ASKED_AT_ONCE", 2)
    pipeline.tick()
    for edit in range(5):
        execute(
            pipeline.source,
            "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id %% 5 = %(edit)s;"
            "UPDATE department SET manager = %(edit)s::text WHERE department_id %% 5 = %(edit)s;"
            "UPDATE address SET phone = %(edit)s::text WHERE address_id %% 5 = %(edit)s;"
            "UPDATE staff SET department_id = department_id %% 8 + 1 WHERE staff_id %% 7 = %(edit)s",
            {"edit": edit},
        )
        pipeline.tick()
        assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_a_departments_new_name_reaches_all_its_staff(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE department SET department_name = 'Renamed', location = 'Hull'")
    loaded = pipeline.tick()
    assert loaded.tables["dim_staff"].versions == value(pipeline.source, "SELECT count(*) FROM staff")
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_an_addresss_edit_reaches_counterparty_and_location(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "UPDATE address SET city = 'Atlantis', district = NULL WHERE address_id = "
        "(SELECT legal_address_id FROM counterparty WHERE counterparty_id = 3)",
    )
    loaded = pipeline.tick()
    assert loaded.tables["dim_location"].versions == 1
    assert loaded.tables["dim_counterparty"].versions >= 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_new_member_of_staff_comes_with_a_department_that_did_not_change(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "INSERT INTO staff (first_name, last_name, department_id, email_address, last_updated) "
        "VALUES ('Ada', 'O''Hara', 3, 'ada@example.com', now())",
    )
    assert pipeline.tick().tables["dim_staff"].rows_in == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_years_of_small_batches_leave_few_sorted_runs_to_read(pipeline: Pipeline) -> None:
    pipeline.capture()
    for units in range(1, 41):
        execute(pipeline.source, "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = %s", [units, units])
        pipeline.capture()
    manifest = CaptureManifest.from_json(Journal(pipeline.ingestion).read(41))
    runs = manifest.tables["sales_order"].holdings
    assert len(runs) <= 8
    held: dict[int, int] = {}
    for run in runs:
        for part in run.parts:
            frame = read_part(pipeline.ingestion, part)
            held |= dict(zip(frame["sales_order_id"], frame["units_sold"], strict=True))
    assert held == dict(rows(pipeline.source, "SELECT sales_order_id, units_sold FROM sales_order"))


@pytest.mark.parametrize(
    ("breach", "sentence"),
    [
        ("ALTER TABLE staff DROP COLUMN email_address", "column staff.email_address is missing"),
        ("ALTER TABLE payment RENAME COLUMN paid TO settled", "column payment.paid is missing"),
        (
            "ALTER TABLE sales_order ALTER units_sold TYPE text",
            "column sales_order.units_sold is text, expected an integer",
        ),
        ("DROP TABLE payment_type CASCADE", "table payment_type is missing"),
        (
            "ALTER TABLE payment_type RENAME TO payment_kind; CREATE VIEW payment_type AS TABLE payment_kind",
            r"payment_type is a view .* give the table its name back",
        ),
        (
            "ALTER TABLE payment_type RENAME TO kind; CREATE MATERIALIZED VIEW payment_type AS TABLE kind",
            r"payment_type is a materialized view .* give the table its name back",
        ),
        (
            (
                "DROP TABLE payment_type CASCADE; CREATE FOREIGN DATA WRAPPER w; "
                "CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE payment_type (no int) SERVER s"
            ),
            r"payment_type is a foreign table .* give the table its name back",
        ),
        pytest.param(
            (
                "ALTER TABLE design DROP CONSTRAINT design_pkey CASCADE, ALTER design_id DROP NOT NULL; "
                "CREATE UNIQUE INDEX ON design (design_id); INSERT INTO design (design_id, design_name, file_location, "
                "file_name, last_updated) VALUES (NULL, 'x', '/', 'f', now()); "
                'ALTER TABLE design ADD CONSTRAINT "Not null" NOT NULL design_id NOT VALID'
            ),
            'column design.design_id may be NULL.* ALTER TABLE design VALIDATE CONSTRAINT "Not null"',
            marks=since(18, "constraints that are NOT NULL and NOT VALID"),
        ),
        (
            "ALTER TABLE currency DROP CONSTRAINT currency_pkey CASCADE",
            "column currency.currency_id, by which rows are known, needs NOT NULL and a valid unique index on it alone",
        ),
    ],
)
def test_a_broken_contract_is_named_and_nothing_is_written(pipeline: Pipeline, breach: str, sentence: str) -> None:
    pipeline.capture()
    before = pipeline.objects()
    execute(pipeline.source, breach)
    with pytest.raises(ContractError, match=sentence):
        pipeline.capture()
    assert pipeline.objects() == before


ALL_MOVED = "CREATE SCHEMA shop;" + ";".join(f"ALTER TABLE {table.name} SET SCHEMA shop" for table in SOURCE_TABLES)
ALL_BACK = ";".join(f"ALTER TABLE shop.{table.name} SET SCHEMA public" for table in SOURCE_TABLES)
NONE = (
    f"the source has none of the {len(SOURCE_TABLES)} tables that totes reads in schema public; "
    f"schema shop has {len(SOURCE_TABLES)} of them: if they are the shop's, "
)
PAYMENT_BACK = 'ALTER TABLE "The shop".payment SET SCHEMA public'
ONE = (
    'the source broke its contract: table payment is missing from schema public, and there is one in "The shop": '
    f"if it is the shop's, move it back ({PAYMENT_BACK}); fix the source, or the contract"
)
SCHEMA_BACK = "ALTER SCHEMA shop RENAME TO public"
SCHEMAS = {
    "a table moved": ('CREATE SCHEMA "The shop"; ALTER TABLE payment SET SCHEMA "The shop"', ONE, PAYMENT_BACK),
    "all moved": (ALL_MOVED, f"{NONE}move them back, each by ALTER TABLE shop.address SET SCHEMA public", ALL_BACK),
    "the schema renamed": ("ALTER SCHEMA public RENAME TO shop", NONE + SCHEMA_BACK, SCHEMA_BACK),
}


@pytest.mark.parametrize("case", SCHEMAS)
@pytest.mark.begun
def test_tables_that_have_gone_to_another_schema_are_named_with_where_they_are(pipeline: Pipeline, case: str) -> None:
    change, sentence, back = SCHEMAS[case]
    execute(pipeline.source, change)
    with pytest.raises(ContractError) as refused:
        pipeline.capture()
    looked = next(fitness(lambda: session(pipeline.source), lambda: session(pipeline.warehouse), SOURCE_TABLES, []))
    assert (str(refused.value), looked.sentence) == (sentence, sentence), "a run and totes doctor say the same"
    execute(pipeline.source, back)
    assert pipeline.capture().batch is None


@pytest.mark.parametrize(
    ("breach", "fix"),
    [
        ("ALTER TABLE payment RENAME paid TO settled", "ALTER TABLE payment RENAME settled TO paid"),
        ("ALTER TABLE design RENAME TO designs", "ALTER TABLE designs RENAME TO design"),
        (
            "ALTER TABLE sales_order ALTER units_sold TYPE text",
            "ALTER TABLE sales_order ALTER units_sold TYPE integer USING units_sold::integer",
        ),
    ],
)
@pytest.mark.begun
def test_after_a_broken_contract_is_fixed_nothing_is_lost(pipeline: Pipeline, breach: str, fix: str) -> None:
    execute(pipeline.source, breach)
    with pytest.raises(ContractError):
        pipeline.tick()
    execute(pipeline.source, "UPDATE staff SET first_name = 'meanwhile' WHERE staff_id = 3")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    with pytest.raises(ContractError):
        pipeline.tick()
    execute(pipeline.source, fix)
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_an_enum_value_never_seen_before_passes(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TYPE kind AS ENUM ('SALE', 'PURCHASE'); "
        "ALTER TABLE transaction ALTER transaction_type TYPE kind USING transaction_type::text::kind",
    )
    pipeline.tick()
    execute(pipeline.source, "ALTER TYPE kind ADD VALUE 'REFUND'")
    execute(pipeline.source, "UPDATE transaction SET transaction_type = 'REFUND' WHERE transaction_id = 3")
    assert pipeline.tick().tables["dim_transaction"].versions == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_drift_is_reported_once_with_the_batch_that_saw_it(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN colour text, ALTER design_name TYPE varchar(999)")
    pipeline.tick()
    execute(pipeline.source, "UPDATE design SET colour = 'red'")
    pipeline.tick()
    execute(pipeline.source, "ALTER TABLE design DROP COLUMN colour")
    pipeline.tick()
    retyped = "column design.design_name is character varying(999), it was text"
    assert rows(pipeline.warehouse, "SELECT batch_id, what FROM etl.drift ORDER BY 1, 2") == [
        (2, "column design.colour (text) was added"),
        (2, retyped),
        (4, "column design.colour (text) was dropped"),
    ]


@pytest.mark.begun
def test_a_widened_type_passes_and_makes_no_version(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "ALTER TABLE sales_order ALTER units_sold TYPE bigint;"
        "ALTER TABLE sales_order ALTER unit_price TYPE numeric(14,4);"
        "ALTER TABLE currency ALTER currency_code TYPE varchar(10)",
    )
    loaded = pipeline.tick()
    assert sum(counts.versions for counts in loaded.tables.values()) == 0
    execute(pipeline.source, "UPDATE sales_order SET unit_price = 3.3300, units_sold = 12 WHERE sales_order_id = 2")
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_an_added_column_is_carried_in_the_lake(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN colour text; UPDATE design SET colour = 'red, \"ish\"'")
    pipeline.tick()
    manifest = CaptureManifest.from_json(Journal(pipeline.ingestion).read(2))
    [part] = manifest.tables["design"].changes
    assert set(read_part(pipeline.ingestion, part)["colour"]) == {'red, "ish"'}
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_an_added_columns_default_is_carried_for_rows_that_nobody_wrote(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN colour text DEFAULT 'black'")
    pipeline.tick()
    manifest = CaptureManifest.from_json(Journal(pipeline.ingestion).read(2))
    [part] = manifest.tables["design"].changes
    assert part.rows == value(pipeline.source, "SELECT count(*) FROM design")
    assert set(read_part(pipeline.ingestion, part)["colour"]) == {"black"}
    assert pipeline.capture().batch is None


def test_a_column_that_is_dropped_or_retyped_beyond_the_contract_is_followed(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE design ADD COLUMN extra timestamp; UPDATE design SET extra = now()")
    pipeline.tick()
    for change in (
        "ALTER TABLE design ALTER extra TYPE boolean USING true",
        "ALTER TABLE design ALTER extra TYPE integer USING 7",
        "ALTER TABLE design DROP COLUMN extra",
    ):
        execute(pipeline.source, change)
        execute(pipeline.source, "UPDATE design SET design_name = design_name || '.' WHERE design_id < 4")
        pipeline.tick()
        assert pipeline.capture().batch is None
        assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_table_that_joins_the_contract_is_read_whole(pipeline: Pipeline) -> None:
    without = tuple(table for table in SOURCE_TABLES if table.name != "currency")
    with session(pipeline.source) as connection:
        assert capture(connection, pipeline.ingestion, without).batch == 1
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("name", ["*", "^.*$", '"; DROP TABLE x; --', "%s %(x)s {}", "new\nline", "👜", "a.b", "$"])
@pytest.mark.begun
def test_a_column_with_a_hostile_name_is_carried_like_any_other(pipeline: Pipeline, name: str) -> None:
    with session(pipeline.source) as connection, connection, connection.cursor() as cursor:
        for table in ("design", "department"):
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} timestamp DEFAULT 'infinity'").format(
                    sql.Identifier(table), sql.Identifier(name)
                )
            )
    pipeline.tick()
    manifest = CaptureManifest.from_json(Journal(pipeline.ingestion).read(2))
    [part] = manifest.tables["design"].changes
    rows_in_lake = read_part(pipeline.ingestion, part)
    assert rows_in_lake.columns[-2] == name
    assert [json.loads(raw) for raw in rows_in_lake["_raw"].unique()] == [{name: "infinity"}]
    assert pipeline.capture().batch is None
    execute(pipeline.source, "UPDATE design SET file_name = 'again' WHERE design_id = 1")
    assert pipeline.tick().tables["dim_design"].versions == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@contextmanager
def acting_as(pipeline: Pipeline, role: str, grants: str) -> Iterator[Connection]:
    """A session of the source that is in a new role, which has these grants and is gone afterwards."""
    execute(pipeline.source, f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}; {grants}")
    with session(pipeline.source) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}")
        yield connection
    execute(pipeline.source, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_role_without_select_learns_which_table_to_grant(pipeline: Pipeline) -> None:
    grants = (
        "GRANT USAGE ON SCHEMA public TO half_blind;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO half_blind; REVOKE SELECT ON payment FROM half_blind"
    )
    with (
        acting_as(pipeline, "half_blind", grants) as connection,
        pytest.raises(ConfigurationError, match=r"may not read payment: type totes init source, .* or GRANT SELECT"),
    ):
        capture(connection, pipeline.ingestion, SOURCE_TABLES)


def test_a_role_that_may_not_use_the_schema_learns_what_to_grant(pipeline: Pipeline) -> None:
    grants = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO outside; REVOKE USAGE ON SCHEMA public FROM PUBLIC"
    with (
        acting_as(pipeline, "outside", grants) as connection,
        pytest.raises(
            ConfigurationError, match=r"may not use the schema public: .* GRANT USAGE ON SCHEMA public TO outside$"
        ),
    ):
        capture(connection, pipeline.ingestion, SOURCE_TABLES)


def test_a_role_with_select_alone_is_enough(pipeline: Pipeline) -> None:
    grants = "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
    with acting_as(pipeline, "reader", grants) as connection:
        assert capture(connection, pipeline.ingestion, SOURCE_TABLES).batch == 1


def test_of_two_runs_at_once_one_commits_the_batch_and_the_other_is_to_retry(pipeline: Pipeline) -> None:
    barrier = threading.Barrier(2)
    outcomes: list[object] = []

    class Meeting(Bucket):
        """Both runs reach their commit before either makes it."""

        def put_new(self, key: str, body: bytes) -> bool:
            if key.startswith("manifests/"):
                barrier.wait(timeout=30)
            return super().put_new(key, body)

    def run() -> None:
        bucket = Meeting(pipeline.ingestion.name, pipeline.ingestion.client)
        try:
            with session(pipeline.source) as connection:
                outcomes.append(capture(connection, bucket, SOURCE_TABLES).batch)
        except BatchTaken:
            outcomes.append(BatchTaken)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [1, BatchTaken]
    assert pipeline.capture().batch is None


def test_a_commit_whose_answer_was_lost_is_known_as_ones_own(pipeline: Pipeline) -> None:
    journal = Journal(pipeline.ingestion)
    journal.commit(1, b"{}")
    journal.commit(1, b"{}")
    with pytest.raises(BatchTaken):
        journal.commit(1, b"{ }")


def test_a_run_that_dies_before_its_manifest_leaves_nothing_that_counts(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(Journal, "commit", lambda *_: (_ for _ in ()).throw(RuntimeError("died")))
        with pytest.raises(RuntimeError, match="died"):
            pipeline.capture()
    assert keys_of(pipeline.ingestion), "rows had been written"
    assert Journal(pipeline.ingestion).newest() == 0
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_damaged_object_stops_the_run_by_name(pipeline: Pipeline) -> None:
    pipeline.capture()
    [key] = [key for key in keys_of(pipeline.ingestion) if "/design/" in key]
    body = pipeline.ingestion.get(key)
    pipeline.ingestion.client.put_object(Bucket="ingestion", Key=key, Body=body[:-1] + b"?")
    with pytest.raises(LakeCorrupted, match=key):
        pipeline.transform()


@pytest.mark.begun
def test_a_capture_reads_no_object_twice_and_none_that_it_has_written(pipeline: Pipeline, store: MemoryStore) -> None:
    for _ in range(3):
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id < 9")
        store.reads.clear()
        pipeline.capture()
    assert any(key.startswith("holdings/payment/") for key in store.reads), "runs were merged"
    assert len(store.reads) == len(set(store.reads))
    assert not [key for key in store.reads if key.startswith("batches/0000000004/")]


@pytest.mark.begun
def test_an_object_once_written_is_never_rewritten(pipeline: Pipeline) -> None:
    first = pipeline.objects()
    execute(pipeline.source, "UPDATE sales_order SET units_sold = 1 WHERE sales_order_id = 1")
    pipeline.tick()
    second = pipeline.objects()
    assert {place: second[place] for place in first} == first


@pytest.mark.begun
def test_transforming_a_batch_again_gives_the_same_bytes(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE department SET department_name = 'Again'; UPDATE payment SET paid = true")
    pipeline.tick()
    before = pipeline.objects()
    for key in keys_of(pipeline.processed):
        pipeline.processed.client.delete_object(Bucket="processed", Key=key)
    pipeline.transform()
    assert pipeline.objects() == before


def test_the_source_is_never_written_to(pipeline: Pipeline) -> None:
    with (
        session(pipeline.source) as connection,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
        snapshot_of(connection) as snapshot,
        snapshot.connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM payment")
