"""The content of the small tables: what the shop opened with, and the designs that have come since."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import polars as pl

from simulator.names import Names
from simulator.size import FIRST_DESIGNS, Size
from simulator.vocabulary import DEPARTMENTS, MISSPELT_OFFICE
from simulator.working_days import DAY, HOUR

ADDRESSES = 30
COUNTERPARTIES = 20
CURRENCIES = ("GBP", "USD", "EUR")
STAFF = 20
SALES_RECEIPT = 1
PURCHASE_PAYMENT = 3

_PAYMENT_TYPES = ("SALES_RECEIPT", "SALES_REFUND", "PURCHASE_PAYMENT", "PURCHASE_REFUND")
_ADDRESSES_WITH_SECOND_LINE = ADDRESSES // 3
_ADDRESSES_WITH_LEADING_ZERO = 4
_STAFF_WITH_APOSTROPHE = 2
_DEPARTMENTS = DEPARTMENTS[:8]
_MISSPELT_DEPARTMENT = 3
_BEFORE_OPENING = int(1.5 * HOUR)
_MIGRATIONS = ("init", "add_payment_type", "agreed_delivery_location")


def opening_tables(size: Size, generator: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Make the content of the tables that are not orders, in an order that their references allow."""
    names = Names(generator)
    opening = int(size.hours.moments(np.array([0], dtype=np.int64))[0]) - _BEFORE_OPENING
    opening += int(generator.integers(1000))
    tables: dict[str, list[dict[str, object]]] = {
        "address": _addresses(names, generator),
        "currency": [{"currency_code": code} for code in CURRENCIES],
        "department": _departments(names),
        "payment_type": [{"payment_type_name": name} for name in _PAYMENT_TYPES],
        "counterparty": _counterparties(names, generator),
        "staff": _staff(names, generator),
    }
    frames = {table: _frame(table, rows, np.full(len(rows), opening, dtype=np.int64)) for table, rows in tables.items()}
    return frames | {"design": _designs(size, names, generator, opening)}


def migrations(size: Size, generator: np.random.Generator) -> pl.DataFrame:
    """What the application's own tooling wrote down before the shop opened."""
    before = size.hours.first_day * DAY
    rows = [
        {
            "id": _uuid(generator),
            "checksum": generator.bytes(32).hex(),
            "finished_at": before + number * HOUR + int(generator.integers(1, 1000)),
            "migration_name": f"{20230101 + number}090000_{name}",
            "started_at": before + number * HOUR,
            "applied_steps_count": 1,
        }
        for number, name in enumerate(_MIGRATIONS)
    ]
    return pl.DataFrame(rows).with_columns(pl.col("started_at", "finished_at").cast(pl.Datetime("ms")))


def _addresses(names: Names, generator: np.random.Generator) -> list[dict[str, object]]:
    second_line = _some(generator, ADDRESSES, _ADDRESSES_WITH_SECOND_LINE)
    leading_zero = _some(generator, ADDRESSES, _ADDRESSES_WITH_LEADING_ZERO)
    return [
        asdict(names.address(second_line=second, leading_zero=zero))
        for second, zero in zip(second_line, leading_zero, strict=True)
    ]


def _departments(names: Names) -> list[dict[str, object]]:
    return [
        {
            "department_name": name,
            "location": MISSPELT_OFFICE if number == _MISSPELT_DEPARTMENT else names.office(),
            "manager": names.contact(),
        }
        for number, name in enumerate(_DEPARTMENTS)
    ]


def _counterparties(names: Names, generator: np.random.Generator) -> list[dict[str, object]]:
    return [
        {
            "counterparty_legal_name": names.company(),
            "legal_address_id": int(generator.integers(1, ADDRESSES + 1)),
            "commercial_contact": names.contact(),
            "delivery_contact": names.contact(),
        }
        for _ in range(COUNTERPARTIES)
    ]


def _staff(names: Names, generator: np.random.Generator) -> list[dict[str, object]]:
    people = [names.person(apostrophe=chosen) for chosen in _some(generator, STAFF, _STAFF_WITH_APOSTROPHE)]
    return [
        {
            **asdict(person),
            "department_id": int(generator.integers(1, len(_DEPARTMENTS) + 1)),
            "email_address": person.email_address,
        }
        for person in people
    ]


def _designs(size: Size, names: Names, generator: np.random.Generator, opening: int) -> pl.DataFrame:
    later = size.designs - FIRST_DESIGNS
    # Each later design falls into its own slice of the history, so an order knows how many there were by its time.
    offsets = (np.arange(later) + generator.random(later)) * (size.hours.total / later)
    moments = np.concatenate([np.full(FIRST_DESIGNS, opening), size.hours.moments(offsets.astype(np.int64))])
    years = moments.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64) + 1970
    return _frame("design", [asdict(names.design(int(year))) for year in years], moments)


def _frame(table: str, rows: Sequence[Mapping[str, object]], moments: np.ndarray) -> pl.DataFrame:
    created = pl.Series(moments).cast(pl.Datetime("ms"))
    ids = pl.int_range(1, len(rows) + 1, eager=True)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        ids.alias(f"{table}_id"), created.alias("created_at"), created.alias("last_updated")
    )


def _some(generator: np.random.Generator, count: int, chosen: int) -> list[bool]:
    """`count` flags, of which `chosen` are set."""
    return [bool(position < chosen) for position in generator.permutation(count)]


def _uuid(generator: np.random.Generator) -> str:
    digits = generator.bytes(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
