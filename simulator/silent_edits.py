"""Edits by hand, which leave last_updated as it was."""

from psycopg2 import sql

from simulator.event_context import EventContext, NothingToDo
from simulator.orders import any_order, other_date
from simulator.schema import TABLES

_REFERENCES = {"design_id": "design", "staff_id": "staff", "agreed_delivery_location_id": "address"}
_EDITED = {
    "sales_order": ("design_id", "staff_id", "agreed_delivery_date", "agreed_delivery_location_id"),
    "purchase_order": ("item_code", "staff_id", "agreed_delivery_date", "agreed_delivery_location_id"),
}


def order_edited(context: EventContext) -> None:
    """An order is corrected: another design, staff, item, date or place."""
    table, key = any_order(context)
    columns = _EDITED[table]
    column = columns[context.number(0, len(columns) - 1)]
    context.update(table, key, {column: _other_value(context, table, key, column)}, stamped=False)


def design_moved(context: EventContext) -> None:
    """A design's file is put into another folder."""
    design = context.pick("design")
    folder = context.names.folder(other_than=str(context.value("design", design, "file_location")))
    context.update("design", design, {"file_location": folder}, stamped=False)


def touched(context: EventContext) -> None:
    """A row is written again with the same values: PostgreSQL makes a new version of it, and nothing has changed."""
    table, key = any_order(context)
    context.cursor.execute(
        sql.SQL("UPDATE {} SET staff_id = staff_id WHERE {} = %s").format(
            sql.Identifier(table), sql.Identifier(TABLES[table])
        ),
        [key],
    )
    if context.cursor.rowcount == 0:
        raise NothingToDo


def _other_value(context: EventContext, table: str, key: int, column: str) -> object:
    if column == "agreed_delivery_date":
        return other_date(context, table, key)
    if column == "item_code":
        return context.names.item_code()
    return context.pick_other(_REFERENCES[column], context.value(table, key, column))
