"""The tables that are there, compared with their definitions and changed in place, so that a load can go on."""

from totes.warehouse.migrate.existing import columns_and_keys
from totes.warehouse.migrate.ledger import is_source
from totes.warehouse.migrate.star_columns import remember_columns
from totes.warehouse.migrate.tables import SchemaCheck, ensure_tables

__all__ = ["SchemaCheck", "columns_and_keys", "ensure_tables", "is_source", "remember_columns"]
