"""Pieces in which many functions write a batch to a bucket: a source that is read, a batch that is transformed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from totes import payloads
from totes.errors import PieceFailed

MOST_PIECES = 1000
"""Numbers of so many pieces, and what came of each, are far from the 256 KiB that a state of a run may have."""


def check_pieces(
    came_of: Iterable[Mapping[str, Any]],
    of: str,
    named: Callable[[int], Sequence[str]],
    *,
    does: str,
    done: str,
    function: str,
) -> None:
    """Raise where pieces have failed.

    Args:
        came_of: what came of each piece that a run has had done, all of one plan or batch, in the words of
            `totes.payloads`.
        of: what they are pieces of: `payloads.PLAN` or `payloads.BATCH`.
        named: returns what a person calls each piece of a plan or batch, by its number; it is asked where some failed.
        does: what a function does with a piece: "reads".
        done: what is done with a piece then: "read".
        function: the function's name.

    Raises:
        PieceFailed: some have failed; the sentence names each, with its error.
    """
    failures = {each[payloads.PIECE]: each for each in came_of if payloads.ERROR in each}
    if not failures:
        return
    number = next(iter(failures.values()))[of]
    names = dict(enumerate(named(number)))
    said = "; ".join(
        f"piece {piece} ({names.get(piece, 'of another code')}): {failed[payloads.ERROR]}"
        for piece, failed in sorted(failures.items())
    )
    raise PieceFailed(
        f"{len(failures)} of {len(names)} pieces of {of} {number} could not be {done}: {said}; "
        f"the log of {function} says why. The next run {does} what is missing"
    )
