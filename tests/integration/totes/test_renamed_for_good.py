"""What the source renames for good keeps its name in the lake and the star, and so its history."""

import dataclasses
from collections.abc import Mapping

import pytest

from tests.support.content import content_of
from tests.support.databases import execute, own_session, rows, session, value
from tests.support.pipeline import Pipeline
from totes.answers.fitness import fitness
from totes.capture import SOURCE_TABLES, read_piece
from totes.capture.batch import capture
from totes.capture.source_schema import Family, SourceTable
from totes.capture.tables.payment import PAYMENT
from totes.errors import ConfigurationError, ContractError
from totes.lake import Journal
from totes.star import STAR_TABLES, replay, transform
from totes.verify import verify
from totes.warehouse import load


def said(tables: Mapping[str, Mapping[str, object]]) -> tuple[SourceTable, ...]:
    """The source tables, with what a person has changed in the files of some."""
    return tuple(dataclasses.replace(table, **tables.get(table.name, {})) for table in SOURCE_TABLES)  # type: ignore[arg-type]


def deployed(pipeline: Pipeline, tables: Mapping[str, Mapping[str, object]]) -> Pipeline:
    return dataclasses.replace(pipeline, tables=said(tables))


def live(pipeline: Pipeline) -> None:
    """Some batches: payments that change, and one that goes."""
    for payment in range(1, 4):
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [payment])
        pipeline.tick()
    execute(pipeline.source, "DELETE FROM payment WHERE payment_id = 4")
    pipeline.tick()


def assert_equal(pipeline: Pipeline) -> None:
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        verdict = verify(source, warehouse, pipeline.ingestion, pipeline.tables, STAR_TABLES)
    assert verdict.differences == 0
    assert sum(table.in_flight for table in verdict.tables.values()) == 0


def replayed(pipeline: Pipeline) -> None:
    """All batches, transformed and loaded again."""
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    pipeline.load()


def versions(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return rows(pipeline.warehouse, "SELECT payment_id, paid, batch_id, is_deleted FROM fact_payment ORDER BY 1, 3")


@pytest.mark.begun
def test_a_renamed_column_makes_no_version_and_a_replay_loses_none(pipeline: Pipeline) -> None:
    live(pipeline)
    before = versions(pipeline)
    execute(pipeline.source, "ALTER TABLE payment RENAME paid TO settled")
    way_out = r'settled now, say so in capture/tables/payment.py: renamed={"paid": "settled"}'
    with pytest.raises(ContractError, match=r"column payment\.paid is missing \(if it is called ") as refused:
        pipeline.capture()
    assert way_out in str(refused.value)

    pipeline = deployed(pipeline, {"payment": {"renamed": {"paid": "settled"}}})
    pipeline.tick()
    assert versions(pipeline) == before
    execute(pipeline.source, "UPDATE payment SET settled = NOT settled WHERE payment_id = 5")
    pipeline.tick()
    changed = versions(pipeline)
    assert len(changed) == len(before) + 1
    assert_equal(pipeline)
    replayed(pipeline)
    assert versions(pipeline) == changed
    assert_equal(pipeline)


@pytest.mark.begun
def test_a_column_that_another_takes_the_place_of_keeps_its_history(pipeline: Pipeline) -> None:
    """Expand and contract: a column beside the other, filled; what reads goes over to it; then the other is dropped."""
    live(pipeline)
    before = versions(pipeline)
    execute(pipeline.source, "ALTER TABLE payment ADD settled boolean")
    pipeline.tick()
    execute(pipeline.source, "UPDATE payment SET settled = paid")
    execute(pipeline.source, "ALTER TABLE payment ALTER settled SET NOT NULL")
    pipeline.tick()
    pipeline = deployed(pipeline, {"payment": {"renamed": {"paid": "settled"}}})
    pipeline.tick()
    execute(pipeline.source, "ALTER TABLE payment DROP paid")
    pipeline.tick()
    assert versions(pipeline) == before
    replayed(pipeline)
    assert versions(pipeline) == before
    assert_equal(pipeline)


@pytest.mark.begun
@pytest.mark.parametrize(("table", "key"), [("payment", "payment_id"), ("design", "design_id"), ("staff", "staff_id")])
def test_a_renamed_key_stops_nothing(pipeline: Pipeline, table: str, key: str) -> None:
    execute(pipeline.source, f"ALTER TABLE {table} RENAME {key} TO id")
    pipeline = deployed(pipeline, {table: {"renamed": {key: "id"}}})
    before = content_of(pipeline.warehouse)
    pipeline.tick()
    after = content_of(pipeline.warehouse)
    for name in before.keys() - {"batch", "batch_table", "drift"}:
        assert after[name] == before[name]
    execute(pipeline.source, f"UPDATE {table} SET last_updated = last_updated + interval '1 s' WHERE id = 3")
    pipeline.tick()
    assert_equal(pipeline)


@pytest.mark.begun
def test_rows_that_go_while_a_renamed_table_stops_every_run_are_closed(pipeline: Pipeline) -> None:
    live(pipeline)
    execute(pipeline.source, "ALTER TABLE payment RENAME TO payments")
    execute(pipeline.source, "DELETE FROM payments WHERE payment_id = 140")
    way_out = (
        r'is missing \(if it is called payments now, say so in capture/tables/payment\.py: renamed_to="payments", '
    )
    with pytest.raises(ContractError, match=f"table payment {way_out}"):
        pipeline.capture()
    pipeline = deployed(pipeline, {"payment": {"renamed_to": "payments"}})
    pipeline.tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM current_payment WHERE payment_id = 140") == 0
    drift = rows(pipeline.warehouse, "SELECT what FROM etl.drift")
    assert drift == [("table payment is called payments now",)]
    before = versions(pipeline)
    assert sum(bool(row[3]) for row in before) == 2
    assert_equal(pipeline)
    replayed(pipeline)
    assert versions(pipeline) == before


@pytest.mark.begun
def test_a_dimension_of_two_tables_whose_reference_and_key_are_renamed_is_joined(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE staff RENAME department_id TO dept_id")
    execute(pipeline.source, "ALTER TABLE department RENAME department_id TO id")
    execute(pipeline.source, "ALTER TABLE department RENAME TO departments")
    pipeline = deployed(
        pipeline,
        {
            "staff": {"renamed": {"department_id": "dept_id"}},
            "department": {"renamed_to": "departments", "renamed": {"department_id": "id"}},
        },
    )
    pipeline.tick()
    execute(pipeline.source, "UPDATE departments SET location = 'Leeds' WHERE id = 1")
    pipeline.tick()
    of_staff = "SELECT count(*) FROM dim_staff WHERE location = 'Leeds'"
    assert value(pipeline.warehouse, of_staff) == value(pipeline.source, "SELECT count(*) FROM staff WHERE dept_id = 1")
    assert_equal(pipeline)
    found = fitness(lambda: session(pipeline.source), lambda: session(pipeline.warehouse), pipeline.tables, STAR_TABLES)
    [of_source] = [each for each in found if each.subject == "source"]
    assert of_source.good
    assert "no foreign key" not in of_source.sentence


def test_what_is_renamed_is_read_in_pieces_too(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment RENAME TO payments; ALTER TABLE payments RENAME payment_id TO id")
    tables = said({"payment": {"renamed_to": "payments", "renamed": {"payment_id": "id"}}})
    with own_session(pipeline.source, "source") as connection:
        unread = capture(connection, pipeline.ingestion, tables, rows_in_one_function=100).unread
        assert unread is not None
        for piece in unread.pieces:
            assert read_piece(connection, pipeline.ingestion, tables, unread.of, piece)
        assert capture(connection, pipeline.ingestion, tables, rows_in_one_function=100).batch == 1
    transform(pipeline.ingestion, pipeline.processed, STAR_TABLES)
    with own_session(pipeline.warehouse, "warehouse") as connection:
        load(connection, pipeline.processed, STAR_TABLES, captured=Journal(pipeline.ingestion).newest)
    assert_equal(dataclasses.replace(pipeline, tables=tables))


@pytest.mark.begun
def test_two_columns_that_exchange_their_names_exchange_nothing_else(pipeline: Pipeline) -> None:
    before = content_of(pipeline.warehouse)["fact_sales_order"]
    execute(
        pipeline.source,
        """
        ALTER TABLE sales_order RENAME agreed_delivery_date TO held;
        ALTER TABLE sales_order RENAME agreed_payment_date TO agreed_delivery_date;
        ALTER TABLE sales_order RENAME held TO agreed_payment_date
        """,
    )
    names = {"agreed_delivery_date": "agreed_payment_date", "agreed_payment_date": "agreed_delivery_date"}
    pipeline = deployed(pipeline, {"sales_order": {"renamed": names}})
    pipeline.tick()
    assert content_of(pipeline.warehouse)["fact_sales_order"] == before
    assert_equal(pipeline)


@pytest.mark.begun
def test_a_renaming_that_is_deployed_before_the_source_makes_it_stops_no_run(pipeline: Pipeline) -> None:
    before = versions(pipeline)
    renamed = {"renamed_to": "payments", "renamed": {"payment_id": "id", "paid": "settled"}}
    pipeline = deployed(pipeline, {"payment": renamed})
    assert pipeline.capture().batch is None
    for migration in (
        "ALTER TABLE payment RENAME paid TO settled",
        "ALTER TABLE payment RENAME TO payments",
        "ALTER TABLE payments RENAME payment_id TO id",
    ):
        execute(pipeline.source, migration)
        pipeline.tick()
        assert versions(pipeline) == before
        assert_equal(pipeline)
    execute(pipeline.source, "UPDATE payments SET settled = NOT settled WHERE id = 5")
    pipeline.tick()
    assert len(versions(pipeline)) == len(before) + 1


@pytest.mark.begun
def test_another_table_in_the_place_of_a_renamed_one_is_refused(pipeline: Pipeline) -> None:
    """A backup has all its columns, and nothing that the shop writes."""
    execute(pipeline.source, "CREATE TABLE payment_backup (LIKE payment INCLUDING ALL)")
    execute(pipeline.source, "INSERT INTO payment_backup SELECT * FROM payment")
    execute(pipeline.source, "ALTER TABLE payment RENAME TO payments")
    with pytest.raises(ContractError, match=r'called payment_backup or payments now, .* renamed_to="NAME"'):
        pipeline.capture()
    with pytest.raises(ConfigurationError, match=r'captured as payment is called payments now.*renamed_to="payments"'):
        deployed(pipeline, {"payment": {"renamed_to": "payment_backup"}}).capture()
    pipeline = deployed(pipeline, {"payment": {"renamed_to": "payments"}})
    pipeline.tick()
    execute(
        pipeline.source, "ALTER TABLE payments RENAME TO payments_old; ALTER TABLE payment_backup RENAME TO payments"
    )
    pipeline.tick()
    assert_equal(pipeline)


@pytest.mark.begun
def test_two_renamed_columns_are_not_mixed_up(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment RENAME created_at TO made")
    execute(pipeline.source, "ALTER TABLE payment RENAME last_updated TO changed")
    mixed = {"created_at": "changed", "last_updated": "made"}
    with pytest.raises(ConfigurationError, match=r"payment\.created_at is called made now, and not changed"):
        deployed(pipeline, {"payment": {"renamed": mixed}}).capture()
    right = {"created_at": "made", "last_updated": "changed"}
    before = versions(pipeline)
    pipeline = deployed(pipeline, {"payment": {"renamed": right}})
    pipeline.tick()
    assert versions(pipeline) == before


@pytest.mark.begun
def test_a_table_is_not_taken_for_a_new_one_under_its_new_name(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment RENAME TO payments")
    with pytest.raises(ConfigurationError, match=r"payments was captured as payment, .* renamed_to=\"payments\"$"):
        deployed(pipeline, {"payment": {"name": "payments"}}).capture()


@pytest.mark.begun
def test_a_column_is_not_taken_for_a_new_one_under_its_new_name(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment RENAME paid TO settled")
    columns = {{"paid": "settled"}.get(name, name): family for name, family in PAYMENT.columns.items()}
    with pytest.raises(ConfigurationError, match=r'settled was captured as paid, .* renamed=\{"paid": "settled"\}$'):
        deployed(pipeline, {"payment": {"columns": columns}}).capture()


@pytest.mark.begun
def test_rows_are_not_known_by_a_key_that_they_were_not_known_by(pipeline: Pipeline) -> None:
    """Nor where the table is another one, so that its numbers say nothing."""
    execute(pipeline.source, "CREATE TABLE other (LIKE payment INCLUDING ALL); INSERT INTO other SELECT * FROM payment")
    execute(pipeline.source, "DROP TABLE payment CASCADE; ALTER TABLE other RENAME TO payment")
    execute(pipeline.source, "ALTER TABLE payment RENAME payment_id TO id")
    columns = {{"payment_id": "id"}.get(name, name): family for name, family in PAYMENT.columns.items()}
    with pytest.raises(
        ConfigurationError, match=r'payment\.id was captured as another one, .* renamed=\{"NAME": "id"\}$'
    ):
        deployed(pipeline, {"payment": {"key": "id", "columns": columns}}).capture()


@pytest.mark.begun
def test_a_column_that_the_source_has_and_totes_comes_to_ask_for_is_taken(pipeline: Pipeline) -> None:
    execute(pipeline.source, "ALTER TABLE payment ADD note text")
    asked = {"payment": {"columns": {**PAYMENT.columns, "note": Family.TEXT}}}
    deployed(pipeline, asked).tick()
    pipeline.tick()
    execute(pipeline.source, "ALTER TABLE payment RENAME note TO memo")
    pipeline.tick()
    assert deployed(pipeline, {}).capture().batch is None


def test_a_renaming_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="thing: renamed has other, which is none of its columns"):
        SourceTable(name="thing", key="id", columns={"id": Family.INTEGER}, renamed={"other": "one"})
    two = {"id": Family.INTEGER, "name": Family.TEXT}
    with pytest.raises(ValueError, match="thing: two of its columns are id in the source"):
        SourceTable(name="thing", key="id", columns=two, renamed={"name": "id"})
