"""Whether the lake is the one that has filled the warehouse, and still has all that it holds.

Both buckets can be put back to an earlier moment, by a person, a rule or a copy. The warehouse then holds batches that
the lake does not have, and the capture gives their numbers to other batches. The first batches are those of the ledger
still, which tells such a lake from another one.
"""

from collections.abc import Callable

from psycopg2.extensions import cursor as Cursor

from totes.errors import LakeCorrupted
from totes.warehouse.ledger import Entry, entry_of
from totes.warehouse.processed_bucket import ProcessedBucket


def must_be_of(cursor: Cursor, processed: ProcessedBucket, entry: Entry, captured: Callable[[], int] | None) -> None:
    """Check that the lake is the one of the ledger, and has all its batches.

    The processed bucket may have fewer of them for a while: an edition was published that does not have all of them
    yet, or the bucket was lost and is filled again. The ingestion bucket never has.

    Args:
        cursor: the warehouse.
        processed: the processed bucket.
        entry: the ledger's newest batch.
        captured: asks for the newest batch of the ingestion bucket; None: it is not looked at.

    Raises:
        ConfigurationError: it is another lake.
        LakeCorrupted: it was put back to an earlier batch.
        LakeUnavailable: see `totes.lake`.
    """
    ends_before = processed.newest < entry.batch
    newest = entry_of(cursor, processed.newest) if ends_before else entry
    if newest is None:
        return
    if not processed.has(newest):
        last = _last_common(cursor, processed, newest.batch)
        if not last:
            raise processed.another(newest)
        raise put_back(processed.bucket.name, last, entry.batch)
    if ends_before and captured is not None and (last := captured()) < entry.batch:
        raise put_back(processed.bucket.name, last, entry.batch)


def put_back(processed: str, last: int, held: int) -> LakeCorrupted:
    """Return the error to raise of a lake that was put back.

    Args:
        processed: the name of its processed bucket.
        last: the newest batch that it has in common with the warehouse.
        held: the newest batch of the warehouse.
    """
    return LakeCorrupted(
        f"the lake was put back to batch {last}, and the warehouse holds {held}: nothing is loaded from "
        f"s3://{processed} until the manifests of batches {last + 1} to {held} are restored in both buckets; keep the "
        "warehouse, which has what the lake has lost (docs/disasters.md: both buckets were put back)"
    )


def _last_common(cursor: Cursor, processed: ProcessedBucket, other: int) -> int:
    """The newest batch that ledger and bucket have in common, if they differ in one; 0: there is none.

    Each batch names the one before it. So all before a common one are common too, and a few looks find the last.
    """
    common = 0
    while other - common > 1:
        middle = (common + other) // 2
        entry = entry_of(cursor, middle)
        if entry is not None and processed.has(entry):
            common = middle
        else:
            other = middle
    return common
