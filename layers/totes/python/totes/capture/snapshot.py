"""One consistent state of the source, who that source is, and which of its rows may be new."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection

from totes.lake import CaptureManifest, SourceIdentity

_HALF_THE_IDS = 2**31
_MARGIN = 2**24
"""Ages are differences of 32-bit ids: they tell before from after only within half of them, less this margin."""

# All of these functions are open to every role.
_STATE = """
    SELECT pg_snapshot_xmin(snapshot)::text, pg_snapshot_xmax(snapshot)::text,
           system.system_identifier::text, checkpoint.timeline_id, database.oid::bigint,
           extract(epoch FROM pg_postmaster_start_time())::text
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
        ceiling: the first transaction id not yet given out.
        source: which database it is.
    """

    connection: Connection
    horizon: int
    ceiling: int
    source: SourceIdentity

    def may_be_new(self, last: CaptureManifest | None) -> sql.Composable:
        """Return the SQL condition on a row that holds for each row which the last batch may not have seen.

        A row's xmin is the transaction that wrote it. What that batch could not see was written by a transaction
        not older than its horizon, whatever the row's own time stamps say and whenever it was committed. Where
        ids of then cannot be compared with ids of now (no last batch, another database, a restored or promoted
        one, too many transactions since), every row may be new.
        """
        if last is None or not self.continues(last):
            return sql.SQL("true")
        return sql.SQL("age(xmin) <= age({}::xid)").format(sql.Literal(str(last.horizon % 2**32)))

    def continues(self, last: CaptureManifest) -> bool:
        """Whether this is the source of the last batch, grown older, so that the two's transaction ids compare."""
        # An id from the future means that the source went back in time under the same identity.
        return (
            last.source == self.source
            and last.horizon <= self.ceiling
            and self.ceiling - last.horizon < _HALF_THE_IDS - _MARGIN
        )


@contextmanager
def snapshot_of(connection: Connection) -> Iterator[Snapshot]:
    """Open a snapshot of the source; nothing is written to it, whatever the role may do.

    Raises:
        psycopg2.Error: the source broke off.
    """
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(_STATE)
        row = cursor.fetchone()
        if row is None:
            raise AssertionError("a session's own database is in pg_database")
        horizon, ceiling, system_identifier, timeline, database, started = row
        yield Snapshot(
            connection=connection,
            horizon=int(horizon),
            ceiling=int(ceiling),
            source=SourceIdentity(
                system_identifier=system_identifier, timeline=timeline, database=database, started=started
            ),
        )
