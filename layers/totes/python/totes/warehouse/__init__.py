"""Warehouse: from a batch of star rows to the database that analysts ask."""

from totes.warehouse.ledger import RowCounts
from totes.warehouse.load import Loaded, Rebuilding, load
from totes.warehouse.migrate import is_source

__all__ = ["Loaded", "Rebuilding", "RowCounts", "is_source", "load"]
