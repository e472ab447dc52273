"""Snapshot: what the warehouse says, published as files for the dashboard: one consistent state, without a server."""

from totes.lake.shelf import Shelf
from totes.snapshot.page import put_page
from totes.snapshot.publish import Published, publish, say_failed

DATA = "data/"
"""Where the snapshots lie in the dashboard's bucket."""

SITE = "site/"
"""Where the page lies."""

__all__ = ["DATA", "SITE", "Published", "Shelf", "publish", "put_page", "say_failed"]
