"""Rows are copied into a table; those that the database itself refuses are found one by one."""

from totes.warehouse.copying.refused import REFUSES, Refused, copy_all, copy_rows

__all__ = ["REFUSES", "Refused", "copy_all", "copy_rows"]
