"""The ledger: which batches the warehouse holds, of which lake, and what became of their rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from totes.lake import StarManifest

LOCK = int.from_bytes(b"totes")
"""The advisory lock that a loader holds while it works."""

_LOCK_WAIT = "120s"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of rows: rows_in = versions + unchanged + quarantined + deleted.

    Attributes:
        rows_in: rows, and keys of rows that are gone from the source, that came in for a star table.
        versions: those that became a new version of a fact, or changed a dimension.
        unchanged: those that said what the warehouse already held.
        quarantined: those that could not become a star row.
        deleted: those that closed a row which the warehouse held: a fact by a closing version, a dimension's by a mark.
    """

    rows_in: int = 0
    versions: int = 0
    unchanged: int = 0
    quarantined: int = 0
    deleted: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            rows_in=self.rows_in + other.rows_in,
            versions=self.versions + other.versions,
            unchanged=self.unchanged + other.unchanged,
            quarantined=self.quarantined + other.quarantined,
            deleted=self.deleted + other.deleted,
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The newest batch of the ledger, its edition, and the digest of the capture manifest that it came from."""

    batch: int
    edition: int
    capture: str


def lock(cursor: Cursor) -> None:
    """Wait until no other loader is at work, for as long as the cursor's transaction lasts.

    Raises:
        psycopg2.errors.LockNotAvailable: another one was at work for two minutes.
    """
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (_LOCK_WAIT,))
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))


def newest_entry(cursor: Cursor) -> Entry | None:
    """Return the newest batch of the ledger; None where it is empty."""
    cursor.execute("SELECT batch_id, edition, capture_sha256 FROM etl.batch ORDER BY batch_id DESC LIMIT 1")
    row = cursor.fetchone()
    return Entry(batch=row[0], edition=row[1], capture=row[2]) if row else None


def open_entry(cursor: Cursor, manifest: StarManifest, edition: int) -> None:
    """Write a batch's row, which the rows that it brings refer to, and the drift of the source that it tells of."""
    cursor.execute(
        "INSERT INTO etl.batch (batch_id, edition, capture_sha256, horizon, captured_at) VALUES (%s, %s, %s, %s, %s)",
        (manifest.batch, edition, manifest.capture, manifest.horizon, manifest.captured_at),
    )
    for sentence in manifest.drift:
        cursor.execute("INSERT INTO etl.drift (batch_id, what) VALUES (%s, %s)", (manifest.batch, sentence))


def write_tallies(cursor: Cursor, batch: int, tallies: Mapping[str, Tally]) -> None:
    """Write what became of a batch's rows: at most one row a star table."""
    for table, tally in tallies.items():
        if tally.rows_in:
            cursor.execute(
                "INSERT INTO etl.batch_table "
                "(batch_id, star_table, rows_in, versions, unchanged, quarantined, deleted) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (batch, table, tally.rows_in, tally.versions, tally.unchanged, tally.quarantined, tally.deleted),
            )


def count_quarantined(cursor: Cursor) -> int:
    """Return how many rows are in quarantine."""
    cursor.execute("SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL")
    [[count]] = cursor.fetchall()
    return int(count)
