"""Conversion gives the same rows in whatever pieces its frame lies in memory."""

import datetime as dt
from functools import cache

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from totes.lake import RAW
from totes.star.convert import Converted, convert
from totes.star.tables.fact_payment import FACT_PAYMENT

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
