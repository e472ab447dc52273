"""Rows of numbers, dates and times in COPY's binary format, which the server reads in half the time of CSV.

If no value is NULL, each row of such columns has the same length. So the rows are one block of bytes, in which the n-th
byte of a column comes again after each row's length. The format of a file is described in
https://www.postgresql.org/docs/current/sql-copy.html, and how a value is by PostgreSQL's own `*_recv` functions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import polars as pl

from totes.warehouse.copying.stream import Format

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

_UNIX_EPOCH = date(1970, 1, 1)
_EPOCH = (date(2000, 1, 1) - _UNIX_EPOCH).days
_FIRST, _LAST = (date(1, 1, 1) - _UNIX_EPOCH).days, (date(9999, 12, 31) - _UNIX_EPOCH).days

_INTEGERS = {"integer": 4, "bigint": 8}
"""Their bytes."""

_UNSIGNED = {1: pl.UInt8(), 2: pl.UInt16(), 4: pl.UInt32(), 8: pl.UInt64()}
"""Types of so many bytes."""

_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_DIGITS = 4
"""Decimal digits in one of a numeric's digits."""

_MOST_DIGITS = 18
"""A number of so many digits has room in 64 bits."""

_NEGATIVE = 0x4000


@dataclass(frozen=True, kw_only=True)
class _Field:
    """A piece of a column: a whole number of so many bytes, the highest first; it may be the same in each row."""

    number: pl.Expr | int
    bytes: int


def binary(rows: pl.DataFrame, types: Mapping[str, str]) -> Format | None:
    """Return the binary format of a frame; None: only text can bring it, or it is to be refused.

    Args:
        rows: the frame.
        types: the SQL type of each column in the table that it is copied to.
    """
    columns = [_fields(rows[name], types.get(name, "")) for name in rows.columns if not rows[name].null_count()]
    fields = [fields for fields in columns if fields is not None]
    if len(fields) < rows.width or not fields:
        return None
    return Format(options="FORMAT binary", write=lambda some: _write(some, fields), header=_HEADER, trailer=_TRAILER)


def _write(rows: pl.DataFrame, columns: Sequence[Sequence[_Field]]) -> bytes:
    row = bytearray(len(columns).to_bytes(2))
    places: list[int] = []
    numbers: list[pl.Expr] = []
    for fields in columns:
        row += sum(field.bytes for field in fields).to_bytes(4)
        for field in fields:
            if isinstance(field.number, int):
                row += field.number.to_bytes(field.bytes, signed=True)
                continue
            places += range(len(row), len(row) + field.bytes)
            numbers.append(field.number.cast(_UNSIGNED[field.bytes], wrap_numerical=True))
            row += bytes(field.bytes)
    block = row * rows.height
    octets = _octets(rows.select(number.alias(str(at)) for at, number in enumerate(numbers)))
    for place, octet in zip(places, octets.select(pl.all().implode().cast(pl.Binary)).row(0), strict=True):
        block[place :: len(row)] = octet
    return bytes(block)


def _octets(numbers: pl.DataFrame) -> pl.DataFrame:
    """Cut unsigned numbers into halves until all are bytes, the highest of each first.

    Narrower numbers are divided more quickly, and each half is made once.
    """
    while any(dtype != _UNSIGNED[1] for dtype in numbers.dtypes):
        halves = [half for name, dtype in numbers.schema.items() for half in _halves(pl.col(name), dtype)]
        numbers = numbers.select(half.alias(str(at)) for at, half in enumerate(halves))
    return numbers


def _halves(number: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    size = next(size for size, unsigned in _UNSIGNED.items() if unsigned == dtype)
    if size == 1:
        return [number]
    half = _UNSIGNED[size // 2]
    return [(number // 256 ** (size // 2)).cast(half, wrap_numerical=True), number.cast(half, wrap_numerical=True)]


def _fields(column: pl.Series, sql_type: str) -> Sequence[_Field] | None:
    """What a column is made up of; None: this module does not bring it."""
    if numeric := _NUMERIC.fullmatch(sql_type):
        return _numeric(column, int(numeric[1]), int(numeric[2]))
    if sql_type in _INTEGERS:
        return _integer(column, _INTEGERS[sql_type])
    if sql_type == "date":
        return _date(column)
    value = pl.col(column.name)
    if sql_type == "boolean" and column.dtype == pl.Boolean:
        return [_Field(number=value, bytes=1)]
    if sql_type == "time(3)" and column.dtype == pl.Time:
        return [_Field(number=value.to_physical() // 1_000_000 * 1000, bytes=8)]
    return None


def _integer(column: pl.Series, size: int) -> Sequence[_Field] | None:
    most = 256**size // 2
    if not column.dtype.is_integer() or not _lies(column, -most, most - 1):
        return None
    return [_Field(number=pl.col(column.name), bytes=size)]


def _date(column: pl.Series) -> Sequence[_Field] | None:
    if column.dtype != pl.Date or not _lies(column.to_physical(), _FIRST, _LAST):
        return None
    return [_Field(number=pl.col(column.name).to_physical() - _EPOCH, bytes=4)]


def _numeric(column: pl.Series, precision: int, scale: int) -> Sequence[_Field] | None:
    """Digits to the base 10,000, the same count for each value; the server drops leading and trailing zeros."""
    if not isinstance(column.dtype, pl.Decimal) or column.dtype.scale != scale or precision > _MOST_DIGITS:
        return None
    if not _lies(column.to_physical(), 1 - 10**precision, 10**precision - 1):
        return None
    number = pl.col(column.name).to_physical().cast(pl.Int64)
    whole, fraction = -(-(precision - scale) // _DIGITS), -(-scale // _DIGITS)
    size = number.abs().cast(pl.UInt64)
    digits = size // 10**scale, size % 10**scale * 10 ** (fraction * _DIGITS - scale)
    sign = pl.when(number < 0).then(_NEGATIVE).otherwise(0)
    head: list[pl.Expr | int] = [whole + fraction, whole - 1, sign, scale]
    body = [
        part // 10_000**power % 10_000
        for part, count in zip(digits, (whole, fraction), strict=True)
        for power in reversed(range(count))
    ]
    return [_Field(number=each, bytes=2) for each in (*head, *body)]


def _lies(column: pl.Series, lowest: Any, highest: Any) -> bool:
    least, greatest = cast("Any", column.min()), cast("Any", column.max())
    return column.is_empty() or bool(lowest <= least and greatest <= highest)
