"""PostgreSQL's text of values, turned into the source's exact types."""

import io
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from totes.lake import RAW, SourceColumn

_PARSED = {"smallint": pl.Int16(), "integer": pl.Int32(), "bigint": pl.Int64()}
"""What the CSV reader itself reads exactly."""


_DECIMAL_DIGITS = 38
"""The most digits of a decimal in polars; a wider numeric stays text."""

_WHOLE_SECONDS = len("2024-05-17 09:41:32")


def read_rows(text: bytes, columns: Sequence[SourceColumn], left_out: str | None = None) -> pl.DataFrame:
    r"""Read rows of `COPY ... TO STDOUT (FORMAT csv)`.

    Args:
        text: the rows as PostgreSQL sent them; an unquoted empty value is NULL, `""` is the empty text. A value with
            bytes that are no UTF-8 is one that its column cannot hold; its text has such a byte in hexadecimal.
        columns: their columns.
        left_out: of a single row, what is known of values that were left out, as `without_longest` says it.

    Returns:
        The columns, named as they are stored, in their exact types (text for types that polars has no exact match for),
        and the column RAW.
    """
    schema = {column.stored_as: _PARSED.get(column.type, pl.String()) for column in columns}
    if text.isascii() or _is_utf8(text):
        texts = readable = _read_csv(text, schema)
    else:
        texts, readable = _read_broken(text, schema)
    # Columns are taken by their places: `pl.col` would read a name such as `*` or `^a$` as a pattern.
    converted = readable.with_columns(
        convert(pl.nth(place))
        for place, column in enumerate(columns)
        if (convert := _conversion(column.type)) is not None
    )
    return converted.with_columns(_unheld(texts, converted, left_out).alias(RAW))


def _read_csv(text: bytes, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    # polars takes a byte order mark at the beginning for the file's; PostgreSQL sends none but those of values.
    marked = BOM_UTF8 + text if text.startswith(BOM_UTF8) else text
    return pl.read_csv(io.BytesIO(marked), has_header=False, schema=schema)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_broken(text: bytes, schema: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read rows some of which have bytes that are no UTF-8: as they are, and with NULL for the values of such bytes.

    A value has such bytes if it differs between two ways of writing them.
    """
    escaped, replaced = (
        _read_csv(text.decode(errors=errors).encode(), schema) for errors in ("backslashreplace", "replace")
    )
    readable = escaped.with_columns(
        pl.select(pl.when(escaped[name].alias("value").eq_missing(replaced[name].alias("value"))).then(escaped[name]))
        .to_series()
        .alias(name)
        for name in escaped.columns
    )
    return escaped, readable


def _unheld(texts: pl.DataFrame, converted: pl.DataFrame, left_out: str | None) -> pl.Series:
    """The JSON of each row's lost values; the same row gives the same JSON whatever other rows came with it."""
    members: list[pl.Expr] = [
        pl.when(converted[name].is_null() & texts[name].is_not_null()).then(
            pl.struct(texts[name]).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")
        )
        for name in texts.columns
        if converted[name].null_count() > texts[name].null_count()
    ]
    if left_out is not None:
        members.append(pl.lit(left_out[1:-1]))  # its members
    if not members:
        return pl.Series(RAW, [None] * texts.height, dtype=pl.String)
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return texts.select(
        pl.when(joined != "").then(pl.format("{{{}}}", joined)).alias(RAW)  # an object of its members
    ).to_series()


def _conversion(written_type: str) -> Callable[[pl.Expr], pl.Expr] | None:
    """How text of a PostgreSQL type becomes its value; None where the text is the value, or is parsed already."""
    name, parameters = _split(written_type)
    if name != "numeric":
        return _CONVERSIONS.get(name)
    match parameters:
        case (precision, scale) if 0 <= scale <= precision <= _DECIMAL_DIGITS:
            return lambda text: text.cast(pl.Decimal(precision, scale), strict=False)
        case _:
            return None


def _split(written_type: str) -> tuple[str, tuple[int, ...]]:
    """`timestamp(3) without time zone` is (`timestamp without time zone`, (3,))."""
    match = re.fullmatch(r"([^()]*)\((-?\d+(?:,-?\d+)*)\)([^()]*)", written_type)
    if match is None:
        return written_type, ()
    return match[1] + match[3], tuple(int(number) for number in match[2].split(","))


def _time(text: pl.Expr) -> pl.Expr:
    return text.str.to_time("%H:%M:%S%.f", strict=False)


def _timestamp(text: pl.Expr) -> pl.Expr:
    # PostgreSQL leaves out zeros at the end. Given a format of one length polars needs a fifth of the time.
    whole = text.str.pad_end(_WHOLE_SECONDS + 1, ".").str.pad_end(_WHOLE_SECONDS + 7, "0")
    return whole.str.to_datetime("%Y-%m-%d %H:%M:%S.%6f", time_unit="us", strict=False, cache=False)


def _moment(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)


_CONVERSIONS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "boolean": lambda text: text == "t",
    # To PostgreSQL the blanks that fill a `character(n)` up mean nothing: 'a' = 'a   '.
    "bpchar": lambda text: text.str.strip_chars_end(" "),
    "character": lambda text: text.str.strip_chars_end(" "),
    "date": lambda text: text.str.to_date("%Y-%m-%d", strict=False),
    "double precision": lambda text: text.cast(pl.Float64, strict=False),
    "real": lambda text: text.cast(pl.Float32, strict=False),
    "time": _time,
    "time without time zone": _time,
    "timestamp with time zone": _moment,
    "timestamp without time zone": _timestamp,
}
