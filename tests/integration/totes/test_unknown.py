"""A row of a dimension that is in quarantine takes none of its facts out of a join."""

import pytest

from tests.support.content import content_of
from tests.support.databases import execute, rows, session, value
from tests.support.earlier import name_unknown_members_as_an_earlier_totes
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.star import STAR_TABLES
from totes.star_schema import Dimension, boolean, date, decimal, integer, text, time
from totes.warehouse import load
from totes.warehouse.definitions import create_star
from totes.warehouse.places import LIVE
from totes.warehouse.unknown import add_unknown

# Every fact with every dimension, as a reader joins them.
JOINED = """
    SELECT count(*) FROM current_sales_order
    JOIN dim_staff ON staff_id = sales_staff_id
    JOIN dim_counterparty USING (counterparty_id)
    JOIN dim_currency USING (currency_id)
    JOIN dim_design USING (design_id)
    JOIN dim_location ON location_id = agreed_delivery_location_id
"""

CURRENCIES_OF_SALES = "SELECT DISTINCT currency FROM report.sales_by_day ORDER BY 1"


@pytest.fixture
def nameless(pipeline: Pipeline) -> Pipeline:
    """A shop in which the staff of most orders has no name."""
    execute(pipeline.source, "ALTER TABLE staff ALTER first_name DROP NOT NULL; UPDATE staff SET first_name = NULL")
    return pipeline


def currencies_without_a_name(pipeline: Pipeline) -> None:
    """All sales are in one of two currencies that ISO 4217 has no name for."""
    execute(
        pipeline.source,
        "INSERT INTO currency (currency_id, currency_code, created_at, last_updated) "
        "VALUES (70, 'ZZZ', now(), now()), (71, 'YYY', now(), now()); "
        "UPDATE sales_order SET currency_id = 70 + sales_order_id % 2",
    )


def test_its_orders_are_in_every_join(nameless: Pipeline) -> None:
    assert nameless.tick().tables["dim_staff"].quarantined
    orders = value(nameless.source, "SELECT count(*) FROM sales_order")
    assert value(nameless.warehouse, JOINED) == orders
    members = rows(nameless.warehouse, "SELECT staff_id, first_name, last_name, location, is_deleted FROM dim_staff")
    assert members == [(key, f"unknown {key}", "unknown", None, True) for key, *_ in members] != []
    execute(nameless.source, "UPDATE staff SET first_name = 'Ada' WHERE staff_id % 2 = 0")
    nameless.tick()
    assert value(nameless.warehouse, JOINED) == orders
    assert value(nameless.warehouse, "SELECT count(*) FROM dim_staff WHERE first_name ^@ 'unknown '") == value(
        nameless.source, "SELECT count(*) FROM staff WHERE first_name IS NULL"
    )


def test_the_row_takes_the_unknown_members_place(nameless: Pipeline) -> None:
    nameless.tick()
    execute(nameless.source, "UPDATE staff SET first_name = 'Ada'")
    assert nameless.tick().tables["dim_staff"].versions == value(nameless.source, "SELECT count(*) FROM staff")
    assert_warehouse_mirrors(nameless.source, nameless.warehouse)


def test_a_member_that_is_missing_is_there_after_the_next_run(nameless: Pipeline) -> None:
    """Somebody has deleted it, or an earlier totes made none."""
    nameless.tick()
    execute(nameless.warehouse, "DELETE FROM dim_staff WHERE first_name ^@ 'unknown '")
    nameless.tick()
    assert value(nameless.warehouse, JOINED) == value(nameless.source, "SELECT count(*) FROM sales_order")


def test_what_somebody_has_made_may_refuse_such_a_member_and_stops_no_load(
    nameless: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    nameless.tick()
    execute(nameless.warehouse, "DELETE FROM dim_staff; CREATE UNIQUE INDEX theirs ON dim_staff (last_name)")
    execute(nameless.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
    assert nameless.tick().tables["fact_payment"].versions == 1
    assert 'which has no unknown member: duplicate key value violates unique constraint "theirs"' in caplog.text


def test_two_currencies_without_a_name_are_added_up_apart(pipeline: Pipeline) -> None:
    currencies_without_a_name(pipeline)
    pipeline.tick()
    assert rows(pipeline.warehouse, CURRENCIES_OF_SALES) == [("unknown 70",), ("unknown 71",)]


def test_members_that_an_earlier_totes_named_alike_are_what_a_rebuild_would_make_of_them(nameless: Pipeline) -> None:
    currencies_without_a_name(nameless)
    nameless.tick()
    # Its quarantine is another row now, and the member is still that of the first.
    execute(nameless.source, "UPDATE currency SET currency_code = 'QQQ' WHERE currency_id = 70")
    nameless.tick()
    name_unknown_members_as_an_earlier_totes(nameless)
    assert rows(nameless.warehouse, CURRENCIES_OF_SALES) == [("unknown",)]
    nameless.load()
    healed = content_of(nameless.warehouse)
    assert rows(nameless.warehouse, CURRENCIES_OF_SALES) == [("unknown 70",), ("unknown 71",)]
    with session(nameless.warehouse) as connection:
        load(connection, nameless.processed, STAR_TABLES, rebuild=True)
    assert content_of(nameless.warehouse) == healed


def test_what_only_looks_like_such_a_member_is_left_as_it_is(pipeline: Pipeline) -> None:
    currencies_without_a_name(pipeline)
    design = "INSERT INTO design (design_id, created_at, design_name, file_location, file_name, last_updated) VALUES"
    execute(
        pipeline.source,
        "ALTER TABLE design ALTER file_name DROP NOT NULL; "
        f"{design} (900, now(), 'unknown', 'unknown', 'unknown', now())",
    )
    pipeline.tick()
    execute(pipeline.source, "DELETE FROM design WHERE design_id = 900")
    pipeline.tick()
    execute(pipeline.source, f"{design} (900, now(), 'again', 'again', NULL, now())")
    assert pipeline.tick().tables["dim_design"].quarantined == 1
    name_unknown_members_as_an_earlier_totes(pipeline)
    execute(
        pipeline.warehouse,
        "UPDATE dim_currency SET currency_name = 'ours' WHERE currency_id = 70; "
        "UPDATE dim_currency SET is_deleted = false WHERE currency_id = 71",
    )
    before = content_of(pipeline.warehouse)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before
    assert rows(pipeline.warehouse, "SELECT design_name, is_deleted FROM dim_design WHERE design_id = 900") == [
        ("unknown", True)
    ]


@pytest.mark.begun
def test_a_row_that_was_good_before_stays_as_it_was(pipeline: Pipeline) -> None:
    before = rows(pipeline.warehouse, "SELECT * FROM dim_staff ORDER BY staff_id")
    execute(pipeline.source, "ALTER TABLE staff ALTER first_name DROP NOT NULL; UPDATE staff SET first_name = NULL")
    assert pipeline.tick().tables["dim_staff"].quarantined
    assert rows(pipeline.warehouse, "SELECT * FROM dim_staff ORDER BY staff_id") == before


def test_a_dimension_has_something_to_say_of_what_is_unknown() -> None:
    assert [table for table in STAR_TABLES if isinstance(table, Dimension)]
    with pytest.raises(ValueError, match=r"dim_shop\.size must have a value and is no text"):
        Dimension(
            name="dim_shop", source="shop", key="shop_id", columns=(integer("shop_id"), text("name"), integer("size"))
        )


@pytest.mark.begun
def test_an_unknown_member_says_nothing_where_a_column_of_any_kind_may_be_null(pipeline: Pipeline) -> None:
    may_be_null = (
        integer("size", nullable=True),
        decimal("rent", 8, 2, nullable=True),
        boolean("is_open", nullable=True),
        text("motto", nullable=True),
        date("since", nullable=True),
        time("from_time", of="since", nullable=True),
    )
    columns = (integer("shop_id"), text("name"), text("street"), *may_be_null)
    shop = Dimension(name="dim_shop", source="shop", key="shop_id", columns=columns)
    with session(pipeline.warehouse) as connection, connection.cursor() as cursor:
        create_star(cursor, LIVE, shop)
        cursor.execute(
            "INSERT INTO etl.quarantine (batch_id, star_table, key, reason, source_row) "
            "VALUES (1, 'dim_shop', 6, 'any', '{}')"
        )
        add_unknown(cursor, LIVE, shop)
        cursor.execute("SELECT * FROM public.dim_shop")
        assert cursor.fetchall() == [(6, "unknown 6", "unknown", *[None] * len(may_be_null), 1, True)]
