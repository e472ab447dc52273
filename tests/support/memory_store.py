"""An object store in memory: as much of S3 as a bucket of the lake asks of it, with counts and a clock to be set.

A request of moto's takes three milliseconds of the processor, and the tests make a hundred thousand; this one answers
at once, and test_memory_store.py holds it to what moto says of the same requests.
"""

import bisect
import hashlib
import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from botocore.exceptions import ClientError

from totes.lake import Bucket

_FEW = 1000
"""Keys that are put into their places one by one; more are sorted at once."""


class MemoryStore:
    """Objects by bucket and key; an object's bytes are kept as they are given, so many keys may share them.

    Attributes:
        now: the store's clock.
        asked: the kind of every request, in order.
        reads: the key of every object that was read, in order.
        deleted: the key of every object that was deleted.
        headers: what each object was last written with, by key.
        archived: the storage class, by key, of objects that lie where they cannot be read.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.asked: list[str] = []
        self.reads: list[str] = []
        self.deleted: list[str] = []
        self.headers: dict[str, dict[str, str]] = {}
        self.archived: dict[str, str] = {}
        self._lock = threading.RLock()
        self._objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}
        self._keys: dict[str, list[str]] = {}
        self._unsorted: dict[str, list[str]] = {}

    def bucket(self, name: str) -> Bucket:
        """A bucket of the lake, kept here."""
        return Bucket(name, cast("Any", self))

    @property
    def calls(self) -> Counter[str]:
        """How many requests of each kind there were."""
        return Counter(self.asked)

    @property
    def keys(self) -> list[str]:
        """The keys of all objects, ascending."""
        return sorted(key for _, key in self._objects)

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        ContentType: str = "",  # noqa: N803
        CacheControl: str = "",  # noqa: N803
    ) -> None:
        """Write an object."""
        with self._request("put"):
            if IfNoneMatch and (Bucket, Key) in self._objects:
                raise _error("PreconditionFailed", "PutObject")
            if IfMatch and (Bucket, Key) not in self._objects:
                raise _error("NoSuchKey", "PutObject")
            if IfMatch and _tag(self._objects[Bucket, Key][0]) != IfMatch:
                raise _error("PreconditionFailed", "PutObject")
            self.headers[Key] = {"ContentType": ContentType, "CacheControl": CacheControl}
            if (Bucket, Key) not in self._objects:
                self._unsorted.setdefault(Bucket, []).append(Key)
            self._objects[Bucket, Key] = Body, self.now

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Read an object."""
        with self._request("get"):
            self.reads.append(Key)
            if (Bucket, Key) not in self._objects:
                raise _error("NoSuchKey", "GetObject")
            if Key in self.archived:
                raise _error("InvalidObjectState", "GetObject")
            body = self._objects[Bucket, Key][0]
            return {"Body": io.BytesIO(body), "ETag": _tag(body)}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        """Delete an object; one that is not there is no error."""
        with self._request("delete"):
            if self._objects.pop((Bucket, Key), None) is not None:
                self._sorted(Bucket).remove(Key)
                self.deleted.append(Key)

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803 - S3's words
        Prefix: str,  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
        MaxKeys: int = 1000,  # noqa: N803
    ) -> dict[str, Any]:
        """List a page of objects; its token is its last key."""
        with self._request("list"):
            keys = self._sorted(Bucket)
            start = max(bisect.bisect_right(keys, ContinuationToken or StartAfter), bisect.bisect_left(keys, Prefix))
            page = keys[start : start + MaxKeys]
            found = [key for key in page if key.startswith(Prefix)]
            following = keys[start + len(page) : start + len(page) + 1]
            listed = [
                {
                    "Key": key,
                    "Size": len(self._objects[Bucket, key][0]),
                    "LastModified": self._objects[Bucket, key][1],
                    "StorageClass": self.archived.get(key, "STANDARD"),
                }
                for key in found
            ]
            return _page(listed, is_cut=any(key.startswith(Prefix) for key in following))

    @contextmanager
    def _request(self, kind: str) -> Iterator[None]:
        """One request at a time: a conditional put looks and writes as one."""
        with self._lock:
            self.asked.append(kind)
            yield

    def _sorted(self, bucket: str) -> list[str]:
        keys = self._keys.setdefault(bucket, [])
        new = self._unsorted.pop(bucket, [])
        if len(new) < _FEW:
            for key in new:
                bisect.insort(keys, key)
        else:
            keys.extend(new)
            keys.sort()
        return keys


def _page(listed: list[dict[str, Any]], *, is_cut: bool) -> dict[str, Any]:
    more = {"NextContinuationToken": listed[-1]["Key"]} if is_cut else {}
    return {"Contents": listed, "IsTruncated": is_cut, **more}


def _tag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)
