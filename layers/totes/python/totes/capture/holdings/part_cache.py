"""Parts that were read, kept for as long as a reader in the order of keys needs them again."""

from typing import NamedTuple

import polars as pl

from totes.capture import sizes
from totes.lake import Bucket, Part, read_part


class _Kept(NamedTuple):
    """A part that was read: the highest key in it, its rows, and the bytes that they take in memory."""

    highest: int
    frame: pl.DataFrame
    size: int


class PartCache:
    """The parts of one table.

    The next chunk of keys begins within the parts in which this one ends: those are kept, others are forgotten.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: dict[tuple[str, str | None], _Kept] = {}

    def read(self, part: Part, column: str | None = None, up_to: int | None = None) -> pl.DataFrame:
        """Read a part's rows; see `read_part`.

        Args:
            part: the part.
            column: the one column to read; None: all.
            up_to: the highest key that is asked for now, if it is known; a part that ends there is not kept.
        """
        kept = self._kept.get((part.key, column))
        if kept is not None:
            return kept.frame
        frame = read_part(self._bucket, part, [column] if column else None)
        # If there is no room for all that is needed again, keeping what came first saves the most requests.
        read = _Kept(highest=bounds(part)[1], frame=frame, size=int(frame.estimated_size()))
        if (up_to is None or read.highest > up_to) and self._has_room_for(read):
            self._kept[part.key, column] = read
        return frame

    def forget(self, below: int) -> None:
        """Forget the parts all of whose keys are below one: the reader has passed them."""
        self._kept = {place: kept for place, kept in self._kept.items() if kept.highest >= below}

    def _has_room_for(self, read: _Kept) -> bool:
        kept = [*self._kept.values(), read]
        rows, held = sum(each.frame.height for each in kept), sum(each.size for each in kept)
        return rows <= sizes.KEPT_ROWS and held <= sizes.BYTES_AT_ONCE


def bounds(part: Part) -> tuple[int, int]:
    """The lowest and the highest key of a part of captured rows or keys, which always knows them."""
    if part.lowest is None or part.highest is None:
        raise AssertionError(f"{part.key} does not know the range of its keys")
    return part.lowest, part.highest
