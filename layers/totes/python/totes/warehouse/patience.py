"""How long a change of tables waits for those who use them."""

from psycopg2.extensions import cursor as Cursor

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
