"""What COPY reads is the same, written at once or slice by slice, and whatever size its reader asks for."""

from datetime import time

import polars as pl
import pytest

from totes.warehouse.copying import stream
from totes.warehouse.copying.binary_rows import binary
from totes.warehouse.copying.csv_rows import CSV
from totes.warehouse.copying.stream import CopyStream, Format

ROWS = pl.DataFrame(
    {
        "key": range(10),
        "text": ["a", "", None, 'say "x"', "two\nlines", "é€", ",", "\\N", " ", "z"],
        "at": [time(1, 2, 3, 4000), None] * 5,
    }
)
NUMBERS = ROWS.select("key")


def of_numbers() -> Format:
    how = binary(NUMBERS, {"key": "bigint"})
    assert how is not None
    return how


@pytest.mark.parametrize("at_once", [1, 3, 10, 100])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_csv_is_that_of_the_whole_frame(monkeypatch: pytest.MonkeyPatch, at_once: int, size: int) -> None:
    whole = ROWS.write_csv(include_header=False, quote_style="non_numeric", time_format="%H:%M:%S%.3f").encode()
    monkeypatch.setattr(stream, "_ROWS_AT_ONCE", at_once)
    with CopyStream(ROWS, CSV) as text:
        assert b"".join(iter(lambda: text.read(size), b"")) == whole


@pytest.mark.parametrize("at_once", [1, 3, 10, 100])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_binary_is_rows_between_a_header_and_a_trailer(
    monkeypatch: pytest.MonkeyPatch, at_once: int, size: int
) -> None:
    row = b"\0\1" + b"\0\0\0\x08"
    rows = b"".join(row + key.to_bytes(8) for key in range(10))
    monkeypatch.setattr(stream, "_ROWS_AT_ONCE", at_once)
    with CopyStream(NUMBERS, of_numbers()) as text:
        assert b"".join(iter(lambda: text.read(size), b"")) == b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows + b"\xff\xff"


def test_a_frame_without_rows_has_no_text() -> None:
    with CopyStream(ROWS.clear(), CSV) as text:
        assert text.read() == b""


def test_a_reader_that_gives_up_leaves_nothing_running() -> None:
    with CopyStream(ROWS, CSV) as text:
        text.read(1)
    with pytest.raises(RuntimeError, match="shutdown"):
        text._writer.submit(int)


def test_long_rows_are_written_a_few_at_once() -> None:
    written: list[int] = []

    def write(rows: pl.DataFrame) -> bytes:
        written.append(rows.height)
        return CSV.write(rows)

    long = pl.DataFrame({"text": ["x" * 1_000_000] * 40})
    with CopyStream(long, Format(options="", write=write)) as text:
        assert b"".join(iter(lambda: text.read(10_000_000), b"")) == CSV.write(long)
    assert max(written) <= 17
    assert sum(written) == 40
