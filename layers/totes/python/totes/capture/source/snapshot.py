"""One consistent state of the source, who that source is, and which of its rows may be new."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.capture.source import locks, standby
from totes.capture.source.names import must_be_as_before, versions_of_names
from totes.capture.source_schema import SourceTable
from totes.copy_out import OneOf
from totes.errors import SourceUnavailable
from totes.lake import CaptureManifest, SourceIdentity

_HALF_THE_IDS = 2**31
_MARGIN = 2**24
"""Transaction ids wrap around at 2**32, so two ids can be ordered only if less than 2**31 apart. The margin keeps away
from that limit."""

NAMED_IDS = 4096
"""So many transactions are named one by one at most: the statement for each table names them all."""

EVERY_ROW, NO_ROW = sql.SQL("true"), sql.SQL("false")
"""SQL conditions on rows."""

_FIRST_NORMAL_ID = 3
"""In each round of 2**32 ids, those below this belong to no transaction."""

_GIVES_WAY_AFTER_SECONDS = 1.0
"""From this age on a snapshot gives way: a younger one is over before it would be worth a question."""

# The functions of the state are open to every role; those that tell positions are too, unless somebody took them away.
_ABILITIES = """
    SELECT pg_is_in_recovery(),
           (SELECT bool_and(has_function_privilege(name, 'EXECUTE')) FROM unnest(ARRAY[
               'pg_last_wal_replay_lsn()', 'pg_last_wal_receive_lsn()', 'pg_is_wal_replay_paused()',
               'pg_last_xact_replay_timestamp()', 'pg_stat_get_wal_receiver()'
           ]) AS name),
           has_function_privilege('pg_last_wal_replay_lsn()', 'EXECUTE'),
           has_function_privilege('pg_current_wal_insert_lsn()', 'EXECUTE')
               AND has_function_privilege('pg_current_wal_flush_lsn()', 'EXECUTE')
"""
_REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"
_WRITTEN = "SELECT greatest(pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn())::text"

# Aurora has these functions and refuses to answer: a writer where wal_level is not logical, a reader always.
# https://github.com/DataDog/integrations-core/pull/20490, https://github.com/ankane/pghero/issues/168
_TELLS_NO_POSITION = (psycopg2.errors.ObjectNotInPrerequisiteState, psycopg2.errors.FeatureNotSupported)

_STATE = """
    SELECT pg_snapshot_xmin(snapshot)::text, pg_snapshot_xmax(snapshot)::text,
           system.system_identifier::text, checkpoint.timeline_id, database.oid::bigint,
           extract(epoch FROM pg_postmaster_start_time())::text, pg_is_in_recovery(), {position}::text
    FROM pg_current_snapshot() AS snapshot, pg_control_system() AS system, pg_control_checkpoint() AS checkpoint,
         pg_database AS database
    WHERE database.datname = current_database()
"""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A REPEATABLE READ snapshot of the source, open on `connection`.

    Attributes:
        connection: the connection that reads it; all that it reads is of this one state.
        horizon: the oldest transaction (64-bit id) that was still open; all before it are in the snapshot.
        ceiling: one past the newest transaction that has ended; one with this id, or a later, may be open.
        source: which database it is.
        position: a place in the source's log that the snapshot is not beyond; None: the role may not ask, or the server
            does not tell.
        replayed: a place in the log that it is not behind, of a standby; None as there, or of no standby.
        host: the name by which the source was reached; None: it has none.
        taken: when it was taken, by the clock of time.monotonic.
        unlocked: why the tables could not be locked; None: they are.
    """

    connection: Connection
    horizon: int
    ceiling: int
    source: SourceIdentity
    position: str | None = None
    replayed: str | None = None
    host: str | None = None
    taken: float = 0.0
    unlocked: str | None = None

    @contextmanager
    def reading(self, table: str) -> Iterator[Cursor]:
        """A cursor for statements that read a table of the shop; where one is refused, the error names the table.

        A migration waits for whoever reads, and the whole shop for the migration. So whoever has read for long looks
        first whether somebody waits for a table that is locked here: that costs some milliseconds, and no right.

        Raises:
            SourceUnavailable: somebody waits.
        """
        if time.monotonic() - self.taken >= _GIVES_WAY_AFTER_SECONDS:
            locks.give_way(self.connection)
        with self.connection.cursor() as cursor:
            try:
                yield cursor
            except psycopg2.Error as error:
                error.add_note(f"as table {table} was read")
                raise

    def may_be_new(self, last: CaptureManifest | None) -> sql.Composable:
        """Return the SQL condition on a row that holds for each row which the last batch may not have seen.

        A row's xmin is the transaction that wrote it. What that batch could not see was written by a transaction
        not older than its horizon, whatever the row's own time stamps say and whenever it was committed. Where
        older ids cannot be compared with today's (no last batch, another database, a restored or promoted one, too
        many transactions since), every row may be new.
        """
        if last is None or not self.continues(last):
            return EVERY_ROW
        if self.is_as_it_was(last):
            return NO_ROW
        if self.ceiling - last.horizon <= NAMED_IDS:
            # PostgreSQL looks a row's transaction up in a hash of these, by several workers at once; for ages only one
            # of them may ask: https://www.postgresql.org/docs/current/parallel-safety.html
            ids = (number % 2**32 for number in range(last.horizon, self.ceiling))
            return sql.SQL("xmin {}").format(OneOf((number for number in ids if number >= _FIRST_NORMAL_ID), "xid"))
        # An age beyond half of the ids is negative: of a row that was frozen long ago, and is not new. The horizon's
        # own is asked for once and not for each row.
        return sql.SQL("(age(xmin) <= (SELECT age({}::xid)) AND age(xmin) >= 0)").format(
            sql.Literal(str(last.horizon % 2**32))
        )

    def check_locked(self) -> None:
        """Raise SourceUnavailable where the tables are there, and were not yet when they were to be locked."""
        if self.unlocked is not None:
            raise SourceUnavailable(f"the source's tables were changed as they were to be read: {self.unlocked}")

    def is_as_it_was(self, last: CaptureManifest) -> bool:
        """Whether no transaction that has an id has ended since the last batch, so that none has changed a row.

        Rows are written and deleted by transactions that have ids, later ones than the last batch's horizon. Only a
        crash empties an unlogged table without.
        """
        return self.continues(last) and self.ceiling == last.horizon

    def continues(self, last: CaptureManifest) -> bool:
        """Whether this is the source of the last batch, grown older, so that the two's transaction ids compare."""
        # An id from the future means that the source went back in time under the same identity.
        return (
            last.source == self.source
            and last.horizon <= self.ceiling
            and self.ceiling - last.horizon < _HALF_THE_IDS - _MARGIN
        )


@contextmanager
def snapshot_of(connection: Connection, tables: Sequence[SourceTable] = ()) -> Iterator[Snapshot]:
    """Open a snapshot of the source; nothing is written to it, whatever the role may do.

    The tables are locked first, by the lock that every reader takes, so that no TRUNCATE and no ALTER TABLE that
    rewrites comes between the snapshot and a read: those show a table empty to an older snapshot. Where tables are
    missing or may not be read nothing is locked, because the contract's error says more.

    No lock is held for long while another is waited for: where one cannot be had soon, all are released, and tried
    again a moment later. So a migration that needs several tables gets them, and never loses a deadlock.

    Args:
        connection: the source, outside a transaction.
        tables: the tables that will be read.

    Raises:
        SourceUnavailable: the source is a standby that does not follow its primary; or, at the end, names that rows
            are read by have changed meanwhile.
        psycopg2.Error: the connection to the source was lost; somebody else's lock was in the way for a minute.
    """
    connection.set_session(autocommit=True)
    in_recovery, may_ask_standby, may_ask_replayed, may_ask_written = _row(connection, _ABILITIES)
    # Before the snapshot is taken, for a standby goes on meanwhile; what is asked afterwards may be ahead of it.
    reached = None
    if in_recovery and may_ask_standby:
        reached = _told(lambda: standby.check_follows(connection))
    if reached is None and (may_ask_replayed if in_recovery else may_ask_written):
        reached = _told(lambda: _position(connection, _REPLAYED if in_recovery else _WRITTEN))
    position = "pg_last_wal_replay_lsn()" if in_recovery else "pg_current_wal_insert_lsn()"
    state = _STATE.format(position=position if reached else "NULL")
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True, autocommit=False)
    unlocked = locks.lock(connection, tables)
    with connection:
        horizon, ceiling, system_identifier, timeline, database, started, in_recovery, position = _row(
            connection, state
        )
        yield Snapshot(
            connection=connection,
            horizon=int(horizon),
            ceiling=int(ceiling),
            source=SourceIdentity(
                system_identifier=system_identifier,
                timeline=timeline,
                database=database,
                started=started,
                in_recovery=in_recovery,
            ),
            position=position,
            replayed=reached if in_recovery else None,
            host=connection.info.dsn_parameters.get("host"),
            taken=time.monotonic(),
            unlocked=unlocked,
        )
        seen = versions_of_names(connection)
    with connection:
        must_be_as_before(seen, versions_of_names(connection))


def _told(ask: Callable[[], str | None]) -> str | None:
    """A position in the log; None: the server tells none."""
    try:
        return ask()
    except _TELLS_NO_POSITION:
        return None


def _position(connection: Connection, query: str) -> str | None:
    [position] = _row(connection, query)
    return None if position is None else str(position)


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        [row] = cursor.fetchall()
    return row
