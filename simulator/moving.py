"""Moves a shop's history to the present: it is built to end long ago, and a dashboard is about yesterday."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from simulator.connections import connect
from totes.errors import UserError
from totes.sqlstate import first_line

_AGREED = {
    "sales_order": ("agreed_delivery_date", "agreed_payment_date"),
    "purchase_order": ("agreed_delivery_date", "agreed_payment_date"),
    "payment": ("payment_date",),
    "transaction": (),
}
"""The tables of what has happened, each with its days that are text."""


def move_to_yesterday(uri: str) -> None:
    """Move all that has happened in a shop by as many days as it takes for the last sale to be of yesterday (UTC).

    Args:
        uri: of the database; nothing has been written into it since it was built.

    Raises:
        UserError: the database cannot be reached, is no shop or refuses what is asked of it; it is left as it was.
    """
    with closing(connect(uri)) as connection:
        try:
            with connection, connection.cursor() as cursor:
                _move(cursor)
        except psycopg2.Error as error:
            raise UserError(f"the shop's history was not moved: {first_line(error)}") from error


def _move(cursor: Cursor) -> None:
    cursor.execute("SELECT max(created_at)::date FROM sales_order")
    [[last]] = cursor.fetchall()
    by = datetime.now(UTC).date() - timedelta(days=1) - last
    for table, agreed in _AGREED.items():
        moments = [
            sql.SQL("{0} = {0} + %(by)s").format(sql.Identifier(name)) for name in ("created_at", "last_updated")
        ]
        days = [sql.SQL("{0} = ({0}::date + %(by)s)::date::text").format(sql.Identifier(name)) for name in agreed]
        cursor.execute(
            sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), sql.SQL(", ").join([*moments, *days])),
            {"by": by},
        )
