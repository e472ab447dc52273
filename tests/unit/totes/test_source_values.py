"""PostgreSQL's text of a moment is read exactly, or kept as text where it is none of the years 0001 to 9999."""

import json
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totes.capture.rows.values import read_rows
from totes.lake import RAW, SourceColumn

COLUMNS = [SourceColumn(name="moment", type="timestamp without time zone")]
OF_A_ZONE = [SourceColumn(name="moment", type="timestamp with time zone")]


def as_postgresql_writes(moment: datetime) -> str:
    """Without the zeros at the end of the fraction, and without the point where nothing follows it."""
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return moment.replace(microsecond=0).isoformat(sep=" ") + fraction


@given(st.lists(st.datetimes(), min_size=1))
def test_a_moment_is_read_to_the_microsecond(moments: list[datetime]) -> None:
    text = "".join(f"{as_postgresql_writes(moment)}\n" for moment in moments)
    rows = read_rows(text.encode(), COLUMNS)
    assert rows["moment"].to_list() == moments
    assert rows[RAW].null_count() == len(moments)
    in_utc = read_rows(text.replace("\n", "+00\n").encode(), OF_A_ZONE)
    assert in_utc["moment"].dt.replace_time_zone(None).to_list() == moments
    assert in_utc[RAW].null_count() == len(moments)


@pytest.mark.parametrize(
    "text",
    [
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00 BC",
        "0044-03-15 12:00:00.1234 BC",
        "0044-03-15 12:00:00.123456 BC",
        "12000-01-01 00:00:00",
        "12000-01-01 00:00:00.5",
        "294276-12-31 23:59:59.999999",
    ],
)
def test_a_moment_that_the_column_cannot_hold_is_kept_as_text(text: str) -> None:
    rows = read_rows(f"2024-05-17 09:41:32.5\n{text}\n\n".encode(), COLUMNS)
    assert rows["moment"].to_list() == [datetime(2024, 5, 17, 9, 41, 32, 500_000), None, None]  # noqa: DTZ001
    assert [kept and json.loads(kept) for kept in rows[RAW]] == [None, {"moment": text}, None]
    zoned = re.sub(r"(:\S+)", r"\1+00", text)
    rows = read_rows(f"2024-05-17 09:41:32.5+00\n{zoned}\n\n".encode(), OF_A_ZONE)
    assert rows["moment"].null_count() == 2
    assert [kept and json.loads(kept) for kept in rows[RAW]] == [None, {"moment": zoned}, None]


@pytest.mark.parametrize("other", [b"York", b"caf\xe9"], ids=["UTF-8", "no UTF-8"])
def test_a_byte_order_mark_at_the_beginning_is_part_of_its_value(other: bytes) -> None:
    rows = read_rows(
        b"\xef\xbb\xbfLeeds,1\n" + other + b",2\n",
        [SourceColumn(name="town", type="text"), SourceColumn(name="number", type="integer")],
    )
    assert rows["town"][0] == "\ufeffLeeds"


@pytest.mark.parametrize("name", ["*", "^a$", "^.*$", ""])
@pytest.mark.parametrize(
    ("written_type", "text"),
    [
        ("timestamp without time zone", "2024-05-17 09:41:32"),
        ("boolean", "t"),
        ("date", "2024-05-17"),
        ("time", "9:41:32"),
    ],
)
def test_a_name_that_looks_like_a_pattern_is_a_name(name: str, written_type: str, text: str) -> None:
    columns = [SourceColumn(name="before", type="boolean"), SourceColumn(name=name, type=written_type)]
    rows = read_rows(f"f,{text}\n".encode(), columns)
    alike = read_rows(f"f,{text}\n".encode(), [columns[0], SourceColumn(name="plain", type=written_type)])
    assert rows.columns == ["before", columns[1].stored_as, RAW]
    assert rows.row(0) == alike.row(0)
