"""Events that orders and payments come and go by."""

from collections.abc import Mapping
from decimal import Decimal

from psycopg2 import sql

from workbench.simulator.desk import Desk, NothingToDo
from workbench.simulator.history import (
    ACCOUNT_NUMBERS,
    DAYS_TO_DELIVERY,
    DAYS_TO_PAYMENT,
    ITEM_QUANTITY,
    ITEM_UNIT_PRICE,
    UNIT_PRICE,
    UNITS,
)
from workbench.simulator.opening import PURCHASE_PAYMENT, SALES_RECEIPT

_FAR_FUTURE = 624
"""Days."""


def new_sales_order(desk: Desk) -> None:
    """Somebody orders totes."""
    units, price = desk.number(*UNITS), _price(desk, UNIT_PRICE)
    terms = _terms(desk)
    order = desk.insert(
        "sales_order", {"design_id": desk.pick("design"), "units_sold": units, "unit_price": price, **terms}
    )
    sale = {"transaction_type": "SALE", "sales_order_id": order}
    _bill(desk, sale, SALES_RECEIPT, units * price, terms)


def new_purchase_order(desk: Desk) -> None:
    """The shop orders what totes are made of."""
    quantity, price = desk.number(*ITEM_QUANTITY), _price(desk, ITEM_UNIT_PRICE)
    terms = _terms(desk)
    order = desk.insert(
        "purchase_order",
        {"item_code": desk.names.item_code(), "item_quantity": quantity, "item_unit_price": price, **terms},
    )
    purchase = {"transaction_type": "PURCHASE", "purchase_order_id": order}
    _bill(desk, purchase, PURCHASE_PAYMENT, quantity * price, terms)


def payment_made(desk: Desk) -> None:
    """A payment that is due turns paid."""
    due = sql.SQL("NOT paid AND payment_date <= %(today)s")
    payment = desk.pick("payment", due, {"today": desk.now.date().isoformat()})
    desk.update("payment", payment, {"paid": True}, stamped=True)


def order_deleted(desk: Desk) -> None:
    """An order goes, and its payment; its transaction stays, and loses its key without a stamp."""
    table, key = any_order(desk)
    condition = sql.SQL("{} = %s").format(sql.Identifier(f"{table}_id"))
    desk.cursor.execute(
        sql.SQL("DELETE FROM payment WHERE transaction_id IN (SELECT transaction_id FROM transaction WHERE {})").format(
            condition
        ),
        [key],
    )
    desk.cursor.execute(sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table), condition), [key])
    if desk.cursor.rowcount == 0:
        raise NothingToDo


def order_second_thought(desk: Desk) -> None:
    """Two orders in one transaction, the first of them taken back to a savepoint, and an edit within another."""
    desk.cursor.execute("SAVEPOINT first_thought")
    new_sales_order(desk)
    desk.cursor.execute("ROLLBACK TO SAVEPOINT first_thought")
    new_sales_order(desk)
    desk.cursor.execute("SAVEPOINT second_thought")
    delivery_rescheduled(desk)
    desk.cursor.execute("RELEASE SAVEPOINT second_thought")


def delivery_rescheduled(desk: Desk) -> None:
    """An order is to be delivered on another day; this is stamped."""
    table, key = any_order(desk)
    desk.update(table, key, {"agreed_delivery_date": other_date(desk, table, key)}, stamped=True)


def quantity_amended(desk: Desk) -> None:
    """A sales order becomes larger or smaller, and so does its payment; both are stamped."""
    order = desk.pick("sales_order")
    desk.update("sales_order", order, {"units_sold": desk.number(*UNITS)}, stamped=True)
    desk.cursor.execute(
        "UPDATE payment SET payment_amount = units_sold * unit_price, last_updated = %(now)s "
        "FROM transaction JOIN sales_order USING (sales_order_id) "
        "WHERE payment.transaction_id = transaction.transaction_id AND sales_order_id = %(order)s",
        {"now": desk.now, "order": order},
    )


def any_order(desk: Desk) -> tuple[str, int]:
    """A table of orders, and the key of any row of it.

    Raises:
        NothingToDo: it has none.
    """
    table = "sales_order" if desk.happens(0.7) else "purchase_order"
    return table, desk.pick(table)


def other_date(desk: Desk, table: str, key: int) -> str:
    """A date in the days to come, seldom in the far future, on which this order's delivery is not agreed yet.

    Raises:
        NothingToDo: somebody has deleted the order meanwhile, or no other date came up.
    """
    agreed = desk.value(table, key, "agreed_delivery_date")
    for _ in range(10):
        date = desk.date_ahead(_FAR_FUTURE if desk.happens(0.02) else DAYS_TO_DELIVERY)
        if date != agreed:
            return date
    raise NothingToDo


def _terms(desk: Desk) -> dict[str, object]:
    """What orders of both kinds agree on."""
    return {
        "staff_id": desk.pick("staff"),
        "counterparty_id": desk.pick("counterparty"),
        "currency_id": desk.pick("currency"),
        "agreed_delivery_date": desk.date_ahead(DAYS_TO_DELIVERY),
        "agreed_payment_date": desk.date_ahead(DAYS_TO_PAYMENT),
        "agreed_delivery_location_id": desk.pick("address"),
    }


def _bill(
    desk: Desk, transaction: Mapping[str, object], payment_type: int, amount: Decimal, terms: Mapping[str, object]
) -> None:
    """Add an order's transaction and payment."""
    desk.insert(
        "payment",
        {
            "transaction_id": desk.insert("transaction", transaction),
            "counterparty_id": terms["counterparty_id"],
            "payment_amount": amount,
            "currency_id": terms["currency_id"],
            "payment_type_id": payment_type,
            "paid": False,
            "payment_date": terms["agreed_payment_date"],
            "company_ac_number": desk.number(*ACCOUNT_NUMBERS),
            "counterparty_ac_number": desk.number(*ACCOUNT_NUMBERS),
        },
    )


def _price(desk: Desk, hundredths: tuple[int, int]) -> Decimal:
    return Decimal(desk.number(*hundredths)) / 100
