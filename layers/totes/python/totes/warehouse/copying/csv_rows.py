"""Rows as CSV, the format that COPY takes of any type; NULL and the empty text stay apart."""

import io

import polars as pl

from totes.warehouse.copying.stream import Format


def _write(rows: pl.DataFrame) -> bytes:
    text = io.BytesIO()
    rows.write_csv(text, include_header=False, quote_style="non_numeric", time_format="%H:%M:%S%.3f")
    return text.getvalue()


CSV = Format(options="FORMAT csv", write=_write)
