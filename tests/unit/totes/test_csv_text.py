"""A frame's CSV is the same whether it is written at once or slice by slice, and whatever size its reader asks for."""

from datetime import time

import polars as pl
import pytest

from totes.warehouse import csv_text
from totes.warehouse.csv_text import CsvText

ROWS = pl.DataFrame(
    {
        "key": range(10),
        "text": ["a", "", None, 'say "x"', "two\nlines", "é€", ",", "\\N", " ", "z"],
        "at": [time(1, 2, 3, 4000), None] * 5,
    }
)


@pytest.mark.parametrize("at_once", [1, 3, 10, 100])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_text_is_that_of_the_whole_frame(monkeypatch: pytest.MonkeyPatch, at_once: int, size: int) -> None:
    whole = ROWS.write_csv(include_header=False, quote_style="non_numeric", time_format="%H:%M:%S%.3f").encode()
    monkeypatch.setattr(csv_text, "_ROWS_AT_ONCE", at_once)
    with CsvText(ROWS) as text:
        assert b"".join(iter(lambda: text.read(size), b"")) == whole


def test_a_frame_without_rows_has_no_text() -> None:
    with CsvText(ROWS.clear()) as text:
        assert text.read() == b""


def test_a_reader_that_gives_up_leaves_nothing_running() -> None:
    with CsvText(ROWS) as text:
        text.read(1)
    with pytest.raises(RuntimeError, match="shutdown"):
        text._writer.submit(int)
