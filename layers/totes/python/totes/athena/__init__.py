"""The star as Athena reads it: the processed bucket's own parquet, by lists of what the manifests name."""

from totes.athena.lists import FOLDER, ListProgress, write_lists
from totes.athena.tables import Field, Kept, View, kept_of, views_of

__all__ = ["FOLDER", "Field", "Kept", "ListProgress", "View", "kept_of", "views_of", "write_lists"]
