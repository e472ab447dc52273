"""Snapshot: what the warehouse says, published as files for the dashboard: one consistent state, without a server."""

from totes.snapshot.publish import Published, publish, say_failed
from totes.snapshot.shelf import Shelf

__all__ = ["Published", "Shelf", "publish", "say_failed"]
