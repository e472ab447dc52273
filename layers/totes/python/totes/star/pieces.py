"""One piece of a batch that is too large for one function: the source parts between two bookmarks."""

import logging
from collections.abc import Sequence

from totes.lake import Bucket, Journal
from totes.lake.pieces import FailedPiece, check_pieces
from totes.star.batch import Batch
from totes.star.code import fingerprint
from totes.star_schema import StarTable

logger = logging.getLogger(__name__)


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
        Whether it is transformed; False if the batch has no such piece, because other code has counted its pieces.

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
    ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], failed: Sequence[FailedPiece]
) -> None:
    """Raise where pieces could not be transformed.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        failed: pieces of one batch that a run could not have transformed.

    Raises:
        PieceFailed: some have failed; the sentence names each, with its error.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    check_pieces(
        failed,
        "batch",
        lambda batch: _batch(ingestion, processed, tables, batch).names_of_pieces(),
        done="transformed",
    )


def _batch(ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable], batch: int) -> Batch:
    return Batch(Journal(ingestion).read(batch), ingestion, processed, tables, fingerprint(tables))
