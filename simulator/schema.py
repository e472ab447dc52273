"""The tables of totesys."""

from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_HERE = Path(__file__).parent

TABLES = {
    "address": "address_id",
    "counterparty": "counterparty_id",
    "currency": "currency_id",
    "department": "department_id",
    "design": "design_id",
    "payment": "payment_id",
    "payment_type": "payment_type_id",
    "purchase_order": "purchase_order_id",
    "sales_order": "sales_order_id",
    "staff": "staff_id",
    "transaction": "transaction_id",
}
"""The shop's tables and their keys."""

MIGRATIONS = "_prisma_migrations"
"""The table that the application's own tooling keeps beside them."""


TYPES = ("PaymentTypeName", "TransactionType")
"""The enumerations that their columns have."""


def tables_in_the_way(cursor: Cursor) -> list[str]:
    """Name those of totesys' tables that are there already."""
    cursor.execute(
        "SELECT relname FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) ORDER BY relname",
        [[*TABLES, MIGRATIONS]],
    )
    return [name for (name,) in cursor.fetchall()]


def create_tables(cursor: Cursor) -> None:
    """Create the tables, without keys."""
    cursor.execute((_HERE / "tables.sql").read_text(encoding="utf-8"))


def drop_tables(cursor: Cursor) -> None:
    """Drop what there is of the tables, and of all that was made for them, however it comes to be there."""
    for table in (*TABLES, MIGRATIONS):
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier("public", table)))
    for name in TYPES:
        cursor.execute(sql.SQL("DROP TYPE IF EXISTS {}").format(sql.Identifier("public", name)))


def add_keys(cursor: Cursor) -> None:
    """Give the tables their keys, and their sequences the ids that follow."""
    cursor.execute((_HERE / "keys.sql").read_text(encoding="utf-8"))
    for table, key in TABLES.items():
        cursor.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}").format(
                sql.Literal(table), sql.Literal(key), sql.Identifier(key), sql.Identifier(table)
            )
        )


def gather_statistics(cursor: Cursor) -> None:
    """Tell the planner what the tables hold."""
    for table in TABLES:
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
