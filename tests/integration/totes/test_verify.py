"""Verify says equal exactly where the warehouse is what the source says, but for what is on its way."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulator import Shop
from tests.support.content import content_of
from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.waiting import until
from totes.capture import SOURCE_TABLES, capture
from totes.database_errors import translated_errors
from totes.errors import ConfigurationError, MassDeletion, SourceUnavailable, TotesError, WarehouseUnavailable
from totes.star import STAR_TABLES
from totes.verify import Verdict, keys_to_repair, pages, verification, verify
from totes.verify.compare import Compared, compare
from totes.warehouse import Rebuilding, load
from totes.warehouse.copying import REFUSES

FACT_PAYMENT = next(table for table in STAR_TABLES if table.name == "fact_payment")
SOURCED = [table for table in STAR_TABLES if table.name != "dim_date"]


def verdict_on(pipeline: Pipeline) -> Verdict:
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        return verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)


def repaired(pipeline: Pipeline) -> None:
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        found = verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
        again = keys_to_repair(warehouse, STAR_TABLES, found)
        assert capture(source, pipeline.ingestion, SOURCE_TABLES, recapture=again).batch is not None
    pipeline.tick()


def found(pipeline: Pipeline) -> dict[str, tuple[list[int], list[int], list[int]]]:
    return {
        name: (sorted(table.missing), sorted(table.extra), sorted(table.different))
        for name, table in verdict_on(pipeline).tables.items()
        if table.differences
    }


def assert_equal(pipeline: Pipeline) -> None:
    assert found(pipeline) == {}


def amid_the_comparison(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Act whenever rows of both sides have been read and are compared."""

    def acting(*sides: Any) -> Compared:
        act()
        return compare(*sides)

    monkeypatch.setattr(verification, "compare", acting)


def test_an_empty_warehouse_cannot_be_verified(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="holds no batch yet"):
        verdict_on(pipeline)


@pytest.mark.begun
def test_a_shop_that_lives_on_is_equal_after_every_tick(pipeline: Pipeline) -> None:
    for _ in range(4):
        Shop(pipeline.source, seed=5).trade(40)
        pipeline.tick()
        verdict = verdict_on(pipeline)
        assert verdict.differences == 0
        assert not any(table.in_flight or table.quarantined for table in verdict.tables.values())
        assert verdict.tables["fact_payment"].rows == value(pipeline.source, "SELECT count(*) FROM payment")


@pytest.mark.begun
def test_pages_of_any_size_find_the_same(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(pipeline.warehouse, "DELETE FROM fact_payment WHERE payment_id % 10 = 0")
    execute(pipeline.warehouse, "DELETE FROM dim_design WHERE design_id = (SELECT max(design_id) FROM dim_design)")
    columns = ", ".join(column.name for column in FACT_PAYMENT.columns if column.name != "payment_id")
    for key in ("-n", "1000000 + n"):
        execute(
            pipeline.warehouse,
            f"INSERT INTO fact_payment (payment_id, {columns}, batch_id) SELECT {key}, {columns}, 1 "
            "FROM fact_payment, generate_series(1, 25) AS n WHERE payment_id = 2",
        )
    expected = found(pipeline)
    assert set(expected) == {"fact_payment", "dim_design"}
    assert len(expected["fact_payment"][1]) == 50
    for rows_a_page in (1, 7):
        monkeypatch.setattr(pages, "PAGE_ROWS", rows_a_page)
        assert found(pipeline) == expected


@pytest.mark.begun
def test_a_row_that_somebody_took_out_of_any_table_is_missing(pipeline: Pipeline) -> None:
    for table in SOURCED:
        execute(pipeline.warehouse, f"DELETE FROM {table.name} WHERE {table.key} = 2")
    assert found(pipeline) == {table.name: ([2], [], []) for table in SOURCED}
    repaired(pipeline)
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_that_somebody_put_into_any_table_is_extra(pipeline: Pipeline) -> None:
    for table in SOURCED:
        columns = ", ".join(column.name for column in table.columns if column.name != table.key)
        execute(
            pipeline.warehouse,
            f"INSERT INTO {table.name} ({table.key}, {columns}, batch_id) "
            f"SELECT 999999, {columns}, 1 FROM {table.name} WHERE {table.key} = 2",
        )
    assert found(pipeline) == {table.name: ([], [999999], []) for table in SOURCED}
    repaired(pipeline)
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("rows_a_page", [None, 1])
@pytest.mark.begun
def test_a_row_that_is_there_twice_is_different(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, rows_a_page: int | None
) -> None:
    """Also where both rows say the same, or only the second of them is what the source says."""
    if rows_a_page:
        monkeypatch.setattr(pages, "PAGE_ROWS", rows_a_page)
    execute(
        pipeline.warehouse,
        "ALTER TABLE dim_staff DROP CONSTRAINT dim_staff_pkey;"
        "INSERT INTO dim_staff SELECT * FROM dim_staff WHERE staff_id IN (2, 3);"
        "ALTER TABLE dim_date DROP CONSTRAINT dim_date_pkey;"
        "INSERT INTO dim_date SELECT * FROM dim_date WHERE date_id = (SELECT min(date_id) FROM dim_date);"
        "ALTER TABLE fact_payment DROP CONSTRAINT fact_payment_payment_id_batch_id_key;"
        "ALTER TABLE fact_payment DROP CONSTRAINT fact_payment_pkey;"
        "INSERT INTO fact_payment SELECT * FROM fact_payment WHERE payment_id = 5;"
        "INSERT INTO dim_staff SELECT * FROM dim_staff WHERE staff_id = 2 LIMIT 1;"
        "UPDATE dim_staff SET staff_id = 999999 WHERE ctid IN (SELECT max(ctid) FROM dim_staff)"
        "OR ctid IN (SELECT max(ctid) FROM dim_staff WHERE staff_id = 3)",
    )
    first = value(pipeline.warehouse, "SELECT min(date_id) FROM dim_date")
    assert found(pipeline) == {
        "dim_staff": ([], [999999], [2]),
        "dim_date": ([], [], [first]),
        "fact_payment": ([], [], [5]),
    }
    assert verdict_on(pipeline).tables["dim_staff"].columns == ("staff_id",)


@pytest.mark.parametrize(
    "edits",
    [
        {
            "fact_sales_order": "unit_price = unit_price + 0.01",
            "fact_purchase_order": "item_code = item_code || ' '",
            "fact_payment": "last_updated_time = last_updated_time + interval '1 ms'",
            "dim_staff": "department_name = 'Nowhere'",
            "dim_counterparty": "counterparty_legal_district = ''",
            "dim_location": "address_line_2 = NULL",
            "dim_transaction": "transaction_type = 'GIFT'",
        },
        {"fact_payment": "paid = NOT paid"},
    ],
    ids=["in many tables", "in one"],
)
@pytest.mark.begun
def test_values_that_somebody_changed_in_the_warehouse_are_different(
    pipeline: Pipeline, edits: Mapping[str, str]
) -> None:
    execute(pipeline.source, "UPDATE address SET address_line_2 = 'flat', district = NULL")
    pipeline.tick()
    for table, edit in edits.items():
        key = next(star.key for star in STAR_TABLES if star.name == table)
        execute(pipeline.warehouse, f"UPDATE {table} SET {edit} WHERE {key} = 3")
    verdict = verdict_on(pipeline)
    assert {name for name, star in verdict.tables.items() if star.differences} == edits.keys()
    for table, edit in edits.items():
        assert [*verdict.tables[table].different] == [3]
        assert verdict.tables[table].columns == (edit.split(" = ", maxsplit=1)[0],)
    repaired(pipeline)
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("role", ["source", "warehouse"])
@pytest.mark.begun
def test_the_database_that_breaks_off_is_the_one_that_is_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    uris = {"source": pipeline.source, "warehouse": pipeline.warehouse}

    def end_session() -> None:
        execute(
            uris[role],
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

    amid_the_comparison(monkeypatch, end_session)
    with (
        pytest.raises(TotesError, match=f"the {role} cannot do this now") as raised,
        session(pipeline.source) as source,
        translated_errors(source, "source", SourceUnavailable),
        session(pipeline.warehouse) as warehouse,
        translated_errors(warehouse, "warehouse", WarehouseUnavailable),
    ):
        verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
    assert type(raised.value) is {"source": SourceUnavailable, "warehouse": WarehouseUnavailable}[role]


@pytest.mark.begun
def test_a_row_that_somebody_marked_deleted_is_missing(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "UPDATE dim_design SET is_deleted = true WHERE design_id = 3")
    execute(pipeline.warehouse, "UPDATE fact_payment SET is_deleted = true WHERE payment_id = 3")
    assert found(pipeline) == {"dim_design": ([3], [], []), "fact_payment": ([3], [], [])}
    repaired(pipeline)
    assert_equal(pipeline)


@pytest.mark.begun
def test_dates_are_held_against_the_calendar_itself(pipeline: Pipeline) -> None:
    days = rows(pipeline.warehouse, "SELECT DISTINCT created_date FROM current_payment ORDER BY 1 LIMIT 3")
    [first], [second], [third] = days
    execute(pipeline.warehouse, "DELETE FROM dim_date WHERE date_id = %s", [first])
    execute(pipeline.warehouse, "UPDATE dim_date SET day_name = 'Funday' WHERE date_id = %s", [second])
    execute(pipeline.warehouse, "UPDATE dim_date SET is_deleted = true WHERE date_id = %s", [third])
    verdict = verdict_on(pipeline).tables["dim_date"]
    assert (sorted(verdict.missing), [*verdict.different]) == ([first, third], [second])
    repaired(pipeline)
    assert_equal(pipeline)


@pytest.mark.begun
def test_what_the_next_tick_will_bring_is_in_flight(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 4")
    execute(pipeline.source, "UPDATE department SET department_name = 'Renamed'")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    verdict = verdict_on(pipeline)
    assert verdict.differences == 0
    assert verdict.tables["fact_sales_order"].in_flight == 1
    assert verdict.tables["fact_payment"].in_flight == 1
    assert verdict.tables["dim_staff"].in_flight == value(pipeline.source, "SELECT count(*) FROM staff")


@pytest.mark.begun
def test_what_a_mass_deletion_keeps_from_coming_is_a_difference_and_the_verdict_says_what_lets_it_come(
    pipeline: Pipeline,
) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 4")
    pipeline.capture()
    gone = value(pipeline.source, "SELECT count(*) FROM payment")
    execute(pipeline.source, "TRUNCATE payment")
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 5")
    with pytest.raises(MassDeletion) as stopped:
        pipeline.capture()
    verdict = verdict_on(pipeline)
    assert verdict.stopped == str(stopped.value)
    assert verdict.stopped.startswith(f"{gone} of {gone} rows of payment are gone")
    assert verdict.stopped.endswith("totes run --accept-deletes payment")
    assert (verdict.tables["fact_payment"].extra.len(), verdict.tables["fact_payment"].in_flight) == (gone, 0)
    assert [*verdict.tables["fact_sales_order"].different] == [5], "the next tick does not bring it either"
    assert verdict.tables["fact_sales_order"].in_flight == 1, "what is in the lake is loaded all the same"
    assert verdict.to_dict()["stopped"] == verdict.stopped
    assert not verdict.to_dict()["equal"]
    with session(pipeline.source) as connection:
        capture(connection, pipeline.ingestion, SOURCE_TABLES, accept_deletes=["payment"])
    pipeline.tick()
    assert_equal(pipeline)


@pytest.mark.begun
def test_as_many_rows_as_a_tick_may_lose_are_in_flight(pipeline: Pipeline) -> None:
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id % 2 = 0")
    gone = value(pipeline.warehouse, "SELECT count(*) FROM current_payment WHERE payment_id % 2 = 0")
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        verdicts = [
            verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES, mass_deletion_percent=percent)
            for percent in (40, 60)
        ]
    assert [(each.differences, each.tables["fact_payment"].in_flight) for each in verdicts] == [(gone, 0), (0, gone)]
    assert "more than 40 %" in (verdicts[0].stopped or "")
    assert verdicts[1].stopped is None


@pytest.mark.begun
def test_what_is_captured_and_not_loaded_is_in_flight(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 4")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    pipeline.capture()
    verdict = verdict_on(pipeline)
    assert verdict.differences == 0
    assert (verdict.tables["fact_sales_order"].in_flight, verdict.tables["fact_payment"].in_flight) == (1, 1)


@pytest.mark.begun
def test_a_change_in_flight_does_not_hide_another_difference(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 4")
    execute(pipeline.warehouse, "UPDATE fact_sales_order SET units_sold = 0 WHERE sales_order_id = 5")
    assert found(pipeline) == {"fact_sales_order": ([], [], [5])}


@pytest.mark.begun
def test_what_is_in_quarantine_is_excused_and_what_should_be_is_not(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET agreed_payment_date = 'TBC' WHERE sales_order_id = 4")
    pipeline.tick()
    verdict = verdict_on(pipeline)
    assert verdict.differences == 0
    assert verdict.tables["fact_sales_order"].quarantined == 1
    execute(pipeline.warehouse, "DELETE FROM etl.quarantine")
    assert found(pipeline) == {"fact_sales_order": ([4], [], [])}


@pytest.mark.begun
def test_a_quarantine_excuses_no_row_that_should_have_left_it(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET agreed_payment_date = 'TBC' WHERE sales_order_id IN (4, 5)")
    pipeline.tick()
    execute(
        pipeline.warehouse,
        "INSERT INTO etl.quarantine (batch_id, star_table, key, reason, source_row) "
        "SELECT 1, 'fact_sales_order', key, 'whatever', '{}' FROM unnest(ARRAY[6, 7]) AS key; "
        "UPDATE fact_sales_order SET units_sold = 0 WHERE sales_order_id = 6; "
        "DELETE FROM fact_sales_order WHERE sales_order_id = 7; "
        "INSERT INTO etl.quarantine (batch_id, star_table, key, reason, source_row) "
        "VALUES (1, 'dim_design', -1, 'whatever', '{}'); "
        "INSERT INTO dim_design (design_id, design_name, file_location, file_name, batch_id) "
        "SELECT -1, design_name, file_location, file_name, 1 FROM dim_design WHERE design_id = 1",
    )
    assert found(pipeline) == {"fact_sales_order": ([7], [], [6]), "dim_design": ([], [-1], [])}
    repaired(pipeline)
    assert_equal(pipeline)
    still = "SELECT key FROM etl.quarantine WHERE resolved_by IS NULL ORDER BY key"
    assert rows(pipeline.warehouse, still) == [(4,), (5,)]


@pytest.mark.begun
def test_a_row_that_the_warehouse_itself_refuses_is_excused_as_long_as_it_does(pipeline: Pipeline) -> None:
    execute(
        pipeline.warehouse,
        "INSERT INTO etl.quarantine (batch_id, star_table, key, reason, source_row) "
        "VALUES (1, 'dim_design', 4, %s, '{}'), (1, 'dim_design', 5, %s, '{}'); "
        "UPDATE dim_design SET design_name = 'before' WHERE design_id = 4; DELETE FROM dim_design WHERE design_id = 5",
        [f"{REFUSES} (54000): the row is too big", "whatever"],
    )
    assert found(pipeline) == {"dim_design": ([5], [], [])}
    assert verdict_on(pipeline).tables["dim_design"].quarantined == 1


@pytest.mark.begun
def test_a_repair_is_an_ordinary_batch_and_brings_what_else_has_changed(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "UPDATE fact_sales_order SET units_sold = 0 WHERE sales_order_id = 5")
    execute(pipeline.source, "UPDATE design SET design_name = 'meanwhile' WHERE design_id = 1")
    repaired(pipeline)
    row_counts = rows(
        pipeline.warehouse, "SELECT star_table, rows_in, versions FROM etl.batch_table WHERE batch_id = 2 ORDER BY 1"
    )
    assert ("fact_sales_order", 1, 1) in row_counts
    assert ("dim_design", 1, 1) in row_counts
    assert pipeline.capture().batch is None
    assert_equal(pipeline)


OF_THE_FUTURE = (
    "INSERT INTO fact_sales_order ({columns}, batch_id) SELECT {changed}, {batch} FROM fact_sales_order "
    "WHERE sales_order_id IN (3, 4)"
)


def write_versions_of(pipeline: Pipeline, batch: int) -> None:
    """By hand, and with other content."""
    [fact] = [table for table in STAR_TABLES if table.name == "fact_sales_order"]
    names = [column.name for column in fact.columns]
    execute(
        pipeline.warehouse,
        OF_THE_FUTURE.format(
            columns=", ".join(names),
            changed=", ".join("units_sold + 1" if name == "units_sold" else name for name in names),
            batch=batch,
        ),
    )


@pytest.mark.parametrize("batch", [2, 2147483647])
@pytest.mark.begun
def test_versions_that_somebody_wrote_of_batches_to_come_are_found_and_repaired(pipeline: Pipeline, batch: int) -> None:
    write_versions_of(pipeline, batch)
    assert found(pipeline) == {"fact_sales_order": ([], [], [3, 4])}
    repaired(pipeline)
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 7 WHERE sales_order_id = 3")
    pipeline.tick()
    assert_equal(pipeline)


@pytest.mark.parametrize("batch", [2, 3, 2147483647])
@pytest.mark.begun
def test_versions_that_somebody_wrote_of_batches_to_come_give_way_to_what_the_shop_says(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, batch: int
) -> None:
    write_versions_of(pipeline, batch)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 7 WHERE sales_order_id = 3")
    execute(
        pipeline.source,
        "DELETE FROM payment WHERE transaction_id IN (SELECT transaction_id FROM transaction WHERE sales_order_id = 4);"
        "DELETE FROM transaction WHERE sales_order_id = 4; DELETE FROM sales_order WHERE sales_order_id = 4",
    )
    pipeline.tick()
    assert_equal(pipeline)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    said = "1 versions of fact_sales_order were of batch 2 or later, which nobody had loaded; they are deleted"
    assert caplog.text.count(said) == 2
    held = "SELECT batch_id, is_deleted FROM fact_sales_order WHERE sales_order_id = {} ORDER BY 1"
    assert rows(pipeline.warehouse, held.format(3)) == [(1, False), (2, False)]
    assert rows(pipeline.warehouse, held.format(4)) == [(1, False), (2, True)]


@pytest.mark.begun
def test_a_version_whose_batch_somebody_has_changed_to_one_to_come_is_there_again(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "UPDATE fact_sales_order SET batch_id = 5 WHERE sales_order_id = 3")
    for batch in range(2, 7):
        execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = 3")
        assert pipeline.tick().newest == batch
        assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert_equal(pipeline)


@pytest.mark.begun
def test_of_much_that_differs_so_much_is_repaired_at_once_as_is_asked_for(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "DELETE FROM fact_payment; DELETE FROM dim_design WHERE design_id = 2")
    with session(pipeline.warehouse) as warehouse:
        verdict = verdict_on(pipeline)
        assert keys_to_repair(warehouse, STAR_TABLES, verdict, most=3) == {"design": [2], "payment": [1, 2]}
        assert len(keys_to_repair(warehouse, STAR_TABLES, verdict)["payment"]) == verdict.differences - 1


@pytest.mark.begun
def test_a_date_that_only_history_names_comes_back_by_a_rebuild(pipeline: Pipeline) -> None:
    for date in ("1999-01-01", "2024-11-11"):
        execute(pipeline.source, "UPDATE sales_order SET agreed_payment_date = %s WHERE sales_order_id = 4", [date])
        pipeline.tick()
    execute(pipeline.warehouse, "DELETE FROM dim_date WHERE date_id = '1999-01-01'")
    assert verdict_on(pipeline).tables["dim_date"].missing.len() == 1
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert_equal(pipeline)


@pytest.mark.begun
def test_what_was_done_to_older_versions_is_put_right_by_a_rebuild_alone(pipeline: Pipeline) -> None:
    """Also what was added to them, and done to the last good version of a row in quarantine."""
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    execute(pipeline.source, "UPDATE sales_order SET agreed_payment_date = 'TBC' WHERE sales_order_id = 4")
    pipeline.tick()
    before = content_of(pipeline.warehouse)
    execute(
        pipeline.warehouse,
        "DELETE FROM fact_payment WHERE payment_id = 5 AND batch_id = 1; "
        "CREATE TEMPORARY TABLE added ON COMMIT DROP AS SELECT * FROM fact_payment WHERE payment_id = 6; "
        "UPDATE added SET batch_id = 0, payment_record_id = -1, payment_amount = 0; "
        "INSERT INTO fact_payment SELECT * FROM added; "
        "UPDATE fact_sales_order SET units_sold = 0 WHERE sales_order_id = 4",
    )
    assert verdict_on(pipeline).differences == 0
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_a_verification_that_has_waited_for_other_tables_sees_what_is_in_them(pipeline: Pipeline) -> None:
    """TRUNCATE does what a swap does: to a snapshot from before it the table is empty."""
    with ThreadPoolExecutor(1) as pool, session(pipeline.warehouse) as other:
        with other, other.cursor() as cursor:
            cursor.execute(
                "LOCK TABLE dim_design IN ACCESS EXCLUSIVE MODE; CREATE TEMPORARY TABLE held AS TABLE dim_design; "
                "TRUNCATE dim_design; INSERT INTO dim_design SELECT * FROM held"
            )
            waiting = pool.submit(verdict_on, pipeline)
            until(lambda: value(pipeline.warehouse, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 1)
        assert waiting.result().differences == 0


@pytest.mark.begun
def test_a_rebuild_does_not_take_its_place_in_the_middle_of_a_verification(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilding: list[Rebuilding | None] = []

    def rebuild() -> None:
        if not rebuilding:
            with session(pipeline.warehouse) as connection:
                rebuilding.append(load(connection, pipeline.processed, STAR_TABLES, rebuild=True).rebuilding)

    amid_the_comparison(monkeypatch, rebuild)
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        verdict = verify(source, warehouse, pipeline.ingestion, SOURCE_TABLES, STAR_TABLES)
    assert verdict.differences == 0
    assert rebuilding[0] is not None, "it waits for the verification's end"
    assert pipeline.load().rebuilding is None
    assert_equal(pipeline)
