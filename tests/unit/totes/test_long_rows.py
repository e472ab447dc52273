"""A row that no function could hold comes without its longest values, and with what is known of them."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totes.capture.rows import streaming, too_long
from totes.capture.rows.too_long import ReadRow, without_longest
from totes.capture.rows.values import read_rows
from totes.lake import RAW, SourceColumn
from totes.star.convert import LONGEST

TEXTS = st.text(st.sampled_from('",\n\r\\x é👜')) | st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(too_long, "LONGEST_ROW", 10)
    monkeypatch.setattr(too_long, "ALWAYS_READ", 3)
    monkeypatch.setattr(too_long, "_HASHED_AT_ONCE", 4_096)


def as_copied(*values: str | None) -> bytes:
    """As COPY writes a row: NULL is nothing, and the empty text is quoted."""
    return (",".join("" if value is None else quoted(value) for value in values) + "\n").encode()


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if not value or set(value) & set('",\n\r') else value


def named(count: int) -> list[str]:
    return [f"column {number}" for number in range(count)]


def known(value: str) -> dict[str, int | str]:
    body = value.encode()
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), "begins": value[:1_000]}


@given(st.lists(st.none() | TEXTS, min_size=1, max_size=6))
def test_each_value_is_there_as_it_was_or_known_by_its_size_and_digest(values: list[str | None]) -> None:
    read = without_longest(as_copied(*values), named(len(values)))
    left_out = json.loads(read.left_out or "{}")
    for name, value in zip(named(len(values)), values, strict=True):
        assert name not in left_out or (value is not None and left_out[name] == known(value))
    kept = [None if name in left_out else value for name, value in zip(named(len(values)), values, strict=True)]
    assert read.text == as_copied(*kept)
    long = [value for value in kept if value is not None and len(value.encode()) > 3]
    assert not long or sum(len(quoted(value).encode()) for value in kept if value is not None) <= 10


@pytest.mark.parametrize(
    ("values", "without"),
    [
        (("12345", "1234567", "123"), [1]),
        (("123456", "1234567", "1234"), [1]),
        (("123456", "1234567", "12345678"), [1, 2]),
        (("1234567", "1234567"), [0]),
        (("123",) * 10, []),
        (("12345", "67890"), []),
    ],
)
def test_the_longest_go_first_and_no_more_than_must(values: Sequence[str], without: Sequence[int]) -> None:
    left_out = without_longest(as_copied(*values), named(len(values))).left_out
    assert list(json.loads(left_out or "{}")) == [f"column {number}" for number in without]


@pytest.mark.parametrize("unit", ['"', "é", '"é', ",", "👜", '""x'])
def test_a_value_of_many_pieces_is_hashed_as_one(unit: str) -> None:
    value = unit * 20_000
    left_out = without_longest(as_copied("1", value), ["key", "text"]).left_out
    assert json.loads(left_out or "{}") == {"text": known(value)}


def test_bytes_that_are_no_text_are_shown_in_hexadecimal() -> None:
    left_out = without_longest(b"1," + b"\xff" * 20 + b"\n", ["key", "text"]).left_out
    assert json.loads(left_out or "{}")["text"]["begins"] == "\\xff" * 20


def test_what_is_left_out_stands_beside_what_its_column_cannot_hold() -> None:
    columns = [
        SourceColumn(name="key", type="integer"),
        SourceColumn(name="moment", type="timestamp without time zone"),
        SourceColumn(name=RAW, type="text"),
    ]
    text, left_out = without_longest(as_copied("1", "infinity", "x" * 20), [column.stored_as for column in columns])
    rows = read_rows(text, columns, left_out)
    assert rows.drop(RAW).row(0) == (1, None, None)
    assert json.loads(rows[RAW][0]) == {"moment": "infinity", columns[2].stored_as: known("x" * 20)}


def test_long_rows_come_in_their_order_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_ROW", 10)
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 40)
    texts = ["a", "x" * 20, "y" * 20, "b", "c", "z" * 20, *("d" * 6 for _ in range(20)), "e", "x" * 10, "f"]
    written = [as_copied(str(number), text) for number, text in enumerate(texts)]
    chunks: list[Sequence[ReadRow]] = []
    with streaming._Chunks(chunks.append, ["key", "text"]) as file:
        for row in written:
            file.write(row)
        file.flush()
    assert len(chunks) > 3
    assert all(chunk for chunk in chunks)
    read = [line for chunk in chunks for text, _ in chunk for line in csv.reader(io.StringIO(text.decode()))]
    assert read == [[str(number), "" if len(text) > 9 else text] for number, text in enumerate(texts)]
    left_out = [json.loads(each)["text"]["begins"] for chunk in chunks for _, each in chunk if each]
    assert left_out == [text for text in texts if len(text) > 9]


def test_a_chunk_has_no_more_than_its_bytes_and_a_row_however_its_texts_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_ROW", 20)
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 100)
    written = [as_copied("1", "x" * 30, "y" * 18), *[as_copied("2", "z", "z" * 10)] * 20, as_copied("3", "x" * 30, "y")]
    chunks: list[Sequence[ReadRow]] = []
    with streaming._Chunks(chunks.append, ["key", "text", "more"]) as file:
        for row in written * 5:
            file.write(row)
        file.flush()
    assert max(sum(len(text) for text, _ in chunk) for chunk in chunks) < 100 + 30


def test_the_star_takes_no_longer_text_than_is_always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert too_long.ALWAYS_READ >= LONGEST
