"""One piece of a batch that is too large for one function: the source parts between two bookmarks, for one of many."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from totes import payloads
from totes.lake import Bucket, Journal
from totes.lake.pieces import MOST_PIECES, check_pieces
from totes.star.batch import Batch
from totes.star.code import fingerprint
from totes.star_schema import StarTable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Untransformed:
    """Pieces of a batch that are to be transformed before it has star rows, by their places in it."""

    batch: int
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, batch: int, left: Sequence[int]) -> "Untransformed":
        """Of the pieces that are left, as many as a run can hold; of more the next answer tells."""
        return cls(batch=batch, pieces=tuple(left[:MOST_PIECES]))

    def to_dict(self) -> dict[str, Any]:
        """What a function answers, in the words of `totes.payloads`."""
        return {payloads.BATCH: self.batch, payloads.PIECES: self.pieces}


def transform_piece(ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], batch: int, piece: int) -> bool:
    """Transform a piece of a batch, unless that was done before.

    What comes of it depends on the batch and the code alone, so whoever transforms it again writes the same bytes.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        batch: the batch.
        piece: the piece, by its place in the batch.

    Returns:
        Whether it is transformed; not where the batch has no such piece, because other code has counted them.

    Raises:
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    work = _batch(ingestion, processed, tables, batch)
    if piece >= work.pieces:
        logger.warning("batch %d has no piece %d: other code has counted its pieces", batch, piece)
        return False
    if piece in work.pieces_left():
        work.transform_piece(piece)
        logger.info("transformed piece %d of batch %d", piece, batch)
    return True


def check_transformed(
    ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], came_of: Iterable[Mapping[str, Any]]
) -> None:
    """Raise where pieces could not be transformed.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        came_of: what came of each piece that a run has transformed, all of one batch, in the words of
            `totes.payloads`.

    Raises:
        PieceFailed: some have failed; the sentence names each, with its error.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    check_pieces(
        came_of,
        payloads.BATCH,
        lambda batch: _batch(ingestion, processed, tables, batch).names_of_pieces(),
        does="transforms",
        done="transformed",
        function="ingestion_to_processed_bucket",
    )


def _batch(ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], batch: int) -> Batch:
    return Batch(Journal(ingestion).read(batch), ingestion, processed, tables, fingerprint(tables))
