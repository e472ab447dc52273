"""Snapshot: one consistent state of the warehouse, published as files for the dashboard, which needs no server then."""

from totes.lake.folder import Folder
from totes.snapshot.page import put_page
from totes.snapshot.publish import Published, publish, say_failed

__all__ = ["Folder", "Published", "publish", "put_page", "say_failed"]
