"""Source rows become star rows, or go to quarantine with their reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from totes.lake import RAW
from totes.star_schema import Column, Dimension, Fact, Join, Kind, source_key_of
from totes.texts import texts_of

_SHOWN = 100
"""Characters of a value that a reason quotes; the quarantined row has all of it, or the beginning of a longer one."""

LONGEST = 1024**2
"""Bytes of a star row's text, and of a value of a quarantined row.

A row is joined to all that refer to it: one address with a text of some megabytes would become gigabytes.
"""

_TEXT_AT_ONCE = 64 * 1024**2
"""Bytes of text that are converted at once; a part of the lake has some ten, before others' are joined to it."""

_KEPT = 1_000
"""Characters that are kept of a longer value."""

_QUARANTINE = pl.Schema({"key": pl.Int64, "reason": pl.String, "source_row": pl.String})

_TIME_STAMP = "a time stamp of the years 0001 to 9999"


@dataclass(frozen=True, kw_only=True)
class Converted:
    """Source rows, converted.

    Attributes:
        rows: the star table's columns; rows in the order of their sources.
        quarantine: columns key (64-bit integer), reason (text), source_row (a JSON object of every source column's
            text, of one beyond LONGEST the beginning; `_raw` in it has the values that their types could not hold).
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame


def convert(table: Fact | Dimension, source: pl.DataFrame) -> Converted:
    """Convert source rows to rows of a star table.

    Args:
        table: the star table.
        source: rows of its source table as the lake has them; columns of a joined table are prefixed with its name
            and a point.
    """
    # Polars 2.1 panics in string expressions over columns of several chunks, some of which a filter has emptied.
    source = _with_all_columns(table, source.rechunk())
    stars = source.select(_value(column, source.schema[column.of]).alias(column.name) for column in table.columns)
    failed = source.select(
        (stars[column.name].is_null() & _must_have_value(column)).alias(column.name)
        for column in table.columns
        if stars[column.name].null_count()
    )
    any_failed = _any(failed.get_columns()) if failed.width else pl.Series([], dtype=pl.Boolean)
    if not any_failed.any():  # as it nearly always is; the reasons cost more than all the rest of a small batch
        return Converted(rows=stars, quarantine=pl.DataFrame(schema=_QUARANTINE))
    return Converted(
        rows=stars.filter(~any_failed),
        quarantine=_quarantine(table, source.filter(any_failed), failed.filter(any_failed)),
    )


def slices(source: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows that are to be converted: all at once, or some at a time if their texts are very long.

    Args:
        source: rows as `convert` takes them.
    """
    # Columns are taken by their places: `pl.col` would read a name such as `*` or `^a$` as a pattern.
    texts = [pl.nth(place) for place, dtype in enumerate(source.dtypes) if dtype == pl.String]
    lengths = [text.str.len_bytes().cast(pl.Int64).clip(upper_bound=LONGEST).sum() for text in texts]
    length = source.select(pl.sum_horizontal(lengths)).item() if lengths else 0
    return source.iter_slices(max(1, source.height * _TEXT_AT_ONCE // max(length, _TEXT_AT_ONCE)))


def _with_all_columns(table: Fact | Dimension, source: pl.DataFrame) -> pl.DataFrame:
    """The source rows with every column that the star asks for; a column that the batch does not have is NULL.

    A star may have got a column later than the source did, and a replay begins with batches from before both.
    """
    absent = {column.of: pl.String() for column in table.columns if column.of not in source.columns}
    return source.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items())


def _must_have_value(column: Column) -> pl.Expr:
    """Whether a star value that is NULL is a failure: a nullable one may be NULL only where its source is."""
    if not column.nullable:
        return pl.lit(value=True)
    return _original(column.of).is_not_null()


def _quarantine(table: Fact | Dimension, rows: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    reasons = []
    explained: dict[str, pl.Series] = {}  # of each source column, the rows for which a reason names it already
    nowhere = pl.repeat(value=False, n=rows.height, eager=True)
    for join in table.joins:
        refers_to_none = rows[f"{join.table}.{join.key}"].is_null()
        columns = [column for column in table.columns if column.of.startswith(f"{join.table}.")]
        reasons.append(
            pl.when(
                _any([refers_to_none & failed.get_column(column.name, default=nowhere) for column in columns])
            ).then(_dangling(join))
        )
        explained |= {column.of: refers_to_none for column in columns}
    for column in table.columns:
        already, fails = explained.get(column.of, nowhere), failed.get_column(column.name, default=nowhere)
        reasons.append(pl.when(fails & ~already).then(_reason(column, rows.schema[column.of])))
        explained[column.of] = already | fails
    key = source_key_of(table)
    return rows.select(
        pl.col(key).cast(pl.Int64).alias("key"),
        pl.concat_str(reasons, separator="; ", ignore_nulls=True).alias("reason"),
        texts_of(rows).select(pl.struct(_cut(pl.all())).struct.json_encode().alias("source_row")).to_series(),
    )


def _cut(text: pl.Expr) -> pl.Expr:
    """A text, or the beginning of one that is too long, which says so."""
    beginning = text.str.slice(0, _KEPT) + pl.lit("… (cut here)")
    return pl.when(text.str.len_bytes() > LONGEST).then(beginning).otherwise(text)


def _any(series: Sequence[pl.Series]) -> pl.Series:
    return reduce(or_, series)


def _dangling(join: Join) -> pl.Expr:
    reference = pl.col(join.on).cast(pl.String)
    return (
        pl.when(reference.is_null())
        .then(pl.lit(f"{join.on} is NULL"))
        .otherwise(pl.format("{} {} refers to no {}", pl.lit(join.on), reference, pl.lit(join.table)))
    )


def _reason(column: Column, dtype: pl.DataType) -> pl.Expr:
    expected = {
        Kind.INTEGER: "a 32-bit integer",
        Kind.DECIMAL: f"a {column.sql_type}",
        Kind.TEXT: "a code with a known name" if column.names else "a text",
        Kind.BOOLEAN: "true or false",
        Kind.DATE: "a date (yyyy-mm-dd) of the years 0001 to 9999",
        Kind.TIME: _TIME_STAMP,
    }[column.kind]
    if isinstance(dtype, pl.Datetime):
        expected = _TIME_STAMP
    if _may_be_in_pence(column, dtype):
        expected += ": an integer does not say how many of its digits are decimals"
    original = _original(column.of)
    shown = original.str.slice(0, _SHOWN)
    left_out = _unheld(column.of, ".bytes")
    return (
        pl.when(shown.is_null())
        .then(pl.lit(f"{column.of} is NULL"))
        .when(left_out.is_not_null())
        .then(
            pl.format(
                "{} is '{}…', {} bytes in a row that is too long to be read whole; "
                "make it {} bytes or less at the source, and the next run brings the row",
                pl.lit(column.of),
                _unheld(column.of, ".begins").str.slice(0, _SHOWN),
                left_out,
                pl.lit(LONGEST),
            )
        )
        .when((original.str.len_bytes() > LONGEST) & (column.kind is Kind.TEXT and column.names is None))
        .then(pl.format("{} is '{}…', longer than {} bytes", pl.lit(column.of), shown, pl.lit(LONGEST)))
        .otherwise(pl.format("{} is '{}', not {}", pl.lit(column.of), shown, pl.lit(expected)))
    )


def _original(name: str) -> pl.Expr:
    """A source value's text, also where its column's type cannot hold it; of one that was left out what is known."""
    return pl.coalesce(_unheld(name), pl.col(name).cast(pl.String))


def _unheld(name: str, member: str = "") -> pl.Expr:
    """What `_raw` has of a source column, or a member of that; NULL where there is none."""
    prefix, point, bare = name.rpartition(".")
    return pl.col(f"{prefix}{point}{RAW}").str.json_path_match(f"$.{bare}{member}")


def _value(column: Column, dtype: pl.DataType) -> pl.Expr:
    """The star value of a source value; NULL where there is none that is exact.

    A column may have had another type in an old batch, one that has nothing to do with what it is now.
    """
    value = pl.col(column.of)
    if not _may_convert(column, dtype):
        return pl.lit(None, dtype=_type_of(column))
    if column.kind in (Kind.DECIMAL, Kind.INTEGER):
        return _integer(value, dtype) if column.kind is Kind.INTEGER else _decimal(value, dtype, column)
    if column.kind is Kind.DATE:
        return _date(value) if dtype == pl.String else value.dt.date()
    if column.kind is Kind.TIME:
        return value.dt.truncate("1ms").dt.time()
    if column.names is not None:
        return value.replace_strict(dict(column.names), default=None, return_dtype=pl.String)
    plain = value.cast(_PLAIN[column.kind], strict=False)
    return pl.when(plain.str.len_bytes() <= LONGEST).then(plain) if column.kind is Kind.TEXT else plain


_PLAIN = {Kind.INTEGER: pl.Int32(), Kind.TEXT: pl.String(), Kind.BOOLEAN: pl.Boolean()}


def _type_of(column: Column) -> pl.DataType:
    if column.kind is Kind.DECIMAL:
        return pl.Decimal(column.precision, column.scale)
    return {**_PLAIN, Kind.DATE: pl.Date(), Kind.TIME: pl.Time()}[column.kind]


def _may_convert(column: Column, dtype: pl.DataType) -> bool:
    """Whether values of a type can become values of a star column."""
    return {
        Kind.TEXT: column.names is None or dtype == pl.String,
        Kind.BOOLEAN: dtype == pl.Boolean,
        Kind.DATE: dtype == pl.String or isinstance(dtype, pl.Datetime | pl.Date),
        Kind.TIME: isinstance(dtype, pl.Datetime),
    }.get(column.kind, (dtype.is_numeric() or dtype == pl.String) and not _may_be_in_pence(column, dtype))


def _may_be_in_pence(column: Column, dtype: pl.DataType) -> bool:
    """Whether an integer is to become a decimal: were it in pence, each amount would be a hundred times what it is."""
    return column.scale > 0 and dtype.is_integer()


def _integer(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:  # a numeric without precision
        return value.str.extract(r"^(-?\d+)(?:\.0+)?$").cast(pl.Int32, strict=False)
    cast = value.cast(pl.Int32, strict=False)
    return cast if dtype.is_integer() else pl.when(cast == value).then(cast)


def _decimal(value: pl.Expr, dtype: pl.DataType, column: Column) -> pl.Expr:
    target = pl.Decimal(column.precision, column.scale)
    cast = value.cast(target, strict=False)
    if dtype == target:
        return value
    if dtype == pl.String:  # a numeric without precision: no digit may be lost
        return pl.when(value.str.contains(rf"^-?\d+(\.\d{{1,{column.scale}}}0*)?$")).then(cast)
    return pl.when(cast == value).then(cast)


def _date(text: pl.Expr) -> pl.Expr:
    """A date written in full; what could be read in two ways is not guessed at, and there is no year 0.

    A blank around it says nothing, and must not keep the row's other values from the warehouse.
    """
    text = text.str.strip_chars()
    written = text.str.contains(r"^\d{4}-\d{2}-\d{2}$") & ~text.str.starts_with("0000")
    return pl.when(written).then(text.str.to_date("%Y-%m-%d", strict=False))
