"""Every batch that waits in the ingestion bucket becomes star rows in the processed bucket, in the order of batches."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from totes.lake import Bucket, Journal, StarJournal, StarManifest
from totes.outcomes import Span
from totes.star.ahead import in_order
from totes.star.batch import Batch
from totes.star.code import fingerprint
from totes.star_schema import StarTable

logger = logging.getLogger(__name__)

_LARGE_BYTES = 2 * 2**20
"""A batch with more parquet is transformed while no other large one is, so that memory stays flat."""


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """What a transformation came to.

    Attributes:
        batches: the batches that were transformed.
        newest: the newest in the processed bucket; 0: none.
        captured: the newest in the ingestion bucket; 0: none.
    """

    batches: Span
    newest: int
    captured: int

    @property
    def waiting(self) -> bool:
        """Whether time was up before all were transformed."""
        return self.newest < self.captured


def transform(
    ingestion: Bucket,
    processed: Bucket,
    tables: Sequence[StarTable],
    *,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Transformed:
    """Transform every batch that the processed bucket does not have yet.

    A batch's star rows depend on that batch alone: transforming it again gives the same bytes.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        time_is_up: asked before each batch, and within a large one; what is left then is the next call's.

    Raises:
        BatchTaken: another run transformed the batch with another version of totes.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    captured, stars = Journal(ingestion), StarJournal(processed)
    done, newest = stars.newest(), captured.newest()
    work = Transformation(ingestion, processed, tables, time_is_up)
    last = done
    for batch, manifest in in_order(work, range(done + 1, newest + 1), time_is_up):
        stars.commit(batch, manifest.to_json())
        logger.info("transformed batch %d", batch, extra={"batch": batch})
        last = batch
    count = last - done
    batches = Span(first=done + 1 if count else None, last=last if count else None, count=count)
    return Transformed(batches=batches, newest=last, captured=newest)


class Transformation:
    """The work on one batch, which several threads may do at once, each on another."""

    def __init__(
        self, ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], time_is_up: Callable[[], bool]
    ) -> None:
        self._ingestion = ingestion
        self._processed = processed
        self._tables = tables
        self._time_is_up = time_is_up
        self._code = fingerprint(tables)
        self._captured = Journal(ingestion)
        self._large = threading.Lock()

    def __call__(self, batch: int) -> StarManifest | None:
        """Transform a batch; None where time is up before it is done."""
        work = Batch(self._captured.read(batch), self._ingestion, self._processed, self._tables, self._code)
        if work.bytes < _LARGE_BYTES:
            return work.transformed(self._time_is_up)
        with self._large:
            return work.transformed(self._time_is_up)
