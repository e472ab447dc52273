"""The binary format brings exactly what CSV brings, or leaves it to CSV."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from tests.support.databases import session
from totes.warehouse.copying import copy_all
from totes.warehouse.copying.binary_rows import binary

TYPES = {
    "small": "integer",
    "large": "bigint",
    "yes": "boolean",
    "day": "date",
    "at": "time(3)",
    "price": "numeric(10,2)",
    "rate": "numeric(18,7)",
    "share": "numeric(4,4)",
    "count": "numeric(9,0)",
}
SCHEMA = pl.Schema(
    {
        "small": pl.Int32(),
        "large": pl.Int64(),
        "yes": pl.Boolean(),
        "day": pl.Date(),
        "at": pl.Time(),
        "price": pl.Decimal(10, 2),
        "rate": pl.Decimal(18, 7),
        "share": pl.Decimal(4, 4),
        "count": pl.Decimal(9, 0),
    }
)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-scale))


ROWS = st.lists(
    st.tuples(
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
        st.dates(date(1, 1, 1), date(9999, 12, 31)),
        st.times(),
        decimals(10, 2),
        decimals(18, 7),
        decimals(4, 4),
        decimals(9, 0),
    ),
    min_size=1,
    max_size=30,
)


def copied(uri: str, rows: pl.DataFrame, types: dict[str, str]) -> list[tuple[Any, ...]]:
    """A frame as the table of these types has it that it is copied to, by the binary format where types are given."""
    with session(uri) as connection, connection.cursor() as cursor:
        columns = ", ".join(f"{name} {sql_type}" for name, sql_type in TYPES.items() if name in rows.columns)
        cursor.execute(f"CREATE TEMPORARY TABLE copied ({columns})")
        copy_all(cursor, sql.Identifier("pg_temp", "copied"), rows, types)
        cursor.execute("SELECT *, copied::text FROM copied")
        return cursor.fetchall()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_what_it_brings_is_what_csv_brings(empty_database: str, values: list[tuple[Any, ...]]) -> None:
    rows = pl.DataFrame(values, schema=SCHEMA, orient="row")
    assert binary(rows, TYPES) is not None
    assert copied(empty_database, rows, TYPES) == copied(empty_database, rows, {})


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("small", pl.Series([1, None], dtype=pl.Int32)),
        ("small", pl.Series([2**31], dtype=pl.Int64)),
        ("small", pl.Series([-(2**31) - 1], dtype=pl.Int64)),
        ("small", pl.Series([1.0])),
        ("large", pl.Series([2**63], dtype=pl.UInt64)),
        ("yes", pl.Series([1])),
        ("day", pl.Series([-800_000], dtype=pl.Int32).cast(pl.Date)),
        ("at", pl.Series(["12:00"])),
        ("price", pl.Series([Decimal("100000000.00")], dtype=pl.Decimal(12, 2))),
        ("price", pl.Series([Decimal("1.234")], dtype=pl.Decimal(10, 3))),
        ("text", pl.Series(["a"])),
    ],
)
def test_what_it_cannot_bring_exactly_is_left_to_csv(name: str, column: pl.Series) -> None:
    assert binary(pl.DataFrame({name: column}), {**TYPES, "text": "text"}) is None


def test_a_table_whose_types_are_not_known_is_left_to_csv() -> None:
    assert binary(pl.DataFrame({"small": [1]}), {}) is None


def test_a_wider_decimal_with_a_value_that_fits_is_brought(empty_database: str) -> None:
    rows = pl.DataFrame({"price": pl.Series([Decimal("-0.05"), Decimal("99999999.99")], dtype=pl.Decimal(38, 2))})
    assert binary(rows, TYPES) is not None
    assert copied(empty_database, rows, TYPES) == copied(empty_database, rows, {})


@pytest.mark.parametrize("dtype", [pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64()])
def test_a_number_in_fewer_or_more_bits_than_its_column_keeps_its_sign(empty_database: str, dtype: pl.DataType) -> None:
    rows = pl.DataFrame({"small": pl.Series([-1, 127, -128], dtype=dtype)}).with_columns(large=pl.col("small"))
    assert binary(rows, TYPES) is not None
    assert copied(empty_database, rows, TYPES) == copied(empty_database, rows, {})
