"""Every batch that waits in the ingestion bucket becomes star rows in the processed bucket, in the order of batches."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from totes.lake import Bucket, FailedPiece, Journal, PiecesLeft, StarJournal, StarManifest
from totes.outcomes import Span
from totes.star.batch import Batch
from totes.star.code import fingerprint
from totes.star.concurrency import map_in_order
from totes.star.lineage import LineageCheck
from totes.star.pieces import check_transformed
from totes.star_schema import StarTable

logger = logging.getLogger(__name__)

_BYTES_AT_ONCE = 2 * 2**20
"""Batches that are transformed at once have no more parquet together than this, or are one: so memory stays flat."""


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """What a transformation came to.

    Attributes:
        batches: the batches that were transformed.
        newest: the newest in the processed bucket; 0: none.
        captured: the newest in the ingestion bucket; 0: none.
        untransformed: pieces of the next batch, which is too large for one function, to be transformed by many; then
            another transformation puts them together.
    """

    batches: Span
    newest: int
    captured: int
    untransformed: PiecesLeft | None = None

    @property
    def waiting(self) -> bool:
        """Whether it ended before all were transformed."""
        return self.newest < self.captured


def transform(
    ingestion: Bucket,
    processed: Bucket,
    tables: Sequence[StarTable],
    *,
    rows_in_one_function: int | None = None,
    failed: Sequence[FailedPiece] = (),
    time_is_up: Callable[[], bool] = lambda: False,
) -> Transformed:
    """Transform every batch that the processed bucket does not have yet.

    A batch's star rows depend on that batch alone: transforming it again gives the same bytes.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        rows_in_one_function: a batch of more rows than this, and of many parts, is transformed in pieces by many
            functions; None: never.
        failed: pieces that this run could not have transformed.
        time_is_up: asked before each batch, and within a large one; what is left then is the next call's.

    Raises:
        PieceFailed: a piece could not be transformed.
        BatchTaken: another run transformed the batch with another version of totes.
        LakeCorrupted: the ingestion bucket does not have the batches that the processed bucket was made of.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    check_transformed(ingestion, processed, tables, failed)
    captured, stars = Journal(ingestion), StarJournal(processed)
    done, newest = stars.newest(), captured.newest()
    work = Transformation(ingestion, processed, tables, time_is_up, rows_in_one_function)
    last, lineage = done, LineageCheck(captured, stars, done=done, newest=newest)
    for batch, manifest in map_in_order(work, range(done + 1, newest + 1), time_is_up):
        lineage.must_follow(manifest)
        stars.commit(batch, manifest.to_json())
        logger.info("transformed batch %d", batch, extra={"batch": batch})
        last = batch
    count = last - done
    batches = Span(first=done + 1 if count else None, last=last if count else None, count=count)
    return Transformed(
        batches=batches, newest=last, captured=newest, untransformed=work.too_large_for_one_function.get(last + 1)
    )


class Transformation:
    """The work on one batch; several threads may do it at once, each on another batch.

    Attributes:
        too_large_for_one_function: the batches that it came to and has left to many functions, and what is left of
            each.
    """

    def __init__(
        self,
        ingestion: Bucket,
        processed: Bucket,
        tables: Sequence[StarTable],
        time_is_up: Callable[[], bool],
        rows_in_one_function: int | None = None,
    ) -> None:
        self._ingestion = ingestion
        self._processed = processed
        self._tables = tables
        self._time_is_up = time_is_up
        self._code = fingerprint(tables)
        self._captured = Journal(ingestion)
        self._room = _Room(_BYTES_AT_ONCE)
        self._rows_in_one_function = rows_in_one_function
        self.too_large_for_one_function: dict[int, PiecesLeft] = {}

    def __call__(self, batch: int) -> StarManifest | None:
        """Transform a batch; None where time is up before it is done, or where it is for many functions."""
        work = Batch(self._captured.read(batch), self._ingestion, self._processed, self._tables, self._code)
        left = self._left_to_many_functions(work)
        if left:
            self.too_large_for_one_function[batch] = PiecesLeft.first(batch, left)
            return None
        with self._room.of(work.bytes):
            return work.transformed(partial(self._is_over, batch))

    def _is_over(self, batch: int) -> bool:
        """Whether a batch is not gone on with: time is up, or one before it is left to many functions."""
        return self._time_is_up() or min(tuple(self.too_large_for_one_function), default=batch) < batch

    def _left_to_many_functions(self, work: Batch) -> tuple[int, ...]:
        most = self._rows_in_one_function
        return work.pieces_left() if most is not None and work.rows > most else ()


class _Room:
    """Bytes that several threads share; who needs more than there are waits until nobody has any, and is alone then."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Take so many bytes for a while, once there are as many."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()
