"""What a rebuild has met with: one that the server cannot bear is not begun again by every run.

The rows of `etl.setback` are in the log, and so are there after a crash of the server.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor


class CrashedAgain(Exception):
    """The server has crashed in a rebuild, and within a day in the one that was begun again after that."""


@dataclass(frozen=True, kw_only=True)
class PutOff:
    """A rebuild that was given up: until when none begins by itself, and why."""

    until: datetime
    why: str


def note_crash(cursor: Cursor) -> None:
    """Write that the server has crashed in a rebuild, which is begun again; see `CrashedAgain`.

    Raises:
        CrashedAgain: it had done so before.
    """
    cursor.execute(
        "SELECT EXISTS (SELECT FROM etl.setback WHERE NOT given_up AND at > clock_timestamp() - '1 day'::interval)"
    )
    [[before]] = cursor.fetchall()
    if before:
        raise CrashedAgain("the server has crashed in two rebuilds running, as one does whose disk is full")
    cursor.execute("INSERT INTO etl.setback (given_up, what) VALUES (false, 'the server crashed')")


def note_given_up(cursor: Cursor, why: str) -> None:
    """Write that a rebuild was given up, and why."""
    forget_setbacks(cursor)
    cursor.execute("INSERT INTO etl.setback (given_up, what) VALUES (true, %s)", (why,))


def forget_setbacks(cursor: Cursor) -> None:
    """Forget all, for a rebuild is done."""
    cursor.execute("DELETE FROM etl.setback")


def rebuild_put_off(cursor: Cursor) -> PutOff | None:
    """Return the rebuild that was given up within the last day; None: there is none."""
    cursor.execute(
        "SELECT at + '1 day'::interval, what FROM etl.setback "
        "WHERE given_up AND at > clock_timestamp() - '1 day'::interval ORDER BY at DESC LIMIT 1"
    )
    row = cursor.fetchone()
    return PutOff(until=row[0], why=row[1]) if row else None
