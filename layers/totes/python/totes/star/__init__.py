"""Star: from a batch of source rows to a batch of star rows."""

from totes.star.code import fingerprint
from totes.star.pieces import transform_piece
from totes.star.replay import Replayed, how_far, replay
from totes.star.tables import READABLE, STAR_TABLES
from totes.star.transform import Transformed, transform

__all__ = [
    "READABLE",
    "STAR_TABLES",
    "Replayed",
    "Transformed",
    "fingerprint",
    "how_far",
    "replay",
    "transform",
    "transform_piece",
]
