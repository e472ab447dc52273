"""Capture: from the source to a batch in the lake."""

from totes.capture.batch import Captured, Pending, capture, pending, stopped_by
from totes.capture.pieces.reader import read_piece
from totes.capture.tables import SOURCE_TABLES

__all__ = ["SOURCE_TABLES", "Captured", "Pending", "capture", "pending", "read_piece", "stopped_by"]
