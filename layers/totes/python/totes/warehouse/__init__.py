"""Warehouse: from a batch of star rows to the database that analysts ask."""

from totes.warehouse.ledger import RowCounts
from totes.warehouse.loading import Loaded, Rebuilding, load
from totes.warehouse.migrate import is_source
from totes.warehouse.rates import LoadedRates, load_rates

__all__ = ["Loaded", "LoadedRates", "Rebuilding", "RowCounts", "is_source", "load", "load_rates"]
