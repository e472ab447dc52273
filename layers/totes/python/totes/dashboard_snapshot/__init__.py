"""A dashboard snapshot: one state of the warehouse, as files for the dashboard, which needs no server then."""

from totes.dashboard_snapshot.page import put_page
from totes.dashboard_snapshot.publish import Published, publish, say_failed
from totes.lake.folder import Folder

__all__ = ["Folder", "Published", "publish", "put_page", "say_failed"]
