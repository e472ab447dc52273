"""The orders of a shop's past, with their transactions and payments, a bounded number at a time.

Everything is drawn in columns: a moment for each order, who ordered what, and the order in which the rows got their
ids, which concurrent inserts leave slightly out of step with the moments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simulator.names import Names
from simulator.opening import (
    ADDRESSES,
    COUNTERPARTIES,
    CURRENCIES,
    PURCHASE_PAYMENT,
    SALES_RECEIPT,
    STAFF,
)
from simulator.size import FIRST_DESIGNS, Size
from simulator.working_days import DAY, HOUR, Integers, is_working_day

_ORDERS_OF_A_CHUNK: Final = 50_000

UNITS = (1_000, 100_000)
UNIT_PRICE = (200, 400)
ITEM_QUANTITY = (1, 1_000)
ITEM_UNIT_PRICE = (300, 100_000)
ACCOUNT_NUMBERS = (10_000_000, 99_999_999)
"""The least and the most of each; prices in hundredths."""

DAYS_TO_PAYMENT = 6
DAYS_TO_DELIVERY = 7
"""What is agreed falls within so many days."""

_LATE_DELIVERIES = 0.005
_LATEST_DELIVERY = (10, 624)

_BURSTS = 0.0003
_BURST = (3, 37)
_MILLISECONDS_OF_A_BURST = 3
_WHOLE_SECONDS = 0.002
_OVERTAKEN = 0.02
_PLACES_OVERTAKEN = 4

_PAY_RUN = 7 * HOUR + 55 * 60 * 1000 + 10_900
_PAY_RUN_LASTS = 1_500
"""Payments due are made at 07:55 of a working day: those due on the day of the order miss it, and so do weekends."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive orders of both kinds, as rows of the four tables; each table is in the order of its ids."""

    orders: int
    sales_order: pl.DataFrame
    purchase_order: pl.DataFrame
    transaction: pl.DataFrame
    payment: pl.DataFrame


def history(size: Size, generator: np.random.Generator) -> Iterator[Chunk]:
    """Draw all orders of a shop, from its opening to its last day.

    Args:
        size: of the shop.
        generator: decides everything.

    Yields:
        Orders, oldest first; ids continue from chunk to chunk.
    """
    pay_runs = _pay_runs(size, generator)
    for first in range(0, size.orders, _ORDERS_OF_A_CHUNK):
        end = min(first + _ORDERS_OF_A_CHUNK, size.orders)
        yield _Draw(size, generator, first, end).chunk(pay_runs)


class _Draw:
    """The orders from number `first` to `end`, `end` left out."""

    def __init__(self, size: Size, generator: np.random.Generator, first: int, end: int) -> None:
        self._size = size
        self._generator = generator
        self._first = first
        self._count = end - first
        self._first_purchase = first * size.purchase_orders // size.orders
        purchases = end * size.purchase_orders // size.orders - self._first_purchase
        self._is_sale = generator.permutation(self._count) >= purchases
        offsets = self._offsets()
        self._created = size.hours.moments(offsets)
        self._design = self._designs(offsets)
        self._staff = self._between(1, STAFF)
        self._counterparty = self._between(1, COUNTERPARTIES)
        self._currency = self._between(1, len(CURRENCIES))
        self._location = self._between(1, ADDRESSES)
        self._payment_date = self._agreed(DAYS_TO_PAYMENT)
        self._delivery_date = self._agreed(DAYS_TO_DELIVERY)
        late = generator.random(self._count) < _LATE_DELIVERIES
        self._delivery_date[late] += self._between(*_LATEST_DELIVERY)[late]
        self._quantity = np.where(self._is_sale, self._between(*UNITS), self._between(*ITEM_QUANTITY))
        self._price = np.where(self._is_sale, self._between(*UNIT_PRICE), self._between(*ITEM_UNIT_PRICE))

    def chunk(self, pay_runs: Integers) -> Chunk:
        """Make the rows."""
        sales, sales_ids = self._numbered(np.flatnonzero(self._is_sale), self._first - self._first_purchase)
        purchases, purchase_ids = self._numbered(np.flatnonzero(~self._is_sale), self._first_purchase)
        everything = np.arange(self._count)
        transactions, transaction_ids = self._numbered(everything, self._first)
        payments, payment_ids = self._numbered(everything, self._first)
        return Chunk(
            orders=self._count,
            sales_order=self._sales_orders(sales, sales_ids),
            purchase_order=self._purchase_orders(purchases, purchase_ids),
            transaction=self._transactions(
                transactions, transaction_ids, np.where(self._is_sale, sales_ids, purchase_ids)
            ),
            payment=self._payments(payments, payment_ids, transaction_ids, pay_runs),
        )

    def _sales_orders(self, rows: Integers, ids: Integers) -> pl.DataFrame:
        created = _moments(self._created[rows])
        return pl.DataFrame(
            {
                "sales_order_id": ids[rows],
                "created_at": created,
                "last_updated": created,
                "design_id": self._design[rows],
                "staff_id": self._staff[rows],
                "counterparty_id": self._counterparty[rows],
                "units_sold": self._quantity[rows],
                "unit_price": self._price[rows] / 100,
                "currency_id": self._currency[rows],
                "agreed_delivery_date": _dates(self._delivery_date[rows]),
                "agreed_payment_date": _dates(self._payment_date[rows]),
                "agreed_delivery_location_id": self._location[rows],
            }
        )

    def _purchase_orders(self, rows: Integers, ids: Integers) -> pl.DataFrame:
        created = _moments(self._created[rows])
        return pl.DataFrame(
            {
                "purchase_order_id": ids[rows],
                "created_at": created,
                "last_updated": created,
                "staff_id": self._staff[rows],
                "counterparty_id": self._counterparty[rows],
                "item_code": Names(self._generator).item_codes(len(rows)),
                "item_quantity": self._quantity[rows],
                "item_unit_price": self._price[rows] / 100,
                "currency_id": self._currency[rows],
                "agreed_delivery_date": _dates(self._delivery_date[rows]),
                "agreed_payment_date": _dates(self._payment_date[rows]),
                "agreed_delivery_location_id": self._location[rows],
            },
            schema_overrides={"item_code": pl.String},
        )

    def _transactions(self, rows: Integers, ids: Integers, order_ids: Integers) -> pl.DataFrame:
        created = _moments(self._created[rows])
        is_sale, order_id = pl.Series(self._is_sale[rows]), pl.Series(order_ids[rows])
        return pl.select(
            pl.lit(pl.Series(ids[rows])).alias("transaction_id"),
            pl.when(is_sale).then(pl.lit("SALE")).otherwise(pl.lit("PURCHASE")).alias("transaction_type"),
            pl.when(is_sale).then(order_id).alias("sales_order_id"),
            pl.when(~is_sale).then(order_id).alias("purchase_order_id"),
            pl.lit(created).alias("created_at"),
            pl.lit(created).alias("last_updated"),
        )

    def _payments(self, rows: Integers, ids: Integers, transaction_ids: Integers, pay_runs: Integers) -> pl.DataFrame:
        created, date = self._created[rows], self._payment_date[rows]
        paid = is_working_day(date) & (date > created // DAY) & (date <= self._size.hours.last_day)
        updated = np.where(paid, pay_runs[date - self._size.hours.first_day], created)
        return pl.DataFrame(
            {
                "payment_id": ids[rows],
                "created_at": _moments(created),
                "last_updated": _moments(updated),
                "transaction_id": transaction_ids[rows],
                "counterparty_id": self._counterparty[rows],
                "payment_amount": self._quantity[rows] * self._price[rows] / 100,
                "currency_id": self._currency[rows],
                "payment_type_id": np.where(self._is_sale[rows], SALES_RECEIPT, PURCHASE_PAYMENT),
                "paid": paid,
                "payment_date": _dates(date),
                "company_ac_number": self._between(*ACCOUNT_NUMBERS),
                "counterparty_ac_number": self._between(*ACCOUNT_NUMBERS),
            }
        )

    def _offsets(self) -> Integers:
        """When the orders came: evenly spread, with bursts that share milliseconds, and whole seconds."""
        drawn = np.sort(self._generator.random(self._count)) * self._count + self._first
        offsets = (drawn / self._size.orders * self._size.hours.total).astype(np.int64)
        positions = np.arange(self._count)
        leads = self._at_least_one(_BURSTS)
        leader = np.maximum.accumulate(np.where(leads, positions, 0))
        in_burst = positions < leader + np.where(leads, self._between(*_BURST), 0)[leader]
        scatter = self._between(0, _MILLISECONDS_OF_A_BURST - 1)
        offsets = np.where(in_burst, offsets[leader] + scatter, offsets)
        offsets = np.minimum(offsets, self._size.hours.total - 1)
        return np.where(self._at_least_one(_WHOLE_SECONDS), offsets // 1000 * 1000, offsets)

    def _designs(self, offsets: Integers) -> Integers:
        later = (offsets / self._size.hours.total * (self._size.designs - FIRST_DESIGNS)).astype(np.int64)
        return 1 + (self._generator.random(self._count) * (FIRST_DESIGNS + later)).astype(np.int64)

    def _agreed(self, days: int) -> Integers:
        """A day for each order, within so many days of its moment."""
        ahead: Integers = (self._generator.random(self._count) * (days * DAY)).astype(np.int64)
        return (self._created + ahead) // DAY

    def _numbered(self, positions: Integers, already: int) -> tuple[Integers, Integers]:
        """Give ids to the orders at these positions: the positions by id, and the ids by position.

        Some are overtaken by the next few, as happens to transactions that run side by side.
        """
        count = len(positions)
        overtaken = self._generator.random(count) < _OVERTAKEN
        places = np.arange(count) + np.where(overtaken, self._generator.random(count) * _PLACES_OVERTAKEN, 0)
        by_id = positions[np.argsort(places, kind="stable")]
        ids = np.zeros(self._count, dtype=np.int64)
        ids[by_id] = np.arange(already + 1, already + 1 + count)
        return by_id, ids

    def _between(self, least: int, most: int) -> Integers:
        """A number for each order."""
        return self._generator.integers(least, most, size=self._count, endpoint=True)

    def _at_least_one(self, share: float) -> NDArray[np.bool_]:
        """A flag for each order; one is set at least, so that the smallest shop has what large ones have."""
        flags = self._generator.random(self._count) < share
        flags[self._generator.integers(self._count)] = True
        return flags


def _pay_runs(size: Size, generator: np.random.Generator) -> Integers:
    """The moment of the pay run on each day from the first to the last on which a payment may be due."""
    days = np.arange(size.hours.first_day, size.hours.last_day + DAYS_TO_PAYMENT + 1)
    return days * DAY + _PAY_RUN + generator.integers(_PAY_RUN_LASTS, size=len(days))


def _moments(milliseconds: Integers) -> pl.Series:
    return pl.Series(milliseconds).cast(pl.Datetime("ms"))


def _dates(days: Integers) -> pl.Series:
    return pl.Series(days).cast(pl.Int32).cast(pl.Date)
