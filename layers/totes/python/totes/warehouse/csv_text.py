"""A frame as the CSV that COPY reads: some rows are written while the server takes those before them."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl

_ROWS_AT_ONCE = 20_000


class CsvText(io.RawIOBase):
    """A frame's rows as CSV without a header, a file to be read once; NULL and the empty text stay apart.

    Memory is bounded by the text of twice `_ROWS_AT_ONCE` rows.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        super().__init__()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="csv")
        self._slices = iter(rows.iter_slices(_ROWS_AT_ONCE))
        self._texts = self._written_ahead()
        self._text = io.BytesIO()

    def close(self) -> None:
        """Write no more."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        super().close()

    def readable(self) -> bool:
        """Return that this file can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, at least one before the end; b"" at the end."""
        while not (found := self._text.read(size)):
            text = next(self._texts, None)
            if text is None:
                break
            self._text = io.BytesIO(text)
        return found

    def _written_ahead(self) -> Iterator[bytes]:
        coming = self._writer.submit(self._next)
        while (text := coming.result()) is not None:
            coming = self._writer.submit(self._next)
            yield text

    def _next(self) -> bytes | None:
        rows = next(self._slices, None)
        if rows is None:
            return None
        text = io.BytesIO()
        rows.write_csv(text, include_header=False, quote_style="non_numeric", time_format="%H:%M:%S%.3f")
        return text.getvalue()
