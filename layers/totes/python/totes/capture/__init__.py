"""Capture: from the source to a batch in the lake."""

from totes.capture.tables import SOURCE_TABLES
from totes.capture.tick import Captured, Pending, capture, pending

__all__ = ["SOURCE_TABLES", "Captured", "Pending", "capture", "pending"]
