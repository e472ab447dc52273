"""Capture: from the source to a batch in the lake."""

from totes.capture.batch import Captured, Pending, capture, pending
from totes.capture.pieces import read_piece
from totes.capture.tables import SOURCE_TABLES
from totes.capture.together import Unread

__all__ = ["SOURCE_TABLES", "Captured", "Pending", "Unread", "capture", "pending", "read_piece"]
