"""A lake that is years old, made in seconds: it goes on from a lake that is there, for so many batches as are asked.

Two payments go to and fro between two contents, a batch each time, so that after an even number of batches the lake
holds what the source says. The parts are two, named by every second manifest; all else is as the library writes it.
"""

# ruff: noqa: N803 - the SDK's own names
import io
import json
import threading
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from botocore.exceptions import ClientError

from tests.faults.store import Keys
from totes.lake import Bucket, CaptureManifest, Journal, StarJournal, read_part, write_part
from totes.lake.manifests import digest
from totes.star import STAR_TABLES, transform

_PERIOD = timedelta(minutes=5)


class Memory:
    """As much of an S3 client as totes asks for, in this process, with its requests counted by kind."""

    def __init__(self, buckets: Mapping[str, Keys] | None = None) -> None:
        self._buckets = {name: deepcopy(keys) for name, keys in (buckets or {}).items()}
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()

    def copy(self) -> "Memory":
        """The same objects in a store of their own."""
        return Memory(self._buckets)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str | None = None) -> None:
        with self._lock:
            self.requests["put"] += 1
            keys = self._buckets.setdefault(Bucket, Keys())
            if IfNoneMatch == "*" and Key in keys.objects:
                raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
            keys.put(Key, bytes(Body))

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, io.BytesIO]:
        with self._lock:
            self.requests["get"] += 1
            try:
                body, _ = self._buckets[Bucket].objects[Key]
            except KeyError:
                raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject") from None
            return {"Body": io.BytesIO(body)}

    def list_objects_v2(
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        MaxKeys: int = 1000,
        StartAfter: str = "",
        ContinuationToken: str = "",
    ) -> Mapping[str, Any]:
        with self._lock:
            self.requests["list"] += 1
            found, is_cut = self._buckets.setdefault(Bucket, Keys()).listed(
                Prefix, ContinuationToken or StartAfter, MaxKeys
            )
            more = {"NextContinuationToken": found[-1]} if is_cut else {}
            return {"Contents": [{"Key": key} for key in found], "IsTruncated": is_cut, **more}


def age(ingestion: Bucket, processed: Bucket, batches: int) -> None:
    """Let a lake whose every batch is transformed have so many batches more; the number is even."""
    journal = Journal(ingestion)
    newest = journal.newest()
    body = journal.read(newest)
    contents = _two_contents(ingestion, body)
    for batch in range(newest + 1, newest + batches + 1):
        body = _next_capture(body, batch, contents[(batch - newest) % 2])
        journal.commit(batch, body)
        if batch == newest + 2:  # an example of both
            transform(ingestion, processed, STAR_TABLES)
    _transform_by_example(ingestion, processed, newest, batches)


def _two_contents(ingestion: Bucket, body: bytes) -> list[Mapping[str, Any]]:
    """The parts of two payments as they are, and as they are not, as a manifest names them."""
    payment = CaptureManifest.from_json(body).tables["payment"]
    held = read_part(ingestion, payment.holdings[0].parts[0]).sort("payment_id").head(2)
    kinds = [held, held.with_columns(~pl.col("paid"))]
    return [
        vars(write_part(ingestion, f"batches/{batch:010d}/payment/changes-00000", rows, row_key="payment_id"))
        for batch, rows in enumerate(kinds, start=CaptureManifest.from_json(body).batch + 1)
    ]


def _next_capture(before: bytes, batch: int, content: Mapping[str, Any]) -> bytes:
    manifest = json.loads(before)
    moment = datetime.fromisoformat(manifest["captured_at"]) + _PERIOD
    manifest |= {"batch": batch, "parent": digest(before), "captured_at": moment.isoformat(), "drift": []}
    for name, table in manifest["tables"].items():
        table |= {"changes": [content] if name == "payment" else [], "deletes": [], "context": []}
    return json.dumps(manifest).encode()


def _transform_by_example(ingestion: Bucket, processed: Bucket, newest: int, batches: int) -> None:
    captured, stars = Journal(ingestion), StarJournal(processed)
    examples = {batch % 2: json.loads(stars.read(batch)) for batch in (newest + 1, newest + 2)}
    for batch in range(newest + 3, newest + batches + 1):
        body = captured.read(batch)
        capture = json.loads(body)
        same = {name: capture[name] for name in ("batch", "parent", "captured_at")}
        stars.commit(batch, json.dumps({**examples[batch % 2], **same, "capture": digest(body)}).encode())
