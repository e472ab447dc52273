"""What is there for those who read the star: its current state, the shop's answers, and what each column means."""

from totes.warehouse.for_readers.comments import ensure_comments
from totes.warehouse.for_readers.current_views import (
    create_current_view,
    create_first_current_view,
    ensure_current_views,
)
from totes.warehouse.for_readers.reports import create_report, ensure_reports

__all__ = [
    "create_current_view",
    "create_first_current_view",
    "create_report",
    "ensure_comments",
    "ensure_current_views",
    "ensure_reports",
]
