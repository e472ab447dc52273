"""How long a change of tables waits for those who use them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor

from totes.savepoints import savepoint

IN_USE = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)
"""Errors that PostgreSQL raises when others use a table for longer than a change of it waits."""

# An autovacuum ends when somebody has waited for it as long as deadlock_timeout, and needs a moment for that.
_SHORT_LOCK_TIMEOUT = """
    SELECT set_config('lock_timeout', (setting::bigint + 1000) || 'ms', true)
    FROM pg_settings WHERE name = 'deadlock_timeout'
"""


def set_short_lock_timeout(cursor: Cursor) -> None:
    """Let the cursor's transaction wait for a lock only until an autovacuum has ended: two seconds by default.

    All who ask for the table later wait behind it, so it gives up soon.
    """
    cursor.execute(_SHORT_LOCK_TIMEOUT)


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
