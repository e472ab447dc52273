"""A batch is committed only once the source could not lose what is in it: a crash takes back what was never flushed.

What committed without waiting for the disk is taken back, and its transaction ids are given out again, as are those of
what was rolled back. A batch that had seen them would have rows that never were, and a horizon beyond ids that are
still to come.
"""

import time
from typing import Any

from psycopg2.extensions import connection as Connection

from totes.capture.snapshot import Snapshot

_POLL_SECONDS = 0.02

_FLUSHED = "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn"
_DELAY = "SELECT setting::integer / 1000.0 FROM pg_settings WHERE name = 'wal_writer_delay'"


def wait_until_durable(connection: Connection, snapshot: Snapshot) -> None:
    """Wait until all that a snapshot saw is on the source's disk.

    That is so when the log is flushed up to where it was written to as the snapshot was taken. Half a page of a
    transaction that is still open may stay unflushed for longer, so three times `wal_writer_delay` are waited for at
    most: in that time what has ended is flushed (PostgreSQL's manual, "Asynchronous Commit"). Where the role may not
    ask for positions, that time is waited for. A standby replays only what is flushed.

    Args:
        connection: the source, outside a transaction.
        snapshot: what was read.

    Raises:
        psycopg2.Error: the source broke off, perhaps by the crash in question.
    """
    if snapshot.source.in_recovery:
        return
    delay = None
    while not _is_flushed(connection, snapshot.position):
        if delay is None:
            delay = float(_value(connection, _DELAY))
        left = snapshot.taken + 3 * delay - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, _POLL_SECONDS if snapshot.position else left))


def _is_flushed(connection: Connection, position: str | None) -> bool:
    return position is not None and bool(_value(connection, _FLUSHED, position))


def _value(connection: Connection, query: str, *values: str) -> Any:
    with connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        [[only]] = cursor.fetchall()
    return only
