"""What a source may hold, however odd, goes through the real functions exact, or to quarantine with its own words."""

import pytest

from tests.faults.history import HOSTILE
from tests.faults.world import World
from tests.support.databases import execute, rows, value
from tests.support.oracle import assert_warehouse_mirrors
from totes.capture import SOURCE_TABLES

LEAST = "TRUNCATE " + ", ".join(table.name for table in SOURCE_TABLES if table.name != "currency")


def quarantined(world: World) -> list[tuple[str, str]]:
    return rows(
        world.warehouse, "SELECT star_table, reason FROM etl.quarantine WHERE resolved_by IS NULL ORDER BY 1, key"
    )


def test_no_rows_at_all(world: World) -> None:
    execute(world.source, f"{LEAST}, currency")
    assert world.tick().succeeded
    assert not value(world.warehouse, "SELECT to_regclass('etl.batch') IS NOT NULL") or not rows(
        world.warehouse, "SELECT FROM etl.batch"
    )


def test_one_row(world: World) -> None:
    execute(world.source, f"{LEAST}; DELETE FROM currency WHERE currency_id <> 2")
    assert world.tick().succeeded
    assert_warehouse_mirrors(world.source, world.warehouse)
    execute(world.source, "UPDATE currency SET currency_code = 'EUR'")
    assert world.tick().succeeded
    assert_warehouse_mirrors(world.source, world.warehouse)


def test_null_everywhere(world: World) -> None:
    keys = {table.name: table.key for table in SOURCE_TABLES}
    for table, column in rows(
        world.source, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ):
        if table in keys and column != keys[table]:
            execute(world.source, f"ALTER TABLE {table} ALTER {column} DROP NOT NULL, ALTER {column} DROP DEFAULT")
    execute(
        world.source,
        "INSERT INTO payment DEFAULT VALUES; INSERT INTO address DEFAULT VALUES; INSERT INTO staff DEFAULT VALUES; "
        "INSERT INTO transaction DEFAULT VALUES; INSERT INTO sales_order DEFAULT VALUES",
    )
    assert world.tick().succeeded
    assert {table for table, _ in quarantined(world)} == {
        "fact_payment",
        "fact_sales_order",
        "dim_location",
        "dim_staff",
        "dim_transaction",
    }
    assert all("is NULL" in reason for _, reason in quarantined(world))
    assert world.verdict().differences == 0


ODD_PAYMENTS = {
    "created_at = 'infinity'": "created_at is 'infinity'",
    "last_updated = '-infinity'": "last_updated is '-infinity'",
    "created_at = '0044-03-15 12:00:00 BC'": "created_at is '0044-03-15 12:00:00 BC'",
    "created_at = '12000-01-01'": "created_at is '12000-01-01 00:00:00'",
    "payment_amount = 'NaN'": "payment_amount is 'NaN'",
    "payment_amount = 12345678901234567890123456789012345678": "payment_amount is '1234567890123456789",
    "payment_amount = 1.005": "payment_amount is '1.005'",
    "payment_date = '2024-02-30'": "payment_date is '2024-02-30'",
}
"""What is odd about a payment each, and how its reason begins."""


@pytest.mark.parametrize("is_edit", [False, True], ids=["in a first load", "as edits"])
def test_values_that_no_star_column_holds_are_in_quarantine_by_their_own_words(world: World, *, is_edit: bool) -> None:
    execute(world.source, "ALTER TABLE payment ALTER payment_amount TYPE numeric")
    if is_edit:
        assert world.tick().succeeded
    for payment, change in enumerate(ODD_PAYMENTS, start=1):
        execute(world.source, f"UPDATE payment SET {change} WHERE payment_id = {payment}")
    assert world.tick().succeeded
    found = quarantined(world)
    assert [table for table, _ in found] == ["fact_payment"] * len(ODD_PAYMENTS)
    for (_, reason), said in zip(found, ODD_PAYMENTS.values(), strict=True):
        assert reason.startswith(said)
    assert world.verdict().differences == 0
    execute(
        world.source,
        "UPDATE payment SET created_at = '2024-01-01', last_updated = '2024-01-01', payment_amount = 2.50, "
        "payment_date = '2024-01-02' WHERE payment_id <= %s",
        [len(ODD_PAYMENTS)],
    )
    assert world.tick().succeeded
    assert quarantined(world) == []
    assert_warehouse_mirrors(world.source, world.warehouse)


def test_microseconds_are_kept_to_the_millisecond(world: World) -> None:
    execute(world.source, "ALTER TABLE payment ALTER created_at TYPE timestamp(6)")
    execute(world.source, "UPDATE payment SET created_at = '2024-01-01 10:00:00.123456' WHERE payment_id = 3")
    assert world.tick().succeeded
    created = "SELECT created_time::text FROM fact_payment WHERE payment_id = 3"
    assert value(world.warehouse, created) == "10:00:00.123"
    assert world.verdict().differences == 0


def test_hostile_texts_arrive_byte_for_byte_in_a_first_load_and_as_edits(world: World) -> None:
    execute(  # so that there are as many of them as texts
        world.source,
        "INSERT INTO purchase_order SELECT (jsonb_populate_record(made, jsonb_build_object('purchase_order_id', number"
        "))).* FROM purchase_order AS made, generate_series(1, 99) AS number WHERE made.purchase_order_id = 1 "
        "ON CONFLICT DO NOTHING",
    )
    for texts in (HOSTILE, [*HOSTILE[7:], *HOSTILE[:7]]):
        for row, text in enumerate(texts, start=1):
            execute(
                world.source,
                "UPDATE address SET address_line_1 = %(t)s, address_line_2 = %(t)s, city = %(t)s "
                "WHERE address_id = %(row)s; "
                "UPDATE design SET design_name = %(t)s, file_name = %(t)s WHERE design_id = %(row)s; "
                "UPDATE purchase_order SET item_code = %(t)s WHERE purchase_order_id = %(row)s",
                {"t": text, "row": row},
            )
        for written in ("city) FROM address", "design_name) FROM design", "item_code) FROM purchase_order"):
            assert value(world.source, f"SELECT count(DISTINCT {written}") >= len(HOSTILE)
        assert world.tick().succeeded
        assert_warehouse_mirrors(world.source, world.warehouse)
        assert world.verdict().differences == 0


def test_hostile_column_names_are_carried(world: World) -> None:
    for name in ('"; DROP TABLE payment; --', "*", "^a$", "select", "é 👜", "_raw\\", "a,b\nc"):
        quoted = '"' + name.replace('"', '""') + '"'
        execute(world.source, f"ALTER TABLE design ADD COLUMN {quoted} text DEFAULT 'x'".replace("%", "%%"))
    assert world.tick().succeeded
    execute(world.source, "UPDATE design SET file_name = 'again' WHERE design_id = 1")
    assert world.tick().succeeded
    assert_warehouse_mirrors(world.source, world.warehouse)
