"""A row that vanishes from the source is closed in the warehouse, its history stays, and a mass deletion asks first."""

import dataclasses

import pytest

from tests.support.databases import execute, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, capture, pending, sizes
from totes.capture.holdings.content import Holdings
from totes.capture.source.snapshot import snapshot_of
from totes.errors import ConfigurationError, MassDeletion
from totes.lake import CaptureManifest, Journal
from totes.lake.manifests import digest

NEW_DESIGN = "INSERT INTO design (design_name, file_location, file_name, last_updated) VALUES ('new', '/', 'n', now())"

UNUSED = "design_id NOT IN (SELECT design_id FROM sales_order)"


def delete_order(uri: str, order: int) -> None:
    """As the shop deletes one: its payment first; the transaction stays, without its order."""
    execute(
        uri,
        "DELETE FROM payment USING transaction "
        "WHERE payment.transaction_id = transaction.transaction_id AND sales_order_id = %s",
        [order],
    )
    execute(uri, "DELETE FROM sales_order WHERE sales_order_id = %s", [order])


def history(pipeline: Pipeline, order: int) -> list[tuple[int, int, bool]]:
    return rows(
        pipeline.warehouse,
        "SELECT batch_id, units_sold, is_deleted FROM fact_sales_order WHERE sales_order_id = %s ORDER BY batch_id",
        [order],
    )


def deleted(pipeline: Pipeline, star_table: str, batch: int) -> int | None:
    found = rows(
        pipeline.warehouse,
        "SELECT deleted FROM etl.batch_table WHERE star_table = %s AND batch_id = %s",
        [star_table, batch],
    )
    return found[0][0] if found else None


@pytest.mark.begun
def test_a_deleted_order_and_its_payment_get_a_closing_version_and_leave_the_current_state(pipeline: Pipeline) -> None:
    units = value(pipeline.source, "SELECT units_sold FROM sales_order WHERE sales_order_id = 7")
    delete_order(pipeline.source, 7)
    loaded = pipeline.tick()
    assert history(pipeline, 7) == [(1, units, False), (2, units, True)]
    assert loaded.tables["fact_sales_order"].deleted == 1
    assert loaded.tables["fact_payment"].deleted == 1
    assert loaded.tables["dim_transaction"].versions == 1, "the transaction lost its order"
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_closing_version_says_what_the_newest_one_said(pipeline: Pipeline) -> None:
    delete_order(pipeline.source, 7)
    pipeline.tick()
    before, after = rows(
        pipeline.warehouse,
        "SELECT (to_jsonb(f) - 'sales_record_id' - 'batch_id' - 'is_deleted')::text FROM fact_sales_order AS f "
        "WHERE sales_order_id = 7 ORDER BY batch_id",
    )
    assert before == after


@pytest.mark.begun
def test_a_deleted_row_stays_deleted_once(pipeline: Pipeline) -> None:
    delete_order(pipeline.source, 7)
    pipeline.tick()
    assert pipeline.capture().batch is None
    assert pipeline.tick().batches.count == 0


@pytest.mark.begun
def test_a_key_that_comes_again_continues_its_history(pipeline: Pipeline) -> None:
    row = "(SELECT (jsonb_populate_record(NULL::sales_order, %s::jsonb)).*)"
    kept = value(pipeline.source, "SELECT to_jsonb(s)::text FROM sales_order AS s WHERE sales_order_id = 7")
    units = value(pipeline.source, "SELECT units_sold FROM sales_order WHERE sales_order_id = 7")
    delete_order(pipeline.source, 7)
    pipeline.tick()
    execute(pipeline.source, f"INSERT INTO sales_order {row}", [kept])
    pipeline.tick()
    assert history(pipeline, 7) == [(1, units, False), (2, units, True), (3, units, False)]
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_deleted_and_inserted_between_two_ticks_is_no_version_if_it_says_the_same(pipeline: Pipeline) -> None:
    execute(
        pipeline.source,
        "CREATE TEMPORARY TABLE kept AS SELECT * FROM payment WHERE payment_id = 3; "
        "DELETE FROM payment WHERE payment_id = 3; INSERT INTO payment SELECT * FROM kept",
    )
    assert pipeline.tick().batches.count == 0


@pytest.mark.begun
def test_one_row_in_and_one_row_out_does_not_deceive_the_count(pipeline: Pipeline) -> None:
    execute(pipeline.source, NEW_DESIGN)
    execute(pipeline.source, f"DELETE FROM design WHERE design_id = (SELECT min(design_id) FROM design WHERE {UNUSED})")
    loaded = pipeline.tick()
    assert (loaded.tables["dim_design"].versions, loaded.tables["dim_design"].deleted) == (1, 1)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_a_row_whose_key_is_changed_is_one_row_gone_and_one_new(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET payment_id = 1000003 WHERE payment_id = 3")
    loaded = pipeline.tick()
    assert (loaded.tables["fact_payment"].versions, loaded.tables["fact_payment"].deleted) == (1, 1)
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


def test_a_dimension_row_that_history_needs_stays_marked_and_comes_back(pipeline: Pipeline) -> None:
    execute(pipeline.source, NEW_DESIGN)
    pipeline.tick()
    marked = "SELECT is_deleted, batch_id FROM dim_design WHERE design_name = 'new'"
    execute(
        pipeline.source,
        "CREATE TABLE kept AS SELECT * FROM design WHERE design_name = 'new'; "
        "DELETE FROM design WHERE design_name = 'new'",
    )
    pipeline.tick()
    assert rows(pipeline.warehouse, marked) == [(True, 2)]
    execute(pipeline.source, "INSERT INTO design SELECT * FROM kept")
    pipeline.tick()
    assert rows(pipeline.warehouse, marked) == [(False, 3)]


@pytest.mark.begun
def test_a_delete_that_is_not_committed_yet_is_none(pipeline: Pipeline) -> None:
    with session(pipeline.source) as late, late.cursor() as cursor:
        cursor.execute("DELETE FROM payment WHERE payment_id = 3")
        assert pipeline.tick().batches.count == 0
        late.commit()
    assert pipeline.tick().tables["fact_payment"].deleted == 1


def test_a_deleted_row_leaves_the_quarantine(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET agreed_payment_date = 'TBC' WHERE sales_order_id = 7")
    pipeline.tick()
    assert history(pipeline, 7) == []
    delete_order(pipeline.source, 7)
    loaded = pipeline.tick()
    assert loaded.tables["fact_sales_order"].deleted == 0, "the warehouse never held it"
    assert loaded.tables["fact_sales_order"].unchanged == 1
    assert rows(pipeline.warehouse, "SELECT key, resolved_by FROM etl.quarantine") == [(7, 2)]


def test_deletes_are_remembered_however_sorted_runs_are_merged(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "ROWS_AT_ONCE", 40)
    pipeline.tick()
    for order in range(1, 16):
        delete_order(pipeline.source, order)
        execute(pipeline.source, "UPDATE design SET file_name = file_name || 'x' WHERE design_id = %s", [order])
        pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    journal = Journal(pipeline.ingestion)
    held = CaptureManifest.from_json(journal.read(journal.newest())).tables["sales_order"]
    assert held.held == value(pipeline.source, "SELECT count(*) FROM sales_order")
    held_keys = Holdings(held.holdings, "sales_order_id", pipeline.ingestion).held_keys()
    assert [(key,) for found in held_keys for key in found.keys] == rows(
        pipeline.source, "SELECT sales_order_id FROM sales_order ORDER BY sales_order_id"
    )
    assert pipeline.capture().batch is None


@pytest.mark.begun
def test_a_row_older_than_the_horizon_that_the_lake_lacks_is_found_by_the_count(pipeline: Pipeline) -> None:
    """No way is known for that to happen; this makes one, by a batch whose horizon lies."""
    execute(pipeline.source, NEW_DESIGN)
    journal = Journal(pipeline.ingestion)
    first = journal.read(1)
    manifest = CaptureManifest.from_json(first)
    horizon = value(pipeline.source, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    liar = dataclasses.replace(
        manifest,
        batch=2,
        parent=digest(first),
        horizon=horizon,
        tables={
            name: dataclasses.replace(table, changes=(), context=(), deletes=())
            for name, table in manifest.tables.items()
        },
    )
    journal.commit(2, liar.to_json())
    execute(pipeline.source, "SELECT pg_current_xact_id()")  # where no transaction has ended nothing is counted
    pipeline.tick()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_an_emptied_table_stops_the_run_until_someone_says_go(pipeline: Pipeline) -> None:
    before = pipeline.objects()
    execute(pipeline.source, "TRUNCATE payment")
    with pytest.raises(MassDeletion, match=r"rows of payment are gone .* totes run --accept-deletes payment"):
        pipeline.capture()
    assert {key for key in pipeline.objects() if "manifests/" in key} == {key for key in before if "manifests/" in key}
    with session(pipeline.source) as connection:
        capture(connection, pipeline.ingestion, SOURCE_TABLES, accept_deletes=["payment"])
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM current_payment") == 0
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_every_table_that_lost_too_much_is_named_at_once(pipeline: Pipeline) -> None:
    execute(pipeline.source, "DELETE FROM payment; DELETE FROM transaction")

    def asked(*accepted: str) -> list[str]:
        with session(pipeline.source) as connection, pytest.raises(MassDeletion) as stopped:
            capture(connection, pipeline.ingestion, SOURCE_TABLES, accept_deletes=accepted)
        return str(stopped.value).partition("accept it: totes run ")[2].replace("--accept-deletes", "").split()

    everything = asked()
    assert set(everything) >= {"payment", "transaction"}
    assert sorted(asked("payment")) == sorted(everything), "what was accepted before is accepted by the next command"
    with session(pipeline.source) as connection:
        assert capture(connection, pipeline.ingestion, SOURCE_TABLES, accept_deletes=everything).batch == 2


@pytest.mark.begun
def test_more_than_the_set_share_of_a_table_stops_the_run(pipeline: Pipeline) -> None:
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id % 2 = 0")
    with session(pipeline.source) as connection:
        with pytest.raises(MassDeletion, match="more than 40 %"):
            capture(connection, pipeline.ingestion, SOURCE_TABLES, mass_deletion_percent=40)
        assert capture(connection, pipeline.ingestion, SOURCE_TABLES, mass_deletion_percent=60).batch == 2


@pytest.mark.begun
def test_rows_that_are_asked_for_again_come_again_and_those_that_are_not_there_come_as_deleted(
    pipeline: Pipeline,
) -> None:
    execute(pipeline.warehouse, "UPDATE fact_sales_order SET units_sold = 1 WHERE sales_order_id = 7")
    execute(
        pipeline.warehouse,
        "INSERT INTO dim_design (design_id, design_name, file_location, file_name, batch_id) "
        "VALUES (999999, 'never', '/', 'was', 1)",
    )
    assert pipeline.tick().batches.count == 0
    with session(pipeline.source) as connection:
        captured = capture(
            connection, pipeline.ingestion, SOURCE_TABLES, recapture={"sales_order": [7, 7], "design": [999999]}
        )
    assert captured.batch == 2
    pipeline.tick()
    assert deleted(pipeline, "dim_design", 2) == 1
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
    assert pipeline.capture().batch is None


def test_a_table_that_is_not_captured_cannot_be_asked_for(pipeline: Pipeline) -> None:
    with session(pipeline.source) as connection, pytest.raises(ConfigurationError, match="no table orders"):
        capture(connection, pipeline.ingestion, SOURCE_TABLES, recapture={"orders": [1]})


@pytest.mark.begun
def test_pending_is_what_the_next_tick_would_bring_and_writes_nothing(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id IN (4, 9)")
    execute(pipeline.source, "UPDATE design SET design_name = design_name")
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 3")
    before = [*keys_of(pipeline.ingestion)]
    with session(pipeline.source) as connection, snapshot_of(connection) as snapshot:
        found = pending(snapshot, pipeline.ingestion, SOURCE_TABLES)
    assert sorted(found["sales_order"].changed) == [4, 9]
    assert [*found["payment"].deleted] == [3]
    assert [*found["design"].changed] == []
    assert [*keys_of(pipeline.ingestion)] == before
