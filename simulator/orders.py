"""Events that add, change and delete orders and payments."""

from collections.abc import Mapping
from decimal import Decimal

from psycopg2 import sql

from simulator.event_context import EventContext, NothingToDo
from simulator.history import (
    ACCOUNT_NUMBERS,
    DAYS_TO_DELIVERY,
    DAYS_TO_PAYMENT,
    ITEM_QUANTITY,
    ITEM_UNIT_PRICE,
    UNIT_PRICE,
    UNITS,
)
from simulator.opening import PURCHASE_PAYMENT, SALES_RECEIPT

_FAR_FUTURE = 624
"""Days."""


def new_sales_order(context: EventContext) -> None:
    """Somebody orders totes."""
    units, price = context.number(*UNITS), _price(context, UNIT_PRICE)
    terms = _terms(context)
    order = context.insert(
        "sales_order", {"design_id": context.pick("design"), "units_sold": units, "unit_price": price, **terms}
    )
    sale = {"transaction_type": "SALE", "sales_order_id": order}
    _bill(context, sale, SALES_RECEIPT, units * price, terms)


def new_purchase_order(context: EventContext) -> None:
    """The shop orders what totes are made of."""
    quantity, price = context.number(*ITEM_QUANTITY), _price(context, ITEM_UNIT_PRICE)
    terms = _terms(context)
    order = context.insert(
        "purchase_order",
        {"item_code": context.names.item_code(), "item_quantity": quantity, "item_unit_price": price, **terms},
    )
    purchase = {"transaction_type": "PURCHASE", "purchase_order_id": order}
    _bill(context, purchase, PURCHASE_PAYMENT, quantity * price, terms)


def payment_made(context: EventContext) -> None:
    """A payment that is due is marked as paid."""
    due = sql.SQL("NOT paid AND payment_date <= %(today)s")
    payment = context.pick("payment", due, {"today": context.now.date().isoformat()})
    context.update("payment", payment, {"paid": True}, stamped=True)


def order_deleted(context: EventContext) -> None:
    """An order and its payment are deleted; its transaction stays, and loses the key of the order without a stamp."""
    table, key = any_order(context)
    condition = sql.SQL("{} = %s").format(sql.Identifier(f"{table}_id"))
    context.cursor.execute(
        sql.SQL("DELETE FROM payment WHERE transaction_id IN (SELECT transaction_id FROM transaction WHERE {})").format(
            condition
        ),
        [key],
    )
    context.cursor.execute(sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(table), condition), [key])
    if context.cursor.rowcount == 0:
        raise NothingToDo


def order_second_thought(context: EventContext) -> None:
    """Two orders in one transaction; the first is rolled back to a savepoint, and an edit is within another."""
    context.cursor.execute("SAVEPOINT first_thought")
    new_sales_order(context)
    context.cursor.execute("ROLLBACK TO SAVEPOINT first_thought")
    new_sales_order(context)
    context.cursor.execute("SAVEPOINT second_thought")
    delivery_rescheduled(context)
    context.cursor.execute("RELEASE SAVEPOINT second_thought")


def delivery_rescheduled(context: EventContext) -> None:
    """An order is to be delivered on another day; this is stamped."""
    table, key = any_order(context)
    context.update(table, key, {"agreed_delivery_date": other_date(context, table, key)}, stamped=True)


def quantity_amended(context: EventContext) -> None:
    """A sales order becomes larger or smaller, and so does its payment; both are stamped."""
    order = context.pick("sales_order")
    context.update("sales_order", order, {"units_sold": context.number(*UNITS)}, stamped=True)
    context.cursor.execute(
        "UPDATE payment SET payment_amount = units_sold * unit_price, last_updated = %(now)s "
        "FROM transaction JOIN sales_order USING (sales_order_id) "
        "WHERE payment.transaction_id = transaction.transaction_id AND sales_order_id = %(order)s",
        {"now": context.now, "order": order},
    )


def any_order(context: EventContext) -> tuple[str, int]:
    """A table of orders, and the key of any row of it.

    Raises:
        NothingToDo: it has none.
    """
    table = "sales_order" if context.happens(0.7) else "purchase_order"
    return table, context.pick(table)


def other_date(context: EventContext, table: str, key: int) -> str:
    """A date in the days to come, seldom in the far future, on which this order's delivery is not agreed yet.

    Raises:
        NothingToDo: somebody has deleted the order meanwhile, or no other date came up.
    """
    agreed = context.value(table, key, "agreed_delivery_date")
    for _ in range(10):
        date = context.date_ahead(_FAR_FUTURE if context.happens(0.02) else DAYS_TO_DELIVERY)
        if date != agreed:
            return date
    raise NothingToDo


def _terms(context: EventContext) -> dict[str, object]:
    """What orders of both kinds agree on."""
    return {
        "staff_id": context.pick("staff"),
        "counterparty_id": context.pick("counterparty"),
        "currency_id": context.pick("currency"),
        "agreed_delivery_date": context.date_ahead(DAYS_TO_DELIVERY),
        "agreed_payment_date": context.date_ahead(DAYS_TO_PAYMENT),
        "agreed_delivery_location_id": context.pick("address"),
    }


def _bill(
    context: EventContext,
    transaction: Mapping[str, object],
    payment_type: int,
    amount: Decimal,
    terms: Mapping[str, object],
) -> None:
    """Add an order's transaction and payment."""
    context.insert(
        "payment",
        {
            "transaction_id": context.insert("transaction", transaction),
            "counterparty_id": terms["counterparty_id"],
            "payment_amount": amount,
            "currency_id": terms["currency_id"],
            "payment_type_id": payment_type,
            "paid": False,
            "payment_date": terms["agreed_payment_date"],
            "company_ac_number": context.number(*ACCOUNT_NUMBERS),
            "counterparty_ac_number": context.number(*ACCOUNT_NUMBERS),
        },
    )


def _price(context: EventContext, hundredths: tuple[int, int]) -> Decimal:
    return Decimal(context.number(*hundredths)) / 100
