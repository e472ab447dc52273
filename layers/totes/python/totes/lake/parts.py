"""Parts: the parquet objects that a batch's rows lie in, known by the digest of their bytes."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from totes.errors import LakeCorrupted
from totes.lake.bucket import Bucket
from totes.lake.documents import read_as

RAW = "_raw"
"""The lake's own column of a captured row: values that their column's type cannot hold (`infinity`, NaN, a year
12000), as a JSON object of column and PostgreSQL's text, and NULL where there are none. Of a value that was left out
because its row is too long it has an object in the text's place: `bytes`, `sha256` and how the text `begins`. The own
column of all these is NULL. A column of the source that has this name is stored under another
(`SourceColumn.stored_as`)."""

_LEVEL = 1
"""Of zstd's levels the quickest: the usual one, 3, takes half as long again, and makes a part a sixth smaller."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One parquet object: its key, rows, size in bytes, the SHA-256 of its bytes, and the range of its rows' keys."""

    key: str
    rows: int
    bytes: int
    sha256: str
    lowest: int | None = None
    highest: int | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Part":
        """Read a part back from its manifest's JSON."""
        return read_as(cls, values)


def write_part(bucket: Bucket, prefix: str, frame: pl.DataFrame, *, row_key: str | None = None) -> Part:
    """Write a frame as a part.

    The object's key ends in its content's digest, so writing the same rows again, after a crash or by a second
    run, meets the object that is already there and changes nothing.

    Args:
        bucket: where to.
        prefix: the key without digest and suffix, such as `batches/0000000012/sales_order/changes-00000`.
        frame: the rows.
        row_key: the integer column by whose range a reader may pass the part over.
    """
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=_LEVEL, statistics=True)
    body = buffer.getvalue()
    digest = hashlib.sha256(body).hexdigest()
    key = f"{prefix}-{digest[:16]}.parquet"
    bucket.put_new(key, body)
    lowest, highest = (None, None) if row_key is None else _range(frame[row_key])
    return Part(key=key, rows=frame.height, bytes=len(body), sha256=digest, lowest=lowest, highest=highest)


def read_part(bucket: Bucket, part: Part, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a part's rows, of some of its columns where these are named.

    Raises:
        LakeCorrupted: the object is missing, or its bytes are not those that were written.
    """
    return pl.read_parquet(io.BytesIO(fetch_part(bucket, part)), columns=list(columns) if columns else None)


def schema_of(bucket: Bucket, part: Part) -> pl.Schema:
    """Return a part's columns and their types, without reading its rows.

    Raises:
        LakeCorrupted: the object is missing, or its bytes are not those that were written.
    """
    return pl.Schema(pl.read_parquet_schema(io.BytesIO(fetch_part(bucket, part))))


def fetch_part(bucket: Bucket, part: Part) -> bytes:
    """Return a part's bytes, which are parquet.

    Raises:
        LakeCorrupted: the object is missing, or its bytes are not those that were written.
    """
    body = bucket.get(part.key)
    if hashlib.sha256(body).hexdigest() != part.sha256:
        raise LakeCorrupted(
            f"s3://{bucket.name}/{part.key} is not the object that its manifest names ({len(body)} bytes, "
            f"expected {part.bytes}); restore it from the bucket's versions"
        )
    return body


def _range(keys: pl.Series) -> tuple[int | None, int | None]:
    lowest, highest = keys.min(), keys.max()
    return (lowest, highest) if isinstance(lowest, int) and isinstance(highest, int) else (None, None)
