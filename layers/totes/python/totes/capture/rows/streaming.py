"""Rows of one table, streamed out of a snapshot by COPY, a bounded chunk at a time."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import polars as pl
from psycopg2 import sql

from totes.capture.rows.too_long import LONGEST_ROW, ReadRow, without_longest
from totes.capture.rows.values import read_rows
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.copy_out import OneOf, copy_out
from totes.lake import SourceColumn

CHUNK_BYTES = 24 * 2**20
"""How much CSV text is gathered before it becomes a frame: some 200,000 orders."""

_ASKED_AT_ONCE = 10_000
"""Values in one statement."""

_SMALL = 2**31
"""Numbers below this, positive or negative, are integers to PostgreSQL, and others bigint."""


def stream_rows(
    snapshot: Snapshot,
    table: SourceTable,
    columns: Sequence[SourceColumn],
    condition: sql.Composable,
    consume: Callable[[pl.DataFrame], None],
) -> None:
    """Read the rows of a table for which a condition holds.

    Memory stays bounded by a few times CHUNK_BYTES and what `consume` keeps, whatever the table's size. A row of more
    than LONGEST_ROW bytes comes without its longest values; while it is received its text is there three times.

    Args:
        snapshot: the state to read.
        table: the table.
        columns: the columns to read, by their names in the lake.
        condition: the SQL condition; ORDER BY and LIMIT may follow it.
        consume: called with each chunk, a frame as `read_rows` gives it, one after the other, in another thread while
            the next chunk is read; never with an empty one.

    Raises:
        psycopg2.Error: the connection to the source was lost.
        Exception: what `consume` raises.
    """
    query = sql.SQL("SELECT {} FROM public.{} WHERE {}").format(
        sql.SQL(", ").join(sql.Identifier(table.source_column(column.name)) for column in columns),
        sql.Identifier(table.source_name),
        condition,
    )

    def read(texts: Sequence[ReadRow]) -> None:
        frames = [read_rows(text, columns, left_out) for text, left_out in texts]
        consume(frames[0] if len(frames) == 1 else pl.concat(frames))

    names = [column.stored_as for column in columns]
    with _Chunks(read, names) as chunks, snapshot.reading(table.source_name) as cursor:
        # A database without an encoding may have any bytes; asked for UTF-8, it would refuse a whole table for one row.
        as_they_are = snapshot.connection.info.parameter_status("server_encoding") == "SQL_ASCII"
        if as_they_are:
            cursor.execute("SET LOCAL client_encoding TO 'SQL_ASCII'")
        copy_out(cursor, query, chunks)
        if as_they_are:
            cursor.execute("SET LOCAL client_encoding TO 'UTF8'")
        chunks.flush()


def conditions_on(column: str, values: pl.Series) -> Iterator[sql.Composable]:
    """Yield SQL conditions that hold for the rows whose column, by its name in the source, has one of these integers.

    Each is of a bounded length.
    """
    for start in range(0, values.len(), _ASKED_AT_ONCE):
        asked = values.slice(start, _ASKED_AT_ONCE).to_list()
        # PostgreSQL looks numbers up in a hash only where they are of the column's own type, which is nearly always it.
        sql_type = "integer" if all(abs(number) < _SMALL for number in asked) else "bigint"
        yield sql.SQL("{} {}").format(sql.Identifier(column), OneOf(asked, sql_type))


class _Chunks:
    """The file that COPY writes to: each write is one whole row, so a chunk ends where a row ends.

    One chunk is consumed, in a thread of its own, while the next is gathered. A chunk is one text, or several where a
    row is so long that it is a text of its own.
    """

    def __init__(self, consume: Callable[[Sequence[ReadRow]], None], names: Sequence[str]) -> None:
        self._consume = consume
        self._names = names
        self._texts: list[ReadRow] = []
        self._room = CHUNK_BYTES  # what the texts that wait leave of a chunk
        self._buffer = io.BytesIO()
        self._consumer = ThreadPoolExecutor(1, thread_name_prefix="chunk")
        self._consumed: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.shutdown(wait=True, cancel_futures=True)

    def write(self, row: bytes) -> None:
        if len(row) > LONGEST_ROW:
            self._write_long(row)
            return
        self._buffer.write(row)
        if self._buffer.tell() >= self._room:
            self._hand_on()

    def flush(self) -> None:
        """Wait until all is consumed; raise what the consumer raised."""
        self._hand_on()
        self._wait()

    def _write_long(self, row: bytes) -> None:
        self._end_text()
        self._wait_with(without_longest(row, self._names))
        if self._room <= 0:
            self._hand_on()

    def _end_text(self) -> None:
        text = self._buffer.getvalue()
        self._buffer = io.BytesIO()
        if text:
            self._wait_with(ReadRow(text, None))

    def _wait_with(self, read: ReadRow) -> None:
        self._texts.append(read)
        self._room -= len(read.text)

    def _hand_on(self) -> None:
        self._end_text()
        texts, self._texts, self._room = self._texts, [], CHUNK_BYTES
        self._wait()
        if texts:
            self._consumed = self._consumer.submit(self._consume, texts)

    def _wait(self) -> None:
        consumed, self._consumed = self._consumed, None
        if consumed is not None:
            consumed.result()
