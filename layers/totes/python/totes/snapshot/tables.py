"""What a snapshot is made of: its tables, each from a view of schema `report`, and how their columns are written."""

from dataclasses import dataclass
from enum import Enum

import polars as pl

MONEY_DIGITS = 2
"""Digits of an amount behind the point; an amount is published as a whole number of its smallest units."""

ALL = "all"
"""The one part of a table that is not split into months."""


class Kind(Enum):
    """What a column holds: how it is asked for in SQL, as which type that arrives, and as which it is published."""

    INT = ("{}", pl.Int32(), pl.Int32())
    BIG = ("{}", pl.Int64(), pl.Int64())
    MONEY = (f"({{}} * {10**MONEY_DIGITS})::bigint", pl.Int64(), pl.Int64())
    DAY = ("{} - DATE '1970-01-01'", pl.Int32(), pl.Date())
    MOMENT = ("floor(extract(epoch FROM {}) * 1000)::bigint", pl.Int64(), pl.Datetime("ms", "UTC"))
    FLAG = ("{}::integer", pl.Int8(), pl.Boolean())
    TEXT = ("{}", pl.String(), pl.String())
    KEY = ("{}::text", pl.String(), pl.String())  # of 64 bits, of which a browser's numbers hold 53

    def __init__(self, query: str, read: pl.DataType, written: pl.DataType) -> None:
        self.query = query
        self.read = read
        self.written = written


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the snapshot.

    Attributes:
        name: its name, as the page knows it.
        view: the view that its rows are read from.
        key: the columns that its rows are sorted by.
        columns: what is published, in order.
        parted_by: the column whose month says in which part a row is; None: there is one part.
        of_histories: whether a row is published only if there are several of its key, or a deleted one.
    """

    name: str
    view: str
    key: tuple[str, ...]
    columns: dict[str, Kind]
    parted_by: str | None = None
    of_histories: bool = False


@dataclass(frozen=True, kw_only=True)
class FactTables:
    """A fact's two tables: its rows in their current state, and every version of those that have a history.

    Attributes:
        current: the rows in their current state.
        versions: every version of every row that has more than one, or is deleted.
        changed_by: the columns of the versions' view that name a batch which has changed what is published of the row.
    """

    current: Table
    versions: Table
    changed_by: tuple[str, ...]

    @property
    def key(self) -> str:
        """The fact's key."""
        return self.current.key[0]


def _fact(
    name: str, columns: dict[str, Kind], *, since: dict[str, Kind] | None = None, linked: bool = False
) -> FactTables:
    key = f"{name}_id"
    described = {key: Kind.INT, "day": Kind.DAY, **columns, "batch": Kind.INT}
    view = f"{name}_versions"
    return FactTables(
        current=Table(
            name=name,
            view=f"{name}s",
            key=(key,),
            columns={**described, "versions": Kind.INT, "first_batch": Kind.INT, **(since or {})},
            parted_by="day",
        ),
        versions=Table(
            name=f"{name}_version",
            view=view,
            key=(key, "batch"),
            columns={**described, "deleted": Kind.FLAG},
            parted_by="day",
            of_histories=True,
        ),
        changed_by=("batch", "linked_by") if linked else ("batch",),
    )


FACTS = (
    _fact(
        "sales_order",
        {
            "staff_id": Kind.INT,
            "counterparty_id": Kind.INT,
            "units": Kind.INT,
            "unit_price": Kind.MONEY,
            "currency_id": Kind.INT,
            "design_id": Kind.INT,
            "payment_day": Kind.DAY,
            "delivery_day": Kind.DAY,
            "location_id": Kind.INT,
        },
    ),
    _fact(
        "purchase_order",
        {
            "staff_id": Kind.INT,
            "counterparty_id": Kind.INT,
            "item_code": Kind.TEXT,
            "quantity": Kind.INT,
            "unit_price": Kind.MONEY,
            "currency_id": Kind.INT,
            "payment_day": Kind.DAY,
            "delivery_day": Kind.DAY,
            "location_id": Kind.INT,
        },
    ),
    _fact(
        "payment",
        {
            "sales_order_id": Kind.INT,
            "purchase_order_id": Kind.INT,
            "counterparty_id": Kind.INT,
            "amount": Kind.MONEY,
            "currency_id": Kind.INT,
            "payment_type_id": Kind.INT,
            "paid": Kind.FLAG,
            "payment_day": Kind.DAY,
        },
        since={"paid_since": Kind.INT},
        linked=True,
    ),
)

BATCH = Table(
    name="batch",
    view="batches",
    key=("batch",),
    columns={
        "batch": Kind.INT,
        "captured_at": Kind.MOMENT,
        "loaded_at": Kind.MOMENT,
        "rows_in": Kind.BIG,
        "versions": Kind.BIG,
        "deleted": Kind.BIG,
        "quarantined": Kind.BIG,
    },
    parted_by="captured_at",
)


def _whole(name: str, view: str, key: tuple[str, ...], columns: dict[str, Kind]) -> Table:
    return Table(name=name, view=view, key=key, columns=columns)


_NUMBER, _NAME = Kind.INT, Kind.TEXT

WHOLE = (
    _whole(
        "counterparty",
        "counterparties",
        ("counterparty_id",),
        {"counterparty_id": _NUMBER, "name": _NAME, "city": _NAME, "country": _NAME},
    ),
    _whole("staff", "staff", ("staff_id",), {"staff_id": _NUMBER, "name": _NAME, "department": _NAME, "place": _NAME}),
    _whole("design", "designs", ("design_id",), {"design_id": _NUMBER, "name": _NAME}),
    _whole("location", "locations", ("location_id",), {"location_id": _NUMBER, "city": _NAME, "country": _NAME}),
    _whole("currency", "currencies", ("currency_id",), {"currency_id": _NUMBER, "code": _NAME, "name": _NAME}),
    _whole("payment_type", "payment_types", ("payment_type_id",), {"payment_type_id": _NUMBER, "name": _NAME}),
    _whole(
        "exchange_rate",
        "rates",
        ("currency_id", "day"),
        {"currency_id": Kind.INT, "day": Kind.DAY, "rate": Kind.TEXT},  # every digit of a rate counts
    ),
    _whole(
        "open_quarantine",
        "open_quarantine",
        ("star_table", "key"),
        {"star_table": Kind.TEXT, "key": Kind.KEY, "reason": Kind.TEXT, "batch": Kind.INT, "stale": Kind.FLAG},
    ),
    _whole("drift", "source_changes", ("batch", "what"), {"batch": Kind.INT, "what": Kind.TEXT}),
    _whole(
        "verification",
        "verifications",
        ("at",),
        {"at": Kind.MOMENT, "batch": Kind.INT, "equal": Kind.FLAG, "differences": Kind.INT},
    ),
)
"""Tables that are small, and read whole for every snapshot."""

TABLES = (*(table for fact in FACTS for table in (fact.current, fact.versions)), BATCH, *WHOLE)
