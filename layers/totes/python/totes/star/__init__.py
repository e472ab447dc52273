"""Star: from a batch of source rows to a batch of star rows."""

from totes.star.tables import CURRENT_VIEWS, STAR_TABLES
from totes.star.transform import Transformed, replay, transform

__all__ = ["CURRENT_VIEWS", "STAR_TABLES", "Transformed", "replay", "transform"]
