"""Edits by hand, which leave last_updated as it was."""

from psycopg2 import sql

from workbench.simulator.desk import Desk, NothingToDo
from workbench.simulator.orders import any_order, other_date
from workbench.simulator.schema import TABLES

_REFERENCES = {"design_id": "design", "staff_id": "staff", "agreed_delivery_location_id": "address"}
_EDITED = {
    "sales_order": ("design_id", "staff_id", "agreed_delivery_date", "agreed_delivery_location_id"),
    "purchase_order": ("item_code", "staff_id", "agreed_delivery_date", "agreed_delivery_location_id"),
}


def order_edited(desk: Desk) -> None:
    """An order is put right: another design, staff, item, date or place."""
    table, key = any_order(desk)
    columns = _EDITED[table]
    column = columns[desk.number(0, len(columns) - 1)]
    desk.update(table, key, {column: _other_value(desk, table, key, column)}, stamped=False)


def design_moved(desk: Desk) -> None:
    """A design's file is put into another folder."""
    design = desk.pick("design")
    folder = desk.names.folder(other_than=str(desk.value("design", design, "file_location")))
    desk.update("design", design, {"file_location": folder}, stamped=False)


def touched(desk: Desk) -> None:
    """A row is written as it was: PostgreSQL keeps a new version of it, and nothing has changed."""
    table, key = any_order(desk)
    desk.cursor.execute(
        sql.SQL("UPDATE {} SET staff_id = staff_id WHERE {} = %s").format(
            sql.Identifier(table), sql.Identifier(TABLES[table])
        ),
        [key],
    )
    if desk.cursor.rowcount == 0:
        raise NothingToDo


def _other_value(desk: Desk, table: str, key: int, column: str) -> object:
    if column == "agreed_delivery_date":
        return other_date(desk, table, key)
    if column == "item_code":
        return desk.names.item_code()
    return desk.pick_other(_REFERENCES[column], desk.value(table, key, column))
