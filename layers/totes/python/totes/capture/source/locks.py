"""The locks of the tables that are read: had all at once, and given up for who waits to change a table."""

import time
from collections.abc import Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.source_schema import SourceTable
from totes.errors import SourceUnavailable
from totes.sqlstate import first_line

_LOCK_WAIT = "200ms"
"""How long one attempt at the locks waits: far less than `deadlock_timeout` (a second), after which PostgreSQL looks
for a deadlock and ends whoever finds one. Whoever wants a lock that the attempt has waits as long."""

_PAUSE_SECONDS = 0.8
"""How long nothing is held between two attempts."""

PATIENCE_SECONDS = 60.0
"""How long the locks are tried for."""

# Who waits for a table that is read makes everybody wait who comes after, also those who would only read it.
_WAITS = """
    SELECT class.relname, waiting.pid
    FROM pg_locks AS waiting
    JOIN pg_locks AS held USING (locktype, database, relation)
    JOIN pg_class AS class ON class.oid = relation
    WHERE locktype = 'relation' AND NOT waiting.granted AND waiting.mode = 'AccessExclusiveLock'
      AND held.granted AND held.pid = pg_backend_pid()
    LIMIT 1
"""

_LOCK = sql.SQL("""
    SET LOCAL lock_timeout = {wait};
    LOCK TABLE {tables} IN ACCESS SHARE MODE;
    SET LOCAL lock_timeout TO DEFAULT
""")

_NOT_TO_BE_LOCKED = (
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.InvalidSchemaName,
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.WrongObjectType,
)


def lock(connection: Connection, tables: Sequence[SourceTable]) -> str | None:
    """Begin a transaction by locking tables, which takes no snapshot yet; return why they could not be locked.

    Args:
        connection: the source, outside a transaction.
        tables: the tables; where there are none, no transaction begins.

    Raises:
        psycopg2.Error: the connection was lost; somebody else's lock was in the way for a minute.
    """
    if not tables:
        return None
    names = sql.SQL(", ").join(sql.Identifier("public", table.source_name) for table in tables)
    statement = _LOCK.format(wait=sql.Literal(_LOCK_WAIT), tables=names)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.Error as error:
            connection.rollback()
            if isinstance(error, _NOT_TO_BE_LOCKED):
                return first_line(error)
            if not isinstance(error, psycopg2.errors.LockNotAvailable) or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return None


def give_way(connection: Connection) -> None:
    """Raise SourceUnavailable where somebody waits to change a table that this session has locked."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITS)
        waits = cursor.fetchone()
    if waits:
        table, process = waits
        raise SourceUnavailable(
            f"process {process} of the source waits for table {table}, to change it: it goes first, and what was "
            "read so far is read again"
        )
