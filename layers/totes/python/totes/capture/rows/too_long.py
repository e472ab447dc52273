"""Rows that no function could hold: their longest values are left out, and what is known of these is kept.

libpq receives a row as one message, so its text is there whole, in three copies: libpq's buffer, what it gives to
psycopg2, and what psycopg2 gives to Python. Nothing here makes another; what is left out is hashed where it lies.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from totes.lake import RAW

logger = logging.getLogger(__name__)

LONGEST_ROW = 32 * 1024**2
"""Bytes of a row's text that are read at most.

From text to parquet a row is in memory some sixteen times over (measured): a row of this length takes half a gigabyte,
of the 1,536 MB of a function that also holds a chunk of others, and parts of the lake to compare them with.
"""

ALWAYS_READ = 1024**2
"""Bytes of a value that is never left out, whatever the row has beside it: the star takes texts of this length. So
whether a row is in quarantine depends on no column beyond the contract, and a verification, which reads none of those,
comes to the same."""

_BEGINNING = 1_000
"""Characters that are kept of a value that is left out, as many as the quarantine keeps of a long one."""

_HASHED_AT_ONCE = 1024**2

_SIGN = '"sha256":"'
"""What stands in `_raw` of every row of which something was left out, and of hardly any other."""

# No repeat gives anything back, so a value of a hundred million quotes needs no stack either.
_VALUE = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"|[^,\n]*+')


class ReadRow(NamedTuple):
    """What is read of a row of `COPY ... TO STDOUT (FORMAT csv)`.

    Attributes:
        text: the row, with NULL for each value that is left out.
        left_out: a JSON object of the columns that are, each with an object of the value's size (`bytes`), `sha256` and
            first characters (`begins`); None: the row is whole. It depends on the row alone.
    """

    text: bytes
    left_out: str | None


def without_longest(row: bytes, columns: Sequence[str]) -> ReadRow:
    """Leave out the longest values of a row until the others have at most LONGEST_ROW bytes; never one of ALWAYS_READ.

    Args:
        row: a row as PostgreSQL sent it, with its line feed.
        columns: the names of its columns.
    """
    values = list(_values(row, len(columns)))
    length = sum(end - start for start, end in values)
    left_out = {}
    for number, (start, end) in sorted(enumerate(values), key=lambda each: each[1][0] - each[1][1]):
        if length <= LONGEST_ROW:
            break
        size = _size(row, start, end)
        if size > ALWAYS_READ:
            length -= end - start
            left_out[number] = {
                "bytes": size,
                "sha256": _digest(row, start, end),
                "begins": _beginning(row, start, end),
            }
    if not left_out:
        return ReadRow(row, None)
    kept = (b"" if number in left_out else row[start:end] for number, (start, end) in enumerate(values))
    known = {columns[number]: left_out[number] for number in sorted(left_out)}
    return ReadRow(b",".join(kept) + b"\n", json.dumps(known, ensure_ascii=False, separators=(",", ":")))


def log_left_out(table: str, key: str, rows: pl.DataFrame) -> None:
    """Say in the log what was left out of rows: its place and size, never its text.

    Args:
        table: the rows' table.
        key: its key column.
        rows: rows as `read_rows` gives them.
    """
    if rows[RAW].null_count() == rows.height:
        return
    said = rows.select(key, RAW).filter(pl.col(RAW).str.contains(_SIGN, literal=True))
    for number, raw in said.iter_rows():
        for column, known in json.loads(raw).items():
            if isinstance(known, dict):
                logger.warning(
                    "table %s, %s %d: column %s has %d bytes and is left out, for of a row %d are read at most",
                    *(table, key, number, column, known["bytes"], LONGEST_ROW),
                )


def _values(row: bytes, count: int) -> Iterator[tuple[int, int]]:
    """Where each value begins and ends, with its quotes."""
    end = -1
    for _ in range(count):
        found = _VALUE.match(row, end + 1)
        if found is None or row[found.end() : found.end() + 1] not in (b",", b"\n"):
            raise AssertionError("COPY has sent a row that is no CSV")
        end = found.end()
        yield found.span()


def _size(row: bytes, start: int, end: int) -> int:
    """The bytes of a value as they are without CSV's quotes."""
    if row[start : start + 1] != b'"':
        return end - start
    return end - start - 2 - row.count(b'"', start + 1, end - 1) // 2


def _digest(row: bytes, start: int, end: int) -> str:
    digest = hashlib.sha256()
    for text in _unquoted(row, start, end):
        digest.update(text)
    return digest.hexdigest()


def _beginning(row: bytes, start: int, end: int) -> str:
    first = next(_unquoted(row, start, end))  # no character has so many bytes that a thousand are not in it
    return first.decode(errors="backslashreplace")[:_BEGINNING]


def _unquoted(row: bytes, start: int, end: int) -> Iterator[bytes]:
    """A value as it is without CSV's quotes, some of it at a time."""
    if row[start : start + 1] == b'"':
        start, end = start + 1, end - 1
        quoted = True
    else:
        quoted = False
    while start < end:
        until = min(start + _HASHED_AT_ONCE, end)
        if quoted and row.count(b'"', start, until) % 2:
            until += 1  # two quotes stand for one, and are not to be parted
        text = row[start:until]
        yield text.replace(b'""', b'"') if quoted else text
        start = until
