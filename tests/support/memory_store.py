"""An object store in memory, with the calls of an S3 client that a `Bucket` makes, counted."""

import bisect
import io
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError

_FEW = 1000


class MemoryStore:
    """Objects by bucket and key; an object's bytes are kept as they are given, so many keys may share them."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.calls: Counter[str] = Counter()
        self._keys: dict[str, list[str]] = {}
        self._unsorted: dict[str, list[str]] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str | None = None) -> None:  # noqa: N803
        self.calls["put"] += 1
        if IfNoneMatch and (Bucket, Key) in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        if (Bucket, Key) not in self.objects:
            self._unsorted.setdefault(Bucket, []).append(Key)
        self.objects[Bucket, Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.calls["get"] += 1
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:  # noqa: N803
        self.calls["list"] += 1
        keys = self._sorted(Bucket)
        at = bisect.bisect_left(keys, Prefix)
        found: list[dict[str, str]] = []
        while at < len(keys) and keys[at].startswith(Prefix) and len(found) < MaxKeys:
            found.append({"Key": keys[at]})
            at += 1
        return {"Contents": found} if found else {}

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
