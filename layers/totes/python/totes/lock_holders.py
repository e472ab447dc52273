"""Who holds the locks that a statement has waited for in vain."""

from collections.abc import Sequence

import psycopg2
from psycopg2.extensions import connection as Connection

# Who has locked rows has locked their table too, in a weaker mode.
# A prepared transaction has no process any more. It is known by the lock on its own id, which is under the same virtual
# transaction; that one's name is not the same in all versions, whatever the documentation says.
_OLDEST_HOLDERS = """
    SELECT DISTINCT held.pid, coalesce(owner, usename), gid, quote_literal(gid),
        to_char(coalesce(prepared, xact_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
    FROM pg_locks AS held
    JOIN pg_class ON pg_class.oid = held.relation
    JOIN pg_database ON pg_database.oid = held.database AND pg_database.datname = current_database()
    LEFT JOIN (
        pg_locks AS own JOIN pg_prepared_xacts
        ON own.locktype = 'transactionid' AND own.pid IS NULL AND own.transactionid = transaction
    ) ON held.pid IS NULL AND own.virtualtransaction = held.virtualtransaction
    LEFT JOIN pg_stat_activity ON pg_stat_activity.pid = held.pid
    WHERE held.granted AND held.locktype = 'relation' AND held.mode = ANY(%s)
        AND held.pid IS DISTINCT FROM pg_backend_pid()
        AND relnamespace IN ('public'::regnamespace, to_regnamespace('etl'))
    ORDER BY since NULLS LAST LIMIT 3
"""


AGAINST_READERS = ("AccessExclusiveLock",)
"""Modes of locks on tables for which a reader waits."""

AGAINST_WRITERS = (
    *("RowShareLock", "RowExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"),
    *AGAINST_READERS,
)
"""Modes for which a writer may wait: those of whoever locks rows, too."""


def lock_holders(connection: Connection, modes: Sequence[str]) -> list[str]:
    """Return who else has locked tables, the oldest first, each in words with what ends it.

    Args:
        connection: the database; its transaction, which has failed, is ended.
        modes: of the locks.

    Returns:
        Three at most; none where nobody has, or the database cannot be asked any more.
    """
    try:
        connection.rollback()
        with connection, connection.cursor() as cursor:
            cursor.execute(_OLDEST_HOLDERS, ([*modes],))
            found = cursor.fetchall()
    except psycopg2.Error:
        return []  # an error is raised in any case, and this would only say more
    return [
        (f"session {pid}" if gid is None else f"prepared transaction {gid}")
        + f" of role {role}{'' if since is None else f' since {since} UTC'}"
        + (f" (SELECT pg_terminate_backend({pid}))" if gid is None else f" (ROLLBACK PREPARED {quoted})")
        for pid, role, gid, quoted, since in found
    ]
