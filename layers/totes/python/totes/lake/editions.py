"""Editions of the star: a replay writes batches anew without rewriting an object.

The first edition covers every batch. A replay from batch B makes another, which covers B and all that follow; the star
manifest of a batch is the one in the newest edition that covers it. The index, a journal of its own, commits an edition
once all its batches are there; each of its entries lists all editions, so one read tells them.
"""

import json
from dataclasses import asdict, dataclass

from totes.lake.bucket import Bucket
from totes.lake.journal import Journal

_INDEX = "editions/"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An edition, and the first batch that it covers."""

    number: int
    first: int


_FIRST = Edition(number=1, first=1)


class StarJournal:
    """The star manifests of the processed bucket, as the editions stood when this was made."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        index = Journal(bucket, _INDEX)
        self._revision = index.newest()
        self._editions = (
            tuple(Edition(**edition) for edition in json.loads(index.read(self._revision)))
            if self._revision
            else (_FIRST,)
        )

    @property
    def edition(self) -> int:
        """The number of the newest edition."""
        return self._editions[-1].number

    def newest(self) -> int:
        """Return the number of the newest batch; 0 where there is none."""
        newest = self._editions[-1]
        return max(_journal(self.bucket, newest.number).newest(), newest.first - 1)

    def read(self, batch: int) -> bytes:
        """Return a batch's manifest; raise LakeCorrupted where it is missing."""
        covering = next(edition for edition in reversed(self._editions) if edition.first <= batch)
        return _journal(self.bucket, covering.number).read(batch)

    def commit(self, batch: int, manifest: bytes) -> None:
        """Commit the manifest of a batch in the newest edition; see `Journal.commit`."""
        _journal(self.bucket, self.edition).commit(batch, manifest)

    def draft(self, first: int) -> "Draft":
        """Begin an edition that covers a batch and all that follow.

        What a replay that died has left of its own edition stays where it is, under a number that is never given again.
        """
        number = self.edition + 1
        while _journal(self.bucket, number).newest():
            number += 1
        return Draft(self.bucket, self._revision, self._editions, Edition(number=number, first=first))


class Draft:
    """An edition that is being written; nobody reads it before it is published."""

    def __init__(self, bucket: Bucket, revision: int, editions: tuple[Edition, ...], edition: Edition) -> None:
        self._bucket = bucket
        self._revision = revision
        self._editions = (*editions, edition)
        self._journal = _journal(bucket, edition.number)

    def commit(self, batch: int, manifest: bytes) -> None:
        """Commit the manifest of a batch in this edition; see `Journal.commit`."""
        self._journal.commit(batch, manifest)

    def publish(self) -> StarJournal:
        """Make this the newest edition.

        Raises:
            BatchTaken: another replay has published one meanwhile.
        """
        editions = json.dumps([asdict(edition) for edition in self._editions])
        Journal(self._bucket, _INDEX).commit(self._revision + 1, editions.encode())
        return StarJournal(self._bucket)


def _journal(bucket: Bucket, edition: int) -> Journal:
    return Journal(bucket, f"manifests/edition-{edition:04d}/")
