"""Each event that may happen in a shop, by itself, on real PostgreSQL."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator import orders, reference_events, silent_edits
from simulator.event_context import EventContext
from simulator.schema import TABLES
from tests.support.databases import session, value

NOW = dt.datetime(2026, 3, 4, 12, 30, 15, 123_000)  # noqa: DTZ001 - as the application stamps it

Act = Callable[[EventContext], None]
Rows = dict[str, dict[int, dict[str, Any]]]


def _all(uri: str) -> Rows:
    content: Rows = {}
    with session(uri) as connection, connection.cursor() as cursor:
        for table, key in TABLES.items():
            cursor.execute(f"SELECT to_jsonb(line) FROM {table} AS line")
            content[table] = {row[key]: row for (row,) in cursor.fetchall()}
    return content


def _happen(uri: str, act: Act, seed: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """Let an event happen; return the rows it added, and the columns it changed of rows that were there."""
    before = _all(uri)
    with session(uri) as connection, connection, connection.cursor() as cursor:
        act(EventContext(cursor, np.random.Generator(np.random.PCG64(seed)), lambda: NOW))
    after = _all(uri)
    added = {t: [row for key, row in after[t].items() if key not in before[t]] for t in TABLES}
    changed = {
        t: [_difference(row, after[t][key]) for key, row in before[t].items() if row != after[t].get(key, row)]
        for t in TABLES
    }
    return {t: found for t, found in added.items() if found}, {t: found for t, found in changed.items() if found}


def _difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {column: new[column] for column in old if old[column] != new[column]}


@pytest.mark.parametrize(
    ("act", "table", "quantity", "price"),
    [
        (orders.new_sales_order, "sales_order", "units_sold", "unit_price"),
        (orders.new_purchase_order, "purchase_order", "item_quantity", "item_unit_price"),
    ],
)
def test_an_order_comes_with_its_transaction_and_payment(
    source: str, act: Act, table: str, quantity: str, price: str
) -> None:
    added, changed = _happen(source, act, seed=1)
    [order], [transaction], [payment] = added.pop(table), added.pop("transaction"), added.pop("payment")
    assert not added
    assert not changed
    assert transaction[f"{table}_id"] == order[f"{table}_id"]
    assert payment["transaction_id"] == transaction["transaction_id"]
    assert round(order[quantity] * order[price], 2) == payment["payment_amount"]
    assert not payment["paid"]
    stamps = {row[column] for row in (order, transaction, payment) for column in ("created_at", "last_updated")}
    assert len(stamps) == 1


@pytest.mark.parametrize("seed", range(5))
def test_only_a_payment_that_is_due_is_made(source: str, seed: int) -> None:
    added, changed = _happen(source, orders.payment_made, seed)
    [payment] = changed.pop("payment")
    assert (added, changed) == ({}, {})
    assert payment["paid"]
    assert set(payment) == {"paid", "last_updated"}


@pytest.mark.parametrize("seed", range(5))
def test_a_rescheduled_delivery_is_stamped(source: str, seed: int) -> None:
    _, changed = _happen(source, orders.delivery_rescheduled, seed)
    [[order]] = changed.values()
    assert set(order) == {"agreed_delivery_date", "last_updated"}


def test_an_amended_quantity_keeps_the_amount_right(source: str) -> None:
    _, changed = _happen(source, orders.quantity_amended, seed=1)
    [order], [payment] = changed["sales_order"], changed["payment"]
    assert set(order) == {"units_sold", "last_updated"}
    assert set(payment) == {"payment_amount", "last_updated"}
    assert not value(
        source,
        """SELECT count(*) FROM sales_order JOIN transaction USING (sales_order_id) JOIN payment USING (transaction_id)
        WHERE payment_amount <> units_sold * unit_price""",
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_silent_edit_changes_an_order_and_no_stamp(source: str, seed: int) -> None:
    added, changed = _happen(source, silent_edits.order_edited, seed)
    assert not added
    [[order]] = changed.values()
    assert len(order) == 1
    assert "last_updated" not in order


def test_a_design_moves_without_a_stamp(source: str) -> None:
    _, changed = _happen(source, silent_edits.design_moved, seed=1)
    assert [set(design) for design in changed["design"]] == [{"file_location"}]


def test_a_row_written_as_it_was_is_new_to_postgresql_alone(source: str) -> None:
    versions = """SELECT count(DISTINCT xmin::text)
        FROM (SELECT xmin FROM sales_order UNION ALL SELECT xmin FROM purchase_order) AS orders"""
    assert value(source, versions) == 1
    assert _happen(source, silent_edits.touched, seed=1) == ({}, {})
    assert value(source, versions) == 2


@pytest.mark.parametrize("seed", range(3))
def test_a_deleted_order_leaves_its_transaction_without_key_and_stamp(source: str, seed: int) -> None:
    before = _all(source)
    _, changed = _happen(source, orders.order_deleted, seed)
    after = _all(source)
    [[transaction]] = changed.values()
    [column] = transaction
    assert transaction[column] is None
    assert {t: len(before[t]) - len(after[t]) for t in TABLES if before[t] != after[t]} == {
        column.removesuffix("_id"): 1,
        "payment": 1,
        "transaction": 0,
    }


def test_what_is_taken_back_to_a_savepoint_is_not_there(source: str) -> None:
    added, changed = _happen(source, orders.order_second_thought, seed=1)
    assert {table: len(found) for table, found in added.items()} == {"sales_order": 1, "transaction": 1, "payment": 1}
    assert sum(map(len, changed.values())) <= 1


@pytest.mark.parametrize(
    ("act", "table"), [(reference_events.new_design, "design"), (reference_events.new_staff, "staff")]
)
def test_what_orders_refer_to_grows(source: str, act: Act, table: str) -> None:
    added, changed = _happen(source, act, seed=1)
    assert [len(found) for found in added.values()] == [1]
    assert set(added) == {table}
    assert not changed


@pytest.mark.parametrize(
    ("act", "table", "column"),
    [
        (reference_events.department_renamed, "department", "department_name"),
        (reference_events.address_changed, "address", "address_line_1"),
        (reference_events.counterparty_renamed, "counterparty", "counterparty_legal_name"),
    ],
)
def test_what_orders_refer_to_changes_with_a_stamp_or_without(source: str, act: Act, table: str, column: str) -> None:
    stamped = set()
    for seed in range(8):
        added, changed = _happen(source, act, seed)
        assert not added
        assert set(changed) == {table}
        [row] = changed[table]
        assert column in row
        stamped.add("last_updated" in row)
    assert stamped == {True, False}
