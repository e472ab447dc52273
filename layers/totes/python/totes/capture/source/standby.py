"""Whether a standby follows its primary: one that does not shows the shop as it was, and looks like any other.

A standby cannot know what it has not received. What it does know is asked here, before a snapshot is taken of it: that
somebody has paused its replay, that it has received more than it has replayed, that it receives nothing.
"""

import time

from psycopg2.extensions import connection as Connection

from totes.errors import SourceUnavailable

STALE_SECONDS = 600.0
"""How old the last commit that was replayed is before a standby counts as behind. With a tick's five minutes that makes
the fifteen of the alarm for lag, half of what the warehouse may be behind."""

PATIENCE_SECONDS = 20.0
"""How long it may take to replay what was received, or to find the primary again: after a quiet night the last commit
is old, and the first one of the day is received a moment before it is replayed."""

_POLL_SECONDS = 0.5

# One that is to be a little late (recovery_min_apply_delay, in milliseconds) is behind after each quiet spell.
# Of the receiver every role sees whether there is one. A standby that replays an archive has never had one, and one
# that may turn to an archive (restore_command) can do without.
_STATE = """
    SELECT pg_is_wal_replay_paused(),
           coalesce(%(received)s::pg_lsn, pg_last_wal_receive_lsn()) > pg_last_wal_replay_lsn()
               AND (SELECT setting::bigint NOT BETWEEN 1 AND %(delay)s FROM pg_settings
                    WHERE name = 'recovery_min_apply_delay'),
           pg_last_wal_receive_lsn() IS NOT NULL AND current_setting('restore_command') = ''
               AND (SELECT pid FROM pg_stat_get_wal_receiver()) IS NULL,
           pg_last_wal_receive_lsn()::text, pg_last_wal_replay_lsn()::text,
           extract(epoch FROM clock_timestamp()
               - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))
"""

_OR = "or name its primary in the secret (totes secrets set source)"


def check_follows(connection: Connection) -> str | None:
    """Return up to where a standby has replayed its primary's log; None: it has replayed nothing yet.

    Args:
        connection: the standby, outside a transaction, of which each statement is one.

    Raises:
        SourceUnavailable: it does not follow its primary.
        psycopg2.Error: the connection was lost, or the server does not tell.
    """
    received, deadline = None, time.monotonic() + PATIENCE_SECONDS
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_STATE, {"received": received, "delay": STALE_SECONDS * 1000})
            [(paused, behind, cut_off, now_received, replayed, age)] = cursor.fetchall()
        if paused:
            raise SourceUnavailable(
                f"the source is a standby whose replay is paused, at {replayed}, so it shows the shop as it was then; "
                f"resume it (SELECT pg_wal_replay_resume()), {_OR}"
            )
        if age < STALE_SECONDS or not (behind or cut_off):
            return None if replayed is None else str(replayed)
        received = received or now_received
        if time.monotonic() >= deadline:
            raise SourceUnavailable(_complaint(received, replayed, float(age) / 60, cut_off=cut_off))
        time.sleep(_POLL_SECONDS)


def _complaint(received: str, replayed: str, minutes: float, *, cut_off: bool) -> str:
    old = f"the last commit that it has replayed is {minutes:.0f} minutes old"
    if cut_off:
        return (
            f"the source is a standby that receives nothing from its primary, and {old}; its log says why it does not "
            f"(WAL receiver): cure that, {_OR}"
        )
    return (
        f"the source is a standby that has received up to {received} and replayed up to {replayed}, and {old}; look "
        f"for what holds its replay up (a long query, recovery_min_apply_delay), {_OR}"
    )
