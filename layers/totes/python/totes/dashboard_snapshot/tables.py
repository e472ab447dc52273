"""What a snapshot is made of: its tables, each from a view of schema `report`, and how their columns are written."""

from dataclasses import dataclass
from enum import Enum

import polars as pl

MONEY_DIGITS = 2
"""Digits of an amount behind the point; an amount is published as a whole number of its smallest units."""

ALL = "all"
"""The one part of a table that is not split into months."""


class Encoding(Enum):
    """How a column is published: how SQL asks for it, as which type that arrives, and as which it is written."""

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
        counts_versions: whether the view counts the versions of each row.
    """

    name: str
    view: str
    key: tuple[str, ...]
    columns: dict[str, Encoding]
    parted_by: str | None = None
    of_histories: bool = False
    counts_versions: bool = False


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
    name: str, columns: dict[str, Encoding], *, since: dict[str, Encoding] | None = None, linked: bool = False
) -> FactTables:
    key = f"{name}_id"
    described = {key: Encoding.INT, "day": Encoding.DAY, **columns, "batch": Encoding.INT}
    view = f"{name}_versions"
    return FactTables(
        current=Table(
            name=name,
            view=f"{name}s",
            key=(key,),
            columns={**described, "versions": Encoding.INT, "first_batch": Encoding.INT, **(since or {})},
            parted_by="day",
            counts_versions=True,
        ),
        versions=Table(
            name=f"{name}_version",
            view=view,
            key=(key, "batch"),
            columns={**described, "deleted": Encoding.FLAG},
            parted_by="day",
            of_histories=True,
        ),
        changed_by=("batch", "linked_by") if linked else ("batch",),
    )


FACTS = (
    _fact(
        "sales_order",
        {
            "staff_id": Encoding.INT,
            "counterparty_id": Encoding.INT,
            "units": Encoding.INT,
            "unit_price": Encoding.MONEY,
            "currency_id": Encoding.INT,
            "design_id": Encoding.INT,
            "payment_day": Encoding.DAY,
            "delivery_day": Encoding.DAY,
            "location_id": Encoding.INT,
        },
    ),
    _fact(
        "purchase_order",
        {
            "staff_id": Encoding.INT,
            "counterparty_id": Encoding.INT,
            "item_code": Encoding.TEXT,
            "quantity": Encoding.INT,
            "unit_price": Encoding.MONEY,
            "currency_id": Encoding.INT,
            "payment_day": Encoding.DAY,
            "delivery_day": Encoding.DAY,
            "location_id": Encoding.INT,
        },
    ),
    _fact(
        "payment",
        {
            "sales_order_id": Encoding.INT,
            "purchase_order_id": Encoding.INT,
            "counterparty_id": Encoding.INT,
            "amount": Encoding.MONEY,
            "currency_id": Encoding.INT,
            "payment_type_id": Encoding.INT,
            "paid": Encoding.FLAG,
            "payment_day": Encoding.DAY,
        },
        since={"paid_since": Encoding.INT},
        linked=True,
    ),
)

BATCH = Table(
    name="batch",
    view="batches",
    key=("batch",),
    columns={
        "batch": Encoding.INT,
        "captured_at": Encoding.MOMENT,
        "loaded_at": Encoding.MOMENT,
        "rows_in": Encoding.BIG,
        "versions": Encoding.BIG,
        "deleted": Encoding.BIG,
        "quarantined": Encoding.BIG,
    },
    parted_by="captured_at",
)


def _whole(name: str, view: str, key: tuple[str, ...], columns: dict[str, Encoding]) -> Table:
    return Table(name=name, view=view, key=key, columns=columns)


_NUMBER, _NAME = Encoding.INT, Encoding.TEXT

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
        {"currency_id": Encoding.INT, "day": Encoding.DAY, "rate": Encoding.TEXT},  # every digit of a rate counts
    ),
    _whole(
        "open_quarantine",
        "open_quarantine",
        ("star_table", "key"),
        {
            "star_table": Encoding.TEXT,
            "key": Encoding.KEY,
            "reason": Encoding.TEXT,
            "batch": Encoding.INT,
            "stale": Encoding.FLAG,
        },
    ),
    _whole("drift", "source_changes", ("batch", "what"), {"batch": Encoding.INT, "what": Encoding.TEXT}),
    _whole(
        "verification",
        "verifications",
        ("at",),
        {"at": Encoding.MOMENT, "batch": Encoding.INT, "equal": Encoding.FLAG, "differences": Encoding.INT},
    ),
)
"""Tables that are small, and read whole for every snapshot."""

TABLES = (*(table for fact in FACTS for table in (fact.current, fact.versions)), BATCH, *WHOLE)
