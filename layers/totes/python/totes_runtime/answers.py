"""What functions are asked and answer, in the words of `totes.payloads`, of what the library takes and returns."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from totes import payloads
from totes.lake import FailedPiece, PiecesLeft

if TYPE_CHECKING:  # a function imports its own part of the library alone
    from totes.capture import Captured
    from totes.star import Transformed


def capture_answer(captured: "Captured") -> dict[str, Any]:
    """Return what the capture's function answers."""
    answer = {payloads.BATCH: captured.batch, payloads.NEWEST: captured.newest}
    if captured.unread is None:
        return answer
    return {**answer, payloads.UNREAD: pieces_left(captured.unread, payloads.PLAN)}


def transform_answer(transformed: "Transformed") -> dict[str, Any]:
    """Return what the transform's function answers of the batches that wait; a replay's progress comes beside it."""
    answer = {
        payloads.TRANSFORMED: asdict(transformed.batches),
        payloads.NEWEST: transformed.newest,
        payloads.CAPTURED: transformed.captured,
    }
    if transformed.untransformed is None:
        return answer
    return {**answer, payloads.UNTRANSFORMED: pieces_left(transformed.untransformed, payloads.BATCH)}


def pieces_left(left: PiecesLeft, of: str) -> dict[str, Any]:
    """Return what a function answers of pieces that are to be done first.

    Args:
        left: the pieces.
        of: what they are pieces of: `payloads.PLAN` or `payloads.BATCH`.
    """
    return {of: left.of, payloads.PIECES: left.pieces}


def failed_pieces(came_of: Iterable[Mapping[str, Any]], of: str) -> list[FailedPiece]:
    """Return the pieces of a run that have failed.

    Args:
        came_of: what came of each piece, as the event says it.
        of: what they are pieces of: `payloads.PLAN` or `payloads.BATCH`.
    """
    return [
        FailedPiece(of=each[of], piece=each[payloads.PIECE], error=each[payloads.ERROR])
        for each in came_of
        if payloads.ERROR in each
    ]
