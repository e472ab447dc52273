"""Parts that were read, kept for as long as a reader in the order of keys needs them again."""

import polars as pl

from totes.capture import sizes
from totes.lake import Bucket, Part, read_part


class PartCache:
    """The parts of one table.

    The next chunk of keys begins within the parts in which this one ends: those are kept, others are forgotten.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: dict[tuple[str, str | None], tuple[int, pl.DataFrame]] = {}
        self._rows = 0
        self._bytes = 0

    def read(self, part: Part, column: str | None = None, up_to: int | None = None) -> pl.DataFrame:
        """Read a part's rows; see `read_part`.

        Args:
            part: the part.
            column: the one column to read; None: all.
            up_to: the highest key that is asked for now, if it is known; a part that ends there is not kept.
        """
        kept = self._kept.get((part.key, column))
        if kept is not None:
            return kept[1]
        frame = read_part(self._bucket, part, [column] if column else None)
        # Where not all that is needed again can be kept, to keep what came first spares the most requests.
        highest = bounds(part)[1]
        if (up_to is None or highest > up_to) and self._has_room_for(frame):
            self._kept[part.key, column] = highest, frame
            self._rows += frame.height
            self._bytes += int(frame.estimated_size())
        return frame

    def forget(self, below: int) -> None:
        """Forget the parts all of whose keys are below one: the reader has passed them."""
        self._kept = {place: kept for place, kept in self._kept.items() if kept[0] >= below}
        self._rows = sum(frame.height for _, frame in self._kept.values())
        self._bytes = sum(int(frame.estimated_size()) for _, frame in self._kept.values())

    def _has_room_for(self, frame: pl.DataFrame) -> bool:
        rows, held = self._rows + frame.height, self._bytes + frame.estimated_size()
        return rows <= sizes.KEPT_ROWS and held <= sizes.BYTES_AT_ONCE


def bounds(part: Part) -> tuple[int, int]:
    """The lowest and the highest key of a part of captured rows or keys, which always knows them."""
    if part.lowest is None or part.highest is None:
        raise AssertionError(f"{part.key} does not know the range of its keys")
    return part.lowest, part.highest
