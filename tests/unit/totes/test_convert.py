"""Conversion gives the same rows in whatever pieces its frame lies in memory."""

import datetime as dt
import json
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from totes.lake import RAW
from totes.star.convert import LONGEST, Converted, convert, slices
from totes.star.joins import complete
from totes.star.tables.dim_counterparty import DIM_COUNTERPARTY
from totes.star.tables.fact_payment import FACT_PAYMENT
from totes.star_schema import decimal, integer, text

SCHEMA: dict[str, pl.DataType] = {
    "payment_id": pl.Int32(),
    "created_at": pl.Datetime("us"),
    "last_updated": pl.Datetime("us"),
    "transaction_id": pl.Int32(),
    "counterparty_id": pl.Int32(),
    "payment_amount": pl.String(),
    "currency_id": pl.Int32(),
    "payment_type_id": pl.Int32(),
    "paid": pl.Boolean(),
    "payment_date": pl.String(),
    RAW: pl.String(),
}
MOMENT = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - the source's stamps have no zone

KINDS: dict[str, tuple[dt.datetime | None, str | None, str, str | None]] = {
    "good": (MOMENT, "1.00", "2024-01-01", None),
    "infinite": (None, "1.00", "2024-01-01", '{"created_at":"infinity"}'),
    "NULL": (MOMENT, None, "2024-01-01", None),
    "no date": (MOMENT, "1.00", "TBC", None),
}
chunks_of_rows = st.lists(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3), min_size=1, max_size=4)


@cache
def frame_of(chunk: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        (number, created, MOMENT, 1, 1, amount, 1, 1, True, date, raw)
        for number, (created, amount, date, raw) in enumerate(KINDS[kind] for kind in chunk)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@cache  # there are but 84 of them
def converted(chunk: tuple[str, ...]) -> Converted:
    return convert(FACT_PAYMENT, frame_of(chunk))


@settings(max_examples=300, deadline=None)
@given(chunks_of_rows)
@example([["good"], ["infinite", "infinite"]])
def test_a_frame_of_several_chunks_is_converted_like_one_of_one(chunks: list[list[str]]) -> None:
    whole = convert(FACT_PAYMENT, pl.concat(frame_of(tuple(chunk)) for chunk in chunks))
    pieces = [converted(tuple(chunk)) for chunk in chunks]
    assert whole.rows.equals(pl.concat(piece.rows for piece in pieces))
    assert whole.quarantine.equals(pl.concat(piece.quarantine for piece in pieces))


def test_a_row_from_before_a_column_of_its_star_was_there_has_none_of_its_values() -> None:
    row = frame_of(("good",))
    table = replace(FACT_PAYMENT, columns=(*FACT_PAYMENT.columns, text("note", meaning="", of="note", nullable=True)))
    assert convert(table, row).rows["note"].to_list() == [None]
    assert convert(FACT_PAYMENT, row.drop("paid")).quarantine["reason"].to_list() == ["paid is NULL"]


@pytest.mark.parametrize(
    ("was", "number"),
    [
        (pl.Series(["2.00", "1.75", "-0.99"]).cast(pl.Decimal(10, 2)), [2]),
        (pl.Series(["-7.000", "0.5", "3000000000", "2e3", "-0.0", "7"]), [-7, 0, 7]),
        (pl.Series([1.0, 1.5, float("nan"), 3e9]), [1]),
        (pl.Series([5, 3_000_000_000]), [5]),
    ],
    ids=["numeric(10,2)", "numeric", "double precision", "bigint"],
)
def test_a_number_that_is_no_whole_one_is_not_cut_to_one(was: pl.Series, number: list[int]) -> None:
    table = replace(FACT_PAYMENT, columns=(*FACT_PAYMENT.columns, integer("boxes", meaning="", of="boxes")))
    payments = pl.concat([frame_of(("good",))] * was.len()).with_columns(was.alias("boxes"))
    found = convert(table, payments)
    assert found.rows["boxes"].to_list() == number
    assert found.quarantine.height == was.len() - len(number)


@pytest.mark.parametrize("dtype", [pl.Int16(), pl.Int32(), pl.Int64()], ids=str)
def test_an_integer_is_no_amount_for_it_may_be_in_pence(dtype: pl.DataType) -> None:
    paid_in_pence = frame_of(("good",)).with_columns(pl.Series("payment_amount", [1999], dtype=dtype))
    found = convert(FACT_PAYMENT, paid_in_pence)
    assert (found.rows.height, found.quarantine["reason"].to_list()) == (
        0,
        ["payment_amount is '1999', not a numeric(10,2): an integer does not say how many of its digits are decimals"],
    )


def test_an_integer_is_a_decimal_without_decimals() -> None:
    table = replace(FACT_PAYMENT, columns=(*FACT_PAYMENT.columns, decimal("boxes", 20, 0)))
    payments = frame_of(("good",)).with_columns(pl.Series("boxes", [3_000_000_000]))
    assert convert(table, payments).rows["boxes"].to_list() == [3_000_000_000]


def test_a_time_of_day_is_cut_to_the_millisecond_so_that_no_day_ends_with_the_hour_24() -> None:
    late = MOMENT.replace(hour=23, minute=59, second=59, microsecond=999_999)
    found = convert(FACT_PAYMENT, frame_of(("good",)).with_columns(created_at=late))
    assert found.rows["created_time"].to_list() == [dt.time(23, 59, 59, 999_000)]


def test_of_a_very_long_value_quarantine_has_the_beginning_and_of_one_that_is_as_long_as_may_be_all() -> None:
    row = frame_of(("no date",)).with_columns(
        pl.lit("x" * LONGEST).alias("note"), pl.lit("y" * (LONGEST + 1)).alias("essay")
    )
    [kept] = convert(FACT_PAYMENT, row).quarantine["source_row"].to_list()
    assert json.loads(kept)["note"] == "x" * LONGEST
    assert json.loads(kept)["essay"] == "y" * 1_000 + "… (cut here)"


def test_a_time_in_quarantine_has_all_its_digits() -> None:
    moment = pl.Series("at", [dt.time(23, 59, 59, 999_999)])
    [row] = convert(FACT_PAYMENT, frame_of(("no date",)).with_columns(moment)).quarantine["source_row"].to_list()
    assert json.loads(row)["at"] == "23:59:59.999999"


@pytest.mark.parametrize(
    ("column", "was"),
    [
        ("paid", pl.Series(["yes"])),
        ("created_at", pl.Series(["2024-01-01 10:00"])),
        ("payment_date", pl.Series([1])),
        ("currency_id", pl.Series([dt.date(2024, 1, 1)])),
        ("payment_amount", pl.Series([True])),
    ],
)
def test_a_value_of_a_type_that_has_nothing_to_do_with_the_columns_of_now_is_in_quarantine(
    column: str, was: pl.Series
) -> None:
    """A replay comes to batches from before the column was retyped."""
    converted_ = convert(FACT_PAYMENT, frame_of(("good",)).with_columns(was.alias(column)))
    [reason] = converted_.quarantine["reason"]
    assert reason.startswith(f"{column} is '")


LEFT_OUT = '{"bytes":40000000,"sha256":"ab12","begins":"' + "7" * 1_000 + '"}'
REASON = (
    f"{{}} is '{'7' * 100}…', 40000000 bytes in a row that is too long to be read whole; "
    "make it 1048576 bytes or less at the source, and the next run brings the row"
)


def test_a_value_that_was_left_out_is_named_with_its_size_and_the_remedy() -> None:
    row = frame_of(("good",)).with_columns(
        pl.lit(None, dtype=pl.String).alias("payment_date"), pl.lit(f'{{"payment_date":{LEFT_OUT}}}').alias(RAW)
    )
    assert convert(FACT_PAYMENT, row).quarantine["reason"].to_list() == [REASON.format("payment_date")]


def test_a_text_that_reads_like_what_is_known_of_another_is_a_text() -> None:
    row = frame_of(("good",)).with_columns(pl.lit(json.dumps({"payment_date": LEFT_OUT})).alias(RAW))
    row = row.with_columns(pl.lit(None, dtype=pl.String).alias("payment_date"))
    [reason] = convert(FACT_PAYMENT, row).quarantine["reason"]
    assert reason.startswith('payment_date is \'{"bytes":40000000,')


@pytest.mark.parametrize("column", ["phone", "address_line_2"])
def test_a_joined_value_that_was_left_out_is_no_null_not_even_where_the_star_allows_one(column: str) -> None:
    names = ["address_line_1", "address_line_2", "district", "city", "postal_code", "country", "phone"]
    address = pl.DataFrame(
        {"address_id": [1, 2]} | {name: [None if name == column else "a", "b"] for name in names}
    ).with_columns(pl.Series(RAW, [f'{{"{column}":{LEFT_OUT}}}', None]))
    rows = pl.DataFrame(
        {"counterparty_id": [1, 2], "counterparty_legal_name": ["a", "b"], "legal_address_id": [1, 2], RAW: [None] * 2},
        schema_overrides={RAW: pl.String()},
    )
    made = convert(DIM_COUNTERPARTY, complete(rows, DIM_COUNTERPARTY.joins[0], address))
    assert made.rows["counterparty_id"].to_list() == [2]
    assert made.quarantine["reason"].to_list() == [REASON.format(f"address.{column}")]


def test_rows_of_very_long_texts_are_converted_some_at_a_time_and_all_others_at_once() -> None:
    long, short = pl.Series(["x" * 1_000_000]), pl.DataFrame({"key": range(100_000), "text": "x"})
    found = [piece.height for piece in slices(pl.DataFrame({"text": pl.concat([long] * 200)}))]
    assert sum(found) == 200
    assert max(found) <= 68
    assert [piece.height for piece in slices(short)] == [100_000]
    assert [piece.height for piece in slices(short.rename({"text": "^a$"}))] == [100_000]
