"""An error that many pieces end in can be read, and is passed on whole."""

import pytest

from totes.errors import PieceFailed
from totes.lake.pieces import MOST_PIECES, FailedPiece, check_pieces

_MOST_OF_A_CAUSE = 32_768
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html"""


def said_of(errors: list[str]) -> str:
    """What is said where each piece has failed, with these errors."""
    failed = [FailedPiece(of=7, piece=piece, error=error) for piece, error in enumerate(errors)]
    names = [f"purchase_order from key {2**62 + piece} to {2**62 + piece + 1}" for piece in range(len(errors))]
    with pytest.raises(PieceFailed) as failure:
        check_pieces(failed, "plan", lambda _: names, done="read")
    return str(failure.value)


def test_of_very_many_failed_pieces_the_first_are_named_and_the_others_counted_by_error() -> None:
    others = ["LakeUnavailable", "SourceUnavailable"] * 489 + ["LakeUnavailable", "BatchTaken"]
    assert len(others) == MOST_PIECES - 20
    said = said_of(["ContractError"] * 20 + others)
    assert said.startswith("1000 of 1000 pieces of plan 7 could not be read: piece 0 (purchase_order from key ")
    assert "piece 19 (" in said
    assert "piece 20 (" not in said
    assert "): ContractError; 490 more: LakeUnavailable; 489 more: SourceUnavailable; 1 more: BatchTaken; the" in said
    assert len(said) < _MOST_OF_A_CAUSE


def test_a_few_failed_pieces_are_all_named() -> None:
    said = said_of(["SourceUnavailable"] * 20)
    assert said.count("): SourceUnavailable") == 20
    assert "more" not in said
