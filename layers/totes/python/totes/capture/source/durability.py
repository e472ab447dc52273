"""A batch is committed only once the source cannot lose what is in it: a crash undoes what was never flushed.

A crash undoes transactions that were committed without waiting for the disk. Their ids are then given out again, as are
those of transactions that were rolled back. A batch that had seen them would have rows that never were, and a horizon
beyond ids that are still to come.
"""

import time
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from totes.capture.source.snapshot import Snapshot
from totes.errors import SourceUnavailable

_POLL_SECONDS = 0.02

_PATIENCE_SECONDS = 60.0
"""With the largest `wal_writer_delay`, ten seconds, PostgreSQL needs thirty."""

_FLUSHED = "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn"
_POSITION = "SELECT pg_current_wal_flush_lsn()::text"
_DELAY = "SELECT setting::integer / 1000.0 FROM pg_settings WHERE name = 'wal_writer_delay'"
_TAKE_AN_ID = "SELECT pg_current_xact_id()::text"


def wait_until_durable(connection: Connection, snapshot: Snapshot) -> None:
    """Wait until all that a snapshot saw is on the source's disk.

    That is so when the log is flushed up to where it was written to as the snapshot was taken. Within three times
    `wal_writer_delay` PostgreSQL flushes the log up to the last transaction that has ended (its manual, "Asynchronous
    Commit"); of one that is still open half a page may stay unflushed for longer. That looks the same as a disk that
    stands still. So after that time a transaction of our own ends, which writes no row: its record comes after the
    position, and has to be flushed too.

    Where the role may not ask for positions, or the server does not tell them, that time is waited for. A standby
    replays only what is flushed.

    Args:
        connection: the source, outside a transaction.
        snapshot: what was read.

    Raises:
        SourceUnavailable: a minute has gone by, and it is not flushed.
        psycopg2.Error: the connection to the source was lost, perhaps by the crash in question.
    """
    if snapshot.source.in_recovery or _is_flushed(connection, snapshot.position):
        return
    began = time.monotonic()
    ordinary = snapshot.taken + 3 * float(_value(connection, _DELAY))
    if snapshot.position is None:
        time.sleep(max(0.0, ordinary - began))
        return
    if _is_flushed_by(ordinary, connection, snapshot.position):
        return
    # Where even this was taken from the role, the half page waits for whatever is written to the log next.
    with suppress(psycopg2.errors.InsufficientPrivilege):
        _value(connection, _TAKE_AN_ID)
    if not _is_flushed_by(began + _PATIENCE_SECONDS, connection, snapshot.position):
        raise SourceUnavailable(
            f"the source has not flushed its log up to {snapshot.position} in {_PATIENCE_SECONDS:.0f} seconds, but to "
            f"{_value(connection, _POSITION)}, and a crash would take back what was read; look at the disk of its log "
            "(pg_wal) and at its WAL writer (the walwriter in pg_stat_activity)"
        )


def _is_flushed_by(deadline: float, connection: Connection, position: str) -> bool:
    while not _is_flushed(connection, position):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _POLL_SECONDS))
    return True


def _is_flushed(connection: Connection, position: str | None) -> bool:
    return position is not None and bool(_value(connection, _FLUSHED, position))


def _value(connection: Connection, query: str, *values: str) -> Any:
    with connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        [[only]] = cursor.fetchall()
    return only
