"""The star as Athena reads it: the processed bucket's own parquet, by lists of what the manifests name."""

from totes.athena.lists import FOLDER, Listed, write_lists
from totes.athena.tables import Field, Kept, View, kept_of, views_of

__all__ = ["FOLDER", "Field", "Kept", "Listed", "View", "kept_of", "views_of", "write_lists"]
