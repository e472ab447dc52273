"""An object store in memory, as much of S3 as a bucket of the lake asks of it, with a clock that tests set."""

import bisect
import io
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError


class MemoryS3:
    """One bucket, whatever its name.

    Attributes:
        now: the store's clock.
        reads: the key of every object that was read, in order.
        deleted: the key of every object that was deleted.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.reads: list[str] = []
        self.deleted: list[str] = []
        self._objects: dict[str, tuple[bytes, datetime]] = {}
        self._keys: list[str] = []

    @property
    def keys(self) -> list[str]:
        """The keys of all objects, ascending."""
        return [*self._keys]

    def put_object(self, **asked: Any) -> None:
        """Write an object of a new key."""
        if asked["Key"] in self._objects:
            raise _error("PreconditionFailed", "PutObject")
        self._objects[asked["Key"]] = asked["Body"], self.now
        bisect.insort(self._keys, asked["Key"])

    def get_object(self, **asked: Any) -> dict[str, Any]:
        """Read an object."""
        self.reads.append(asked["Key"])
        if asked["Key"] not in self._objects:
            raise _error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self._objects[asked["Key"]][0])}

    def delete_object(self, **asked: Any) -> None:
        """Delete an object."""
        del self._objects[asked["Key"]]
        self._keys.remove(asked["Key"])
        self.deleted.append(asked["Key"])

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        """List a page of objects."""
        start = bisect.bisect_right(self._keys, asked.get("StartAfter", ""))
        start = max(start, bisect.bisect_left(self._keys, asked["Prefix"]))
        page = self._keys[start : start + asked.get("MaxKeys", 1000)]
        found = [key for key in page if key.startswith(asked["Prefix"])]
        listed = [{"Key": key, "LastModified": self._objects[key][1]} for key in found]
        return {"Contents": listed, "IsTruncated": found == page and start + len(page) < len(self._keys)}


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)
