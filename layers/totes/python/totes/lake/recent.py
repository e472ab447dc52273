"""A bucket that remembers what has just been written or read, for whoever reads it again at once."""

import threading
from typing import TYPE_CHECKING

from totes.lake.bucket import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REMEMBERED_BYTES = 16 * 1024 * 1024
"""What all remembered objects take in memory, at most."""

SMALL_BYTES = 1024 * 1024
"""An object larger than this is not remembered: to read it takes much longer than to ask for it."""


class RecentObjects(Bucket):
    """A bucket for the time of one batch: a small object is asked of the store once.

    A batch of few changes writes each table's part, and reads it and the sorted run before it again to merge them: to
    ask takes longer than all else that is done with them. No object is ever rewritten, so what is remembered is what
    the store has.
    """

    def __init__(self, name: str, client: "S3Client | None" = None) -> None:
        """Remember nothing yet."""
        super().__init__(name, client)
        self._lock = threading.Lock()
        self._remembered: dict[str, bytes] = {}
        self._room = REMEMBERED_BYTES

    @classmethod
    def of(cls, bucket: Bucket) -> "RecentObjects":
        """A bucket's recent objects."""
        return cls(bucket.name, bucket.client)

    def put_new(self, key: str, body: bytes) -> bool:
        """Write an object; see `Bucket`."""
        is_new = super().put_new(key, body)
        if is_new:  # what was there before may be damaged: its reader looks
            self._remember(key, body)
        return is_new

    def get(self, key: str) -> bytes:
        """Return an object's bytes, of the store or as they are remembered; see `Bucket`."""
        body = self._remembered.get(key)
        if body is None:
            body = super().get(key)
            self._remember(key, body)
        return body

    def _remember(self, key: str, body: bytes) -> None:
        with self._lock:
            if key not in self._remembered and len(body) <= min(SMALL_BYTES, self._room):
                self._remembered[key] = body
                self._room -= len(body)
