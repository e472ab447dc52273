"""Capture: from the source to a batch in the lake."""

from totes.capture.tables import SOURCE_TABLES
from totes.capture.tick import Captured, capture

__all__ = ["SOURCE_TABLES", "Captured", "capture"]
