"""What hangs on a table, and is carried over to the one that takes its place."""

from totes.warehouse.carried.dependents import Dependents
from totes.warehouse.carried.indexes import Index, Indexes, must_be_possible, must_not_hinder
from totes.warehouse.carried.swap_check import dependents_to_restore
from totes.warehouse.carried.table_settings import TableSettings, of_another

__all__ = [
    "Dependents",
    "Index",
    "Indexes",
    "TableSettings",
    "dependents_to_restore",
    "must_be_possible",
    "must_not_hinder",
    "of_another",
]
