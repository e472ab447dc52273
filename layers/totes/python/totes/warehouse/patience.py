"""How long a change of tables waits for those who use them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor

IN_USE = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)
"""What a change of tables ends with that others read or write for longer than it waits."""

# An autovacuum gives way to whoever has waited for it as long as deadlock_timeout, and needs a moment for that.
_SHORTLY = """
    SELECT set_config('lock_timeout', (setting::bigint + 1000) || 'ms', true)
    FROM pg_settings WHERE name = 'deadlock_timeout'
"""


def wait_shortly(cursor: Cursor) -> None:
    """Let the cursor's transaction wait for a lock only so long that an autovacuum gives way: two seconds by default.

    Whoever comes after it waits behind it, so it gives up soon.
    """
    cursor.execute(_SHORTLY)


@contextmanager
def shortly(cursor: Cursor, expected: tuple[type[Exception], ...]) -> Iterator[None]:
    """A change of tables that waits for their readers only for a moment, and is undone where it ends as expected.

    Args:
        cursor: the warehouse, in a transaction that goes on whatever becomes of the change.
        expected: what it may end with; it is raised again.
    """
    cursor.execute("SELECT current_setting('lock_timeout')")
    [[before]] = cursor.fetchall()
    cursor.execute("SAVEPOINT changing")
    wait_shortly(cursor)
    try:
        yield
    except expected:
        cursor.execute("ROLLBACK TO SAVEPOINT changing")
        cursor.execute("RELEASE SAVEPOINT changing")
        raise
    cursor.execute("RELEASE SAVEPOINT changing")
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (before,))
