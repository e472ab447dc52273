"""Pieces in which many functions write a batch to a bucket: a source that is read, a batch that is transformed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from totes.errors import PieceFailed

MOST_PIECES = 1000
"""How many pieces one run does: it carries their numbers, and what came of each, from step to step."""

_MOST_NAMED = 20
"""How many pieces an error names: Step Functions takes 32,768 characters of an error's cause, and people read fewer
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html)."""


@dataclass(frozen=True, kw_only=True)
class PiecesLeft:
    """Pieces that are to be done before there is a batch.

    Attributes:
        of: the number of the plan, or of the batch, that they are pieces of.
        pieces: their places in it.
    """

    of: int
    pieces: tuple[int, ...]

    @classmethod
    def first(cls, of: int, left: Sequence[int]) -> Self:
        """Return the first of the pieces that are left, as many as one run does; the next answer names more."""
        return cls(of=of, pieces=tuple(left[:MOST_PIECES]))


@dataclass(frozen=True, kw_only=True)
class FailedPiece:
    """A piece that could not be done.

    Attributes:
        of: the number of the plan, or of the batch, that it is a piece of.
        piece: its place in it.
        error: the name of the error that it has failed with.
    """

    of: int
    piece: int
    error: str


def check_pieces(
    failed: Sequence[FailedPiece], of: Literal["plan", "batch"], named: Callable[[int], Sequence[str]], *, done: str
) -> None:
    """Raise where pieces have failed.

    Args:
        failed: pieces of a run that could not be done, all of one plan or batch.
        of: what they are pieces of.
        named: returns what a person calls each piece of a plan or batch, by its number; it is asked where some failed.
        done: what is done with a piece: "read".

    Raises:
        PieceFailed: some have failed; the sentence names the first twenty, with their errors, and counts the others.
    """
    if not failed:
        return
    number = failed[0].of
    names = dict(enumerate(named(number)))
    errors = sorted({each.piece: each.error for each in failed}.items())
    said = [f"piece {piece} ({names.get(piece, 'of another code')}): {error}" for piece, error in errors[:_MOST_NAMED]]
    said += [
        f"{more} more: {error}" for error, more in Counter(error for _, error in errors[_MOST_NAMED:]).most_common()
    ]
    raise PieceFailed(
        f"{len(errors)} of {len(names)} pieces of {of} {number} could not be {done}: {'; '.join(said)}; the "
        "function's log says why. The next run does what is missing"
    )
