"""Attempts at what many calls of a function do together, so that one that kills them all is known."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from totes.errors import RetryableError
from totes.lake.bucket import Bucket
from totes.lake.journal import Journal

_ENDED = json.dumps({"ended": True}).encode()


class Attempts:
    """The attempts at something, in a journal of their own: a record as each begins, and one as it ends.

    Who is killed, for want of memory or time, writes no second record.

    Args:
        bucket: the bucket.
        prefix: that of the journal.
    """

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._journal = Journal(bucket, prefix)

    @contextmanager
    def at(self, place: int, most: int) -> Iterator[bool]:
        """Begin an attempt, and end it with the block, also by an exception, but for one that ends the process.

        Args:
            place: how far the work has come, such as the last batch that is done.
            most: how many attempts in a row may be killed at one place.

        Yields:
            Whether so many were, before this one.

        Raises:
            BatchTaken: another call has begun an attempt at this moment.
            LakeUnavailable, LakeCorrupted: see `totes.lake`.
        """
        begun = json.dumps({"place": place}).encode()
        last = self._journal.last(most)
        number = max(last, default=0) + 1
        killed = len(last) == most and all(self._journal.read(each) == begun for each in last)
        self._journal.commit(number, begun)
        try:
            yield killed
        except Exception:
            self._end(number)
            raise
        self._end(number)

    def _end(self, number: int) -> None:
        """Say that an attempt has ended; one of which that could not be said counts as one that was killed."""
        with suppress(RetryableError):
            self._journal.commit(number + 1, _ENDED)
