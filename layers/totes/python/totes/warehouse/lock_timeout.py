"""How long a change of tables waits for those who use them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.savepoints import savepoint

IN_USE = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)
"""Errors that PostgreSQL raises when others use a table for longer than a change of it waits."""

# An autovacuum ends when somebody has waited for it as long as deadlock_timeout, and needs a moment for that.
_SHORT_LOCK_TIMEOUT = """
    SELECT set_config('lock_timeout', (setting::bigint + 1000) || 'ms', true)
    FROM pg_settings WHERE name = 'deadlock_timeout'
"""

# A worker of autovacuum has no role, and ends for who waits for a lock of its own.
_USERS = """
    SELECT DISTINCT virtualtransaction FROM pg_locks LEFT JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
    WHERE granted AND relation = ANY(%s::text[]::regclass[])
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pg_locks.pid IS DISTINCT FROM pg_backend_pid() AND (pg_locks.pid IS NULL OR usesysid IS NOT NULL)
"""

_PAUSE = 0.05


def set_short_lock_timeout(cursor: Cursor) -> None:
    """Let the cursor's transaction wait for a lock only until an autovacuum has ended: two seconds by default.

    All who ask for the table later wait behind it, so it gives up soon.
    """
    cursor.execute(_SHORT_LOCK_TIMEOUT)


def users_are_gone(cursor: Cursor, names: Sequence[sql.Composable]) -> bool:
    """Wait until the transactions have ended that use tables now, for as long as the transaction's lock timeout.

    Meanwhile nothing is locked, so that nobody waits, or is ended by a deadlock.

    Args:
        cursor: the warehouse.
        names: the tables.

    Returns:
        Whether they have.
    """
    cursor.execute("SELECT setting::integer / 1000.0 FROM pg_settings WHERE name = 'lock_timeout'")
    [[seconds]] = cursor.fetchall()
    until, tables = time.monotonic() + float(seconds), [name.as_string(cursor) for name in names]
    left = _users(cursor, tables)
    while left and time.monotonic() < until:
        time.sleep(_PAUSE)
        left &= _users(cursor, tables)
    return not left


def _users(cursor: Cursor, tables: list[str]) -> set[str]:
    cursor.execute(_USERS, [tables])
    return {transaction for (transaction,) in cursor.fetchall()}


@contextmanager
def short_lock_timeout(cursor: Cursor) -> Iterator[None]:
    """Run a change of tables with a short lock timeout. If it ends with an error, undo it and raise the error again.

    The cursor's transaction can go on after that.
    """
    cursor.execute("SELECT current_setting('lock_timeout')")
    [[before]] = cursor.fetchall()
    with savepoint(cursor):  # which takes back the timeout too
        set_short_lock_timeout(cursor)
        yield
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (before,))
