"""Whether the server has room for a rebuild: that is tried where nothing but a statement fails for want of it."""

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.savepoints import dry_run, savepoint

NO_ROOM = (psycopg2.errors.DiskFull, psycopg2.errors.ConfigurationLimitExceeded)
"""Errors of a server that has no room: its disk is full, or temp_file_limit is reached."""

_BESIDE = 2
"""How many times the live warehouse a rebuild needs beside it, as measured (docs/costs.md), without the log."""

_WRITTEN = 4
"""What is written while a star table is built, in sizes of its staged rows: the table, two sorts and the log."""

# A page a row. A temporary table is not in the log. Long texts lie beside a table, in a file of their own.
_TRY = """
    CREATE TEMPORARY TABLE pg_temp.room (page text);
    ALTER TABLE pg_temp.room ALTER COLUMN page SET STORAGE PLAIN;
    INSERT INTO pg_temp.room SELECT repeat('x', 8000) FROM generate_series(1, %s * pg_table_size(%s) / 8192);
"""


def must_have_room(cursor: Cursor, staged: sql.Identifier) -> None:
    """Try whether the disk has room to build a star table: write as much, and take it back.

    A server that finds no room for its log crashes, and takes everybody's sessions with it. One that finds none for a
    table refuses the statement. On Aurora neither log nor tables are on a disk of the server's, and a temporary table
    fills the instance's small local storage: so nothing is tried there.

    Args:
        cursor: the warehouse.
        staged: the rows that the table is built from.

    Raises:
        psycopg2.errors.DiskFull: there is no room.
    """
    if _is_aurora(cursor):
        return
    with dry_run(cursor):
        cursor.execute(_TRY, (_WRITTEN, staged.as_string(cursor)))


def database_bytes(cursor: Cursor) -> int:
    """Return how much of the disk the warehouse's database takes."""
    cursor.execute("SELECT pg_database_size(current_database())")
    [[size]] = cursor.fetchall()
    return int(size)


def how_much(cursor: Cursor, *, live: int, made: int) -> str:
    """Return in words how much room a rebuild needs.

    Args:
        cursor: the warehouse.
        live: the bytes of the database without the rebuild's tables.
        made: the bytes of these when there was no more room.
    """
    cursor.execute("SELECT pg_size_pretty(%s::bigint), pg_size_pretty(%s::bigint)", (max(_BESIDE * live, made), live))
    [[needed, held]] = cursor.fetchall()
    if _is_aurora(cursor):
        return f"its sorts need {needed} at most in the instance's local storage, of which a larger class has more"
    return f"it needs {needed} or more beside the {held} of the database, and room for the server's log"


def _is_aurora(cursor: Cursor) -> bool:
    """Whether the server is Aurora, by a function that only Aurora has; its catalog does not always list that one."""
    try:
        with savepoint(cursor):
            cursor.execute("SELECT pg_catalog.aurora_version()")
    except psycopg2.errors.UndefinedFunction:
        return False
    return True
