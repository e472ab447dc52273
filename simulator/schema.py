"""The tables of totesys."""

import re
from collections.abc import Sequence
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.capture import SOURCE_TABLES
from totes.capture.source_schema import SourceTable
from totes.errors import UserError

_HERE = Path(__file__).parent

TABLES = {table.name: table.key for table in SOURCE_TABLES}
"""The shop's tables and their keys: those that totes reads."""

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


def lacking(tables: Sequence[SourceTable]) -> list[str]:
    """Say what tables.sql and keys.sql lack of the tables that totes reads: a sentence each, which names the file."""
    ddl, keys = ((_HERE / file).read_text(encoding="utf-8") for file in ("tables.sql", "keys.sql"))
    bodies = dict(re.findall(r"^CREATE TABLE (\w+) \(\n(.*?)^\);", ddl, flags=re.MULTILINE | re.DOTALL))
    sentences = []
    for table in tables:
        if table.name not in bodies:
            sentences.append(f"simulator/tables.sql lacks the table {table.name}, which totes reads")
            continue
        columns = re.findall(r"^ +(\w+) ", bodies[table.name], flags=re.MULTILINE)
        sentences += [
            f"simulator/tables.sql lacks the column {table.name}.{column}, which totes reads"
            for column in table.columns
            if column not in columns
        ]
        key = rf"ALTER TABLE {table.name}\s+ADD PRIMARY KEY \({table.key}\)"
        if not re.search(key, keys):
            sentences.append(f"simulator/keys.sql lacks the primary key {table.name}.{table.key}")
    return sentences


def create_tables(cursor: Cursor) -> None:
    """Create the tables, without keys.

    Raises:
        UserError: totes reads what the simulator lacks.
    """
    if sentences := lacking(SOURCE_TABLES):
        raise UserError(f"the simulator cannot build this shop: {'; '.join(sentences)}")
    cursor.execute((_HERE / "tables.sql").read_text(encoding="utf-8"))


def drop_tables(cursor: Cursor) -> None:
    """Drop those of the tables that are there, and all that was made for them."""
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
