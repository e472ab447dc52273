"""A bucket's journals: documents that have a number each, under which nothing else is ever committed."""

import re
from collections.abc import Iterator
from datetime import datetime

from totes.errors import BatchTaken, LakeCorrupted
from totes.lake.bucket import Bucket

_LAST = 10**10 - 1


class Journal:
    """Numbered documents under a prefix: manifests, and also plans, editions, drafts, attempts, bookmarks and sweeps.

    Not every number need be there, nor the lower ones first: sweeps go on by hundreds of batches, bookmarks come in any
    order, and a later edition begins with its first batch. The newest document is the one of the highest number.

    A document's key begins with its number counted down from 9999999999, because a bucket lists its keys in
    ascending order: so the newest one is the first one listed, found by one request after years of ticks.
    """

    def __init__(self, bucket: Bucket, prefix: str = "manifests/") -> None:
        self.bucket = bucket
        self._prefix = prefix

    def newest(self) -> int:
        """Return the number of the newest document; 0 where there is none."""
        return next(iter(self.last(1)), 0)

    def last(self, most: int) -> list[int]:
        """Return the numbers of the newest documents, newest first, at most so many (1 to 1,000), by one request."""
        return [self._number(key) for key in self.bucket.first_keys(self._prefix, most)]

    def committed(self) -> Iterator[tuple[int, datetime]]:
        """Yield the number of each document, and when it was committed by the store's clock; the newest first."""
        return ((self._number(listed.key), listed.written) for listed in self.bucket.listed(self._prefix))

    def read(self, number: int) -> bytes:
        """Return a document's bytes; raise LakeCorrupted where it is missing."""
        return self.bucket.get(self._key(number))

    def commit(self, number: int, document: bytes) -> None:
        """Commit a document under a number that is still free.

        A commit that succeeded while its answer was lost is recognised by its bytes.

        Raises:
            BatchTaken: another run has committed this number with other content.
        """
        if not self.bucket.put_new(self._key(number), document) and self.read(number) != document:
            raise BatchTaken(
                f"{self.place(number)} was committed by another run with other content; the next attempt goes on from "
                "there"
            )

    def place(self, number: int) -> str:
        """Where the document of a number is, as s3://bucket/key."""
        return f"s3://{self.bucket.name}/{self._key(number)}"

    def _number(self, key: str) -> int:
        match = re.fullmatch(re.escape(self._prefix) + r"\d{10}-batch-(\d{10})\.json", key)
        if match is None or key != self._key(int(match[1])):
            raise LakeCorrupted(f"s3://{self.bucket.name}/{key} is not a totes document; remove it from {self._prefix}")
        return int(match[1])

    def _key(self, number: int) -> str:
        return f"{self._prefix}{_LAST - number:010d}-batch-{number:010d}.json"
