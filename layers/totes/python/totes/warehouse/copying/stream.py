"""A frame as the stream that COPY reads: the next rows are written while the server reads those before them."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

_ROWS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 16 * 1024**2


@dataclass(frozen=True, kw_only=True)
class Format:
    """How rows are written.

    Attributes:
        options: the words for it in a COPY statement.
        write: what some rows become.
        header, trailer: what comes before the first row, and after the last.
    """

    options: str
    write: Callable[[pl.DataFrame], bytes]
    header: bytes = b""
    trailer: bytes = b""


class CopyStream(io.RawIOBase):
    """A frame's rows in a format, a file to be read once.

    Memory is bounded by twice `_ROWS_AT_ONCE` rows, or by twice `_BYTES_AT_ONCE` if the rows are long.
    """

    def __init__(self, rows: pl.DataFrame, how: Format) -> None:
        super().__init__()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="copy")
        long_rows = _BYTES_AT_ONCE * max(rows.height, 1) // max(int(rows.estimated_size()), 1)
        self._slices = iter(rows.iter_slices(max(1, min(_ROWS_AT_ONCE, long_rows))))
        self._format = how
        self._pieces = self._written()
        self._piece = io.BytesIO()

    def close(self) -> None:
        """Write no more."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        super().close()

    def readable(self) -> bool:
        """Return that this file can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, at least one before the end; b"" at the end."""
        while not (found := self._piece.read(size)):
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._piece = io.BytesIO(piece)
        return found

    def _written(self) -> Iterator[bytes]:
        yield self._format.header
        coming = self._writer.submit(self._next)
        while (piece := coming.result()) is not None:
            coming = self._writer.submit(self._next)
            yield piece
        yield self._format.trailer

    def _next(self) -> bytes | None:
        rows = next(self._slices, None)
        return None if rows is None else self._format.write(rows)
