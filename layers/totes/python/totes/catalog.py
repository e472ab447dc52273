"""What several parts ask of a database: is a table there, and how many rows has it?"""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor


def has_table(cursor: Cursor, name: str) -> bool:
    """Whether there is a table or view of this name, its schema's before it.

    Raises:
        psycopg2.Error: the connection to the database was lost, or the role may not use the schema.
    """
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    [[is_there]] = cursor.fetchall()
    return bool(is_there)


def count_rows(cursor: Cursor, table: sql.Composable) -> int:
    """Return how many rows a table has.

    Raises:
        psycopg2.Error: the connection to the database was lost, there is no such table, or the role may not read it.
    """
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
    [[count]] = cursor.fetchall()
    return int(count)
