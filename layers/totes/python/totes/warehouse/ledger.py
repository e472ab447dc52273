"""The ledger: which batches the warehouse holds, of which lake, and how many rows each brought."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import WarehouseUnavailable
from totes.lake import StarManifest
from totes.warehouse.places import LIVE, Place

LOCK = int.from_bytes(b"totes")
"""The advisory lock that a loader holds while it works."""

_LOCK_WAIT = "120s"

_HOLDERS = """
    SELECT pid, usename FROM pg_locks JOIN pg_stat_activity USING (pid)
    JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND pg_database.datname = current_database()
    AND classid::bigint << 32 | objid::bigint = %s AND objsubid = 1 ORDER BY pid
"""


@dataclass(frozen=True, kw_only=True)
class RowCounts:
    """How many rows came in, and as what they ended: rows_in = versions + unchanged + quarantined + deleted.

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

    def __add__(self, other: "RowCounts") -> "RowCounts":
        return RowCounts(
            rows_in=self.rows_in + other.rows_in,
            versions=self.versions + other.versions,
            unchanged=self.unchanged + other.unchanged,
            quarantined=self.quarantined + other.quarantined,
            deleted=self.deleted + other.deleted,
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A batch of the ledger, its edition, and the digest of the capture manifest that it came from."""

    batch: int
    edition: int
    capture: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the warehouse's content is of.

    Attributes:
        edition: the edition of the star that the whole content was last built from; None: it was never built, or
            somebody has dropped a part of it since.
        rebuild: whether somebody asked for a rebuild that is not done yet.
        edition_digest: what tells that edition from another one of its number; None: not known.
    """

    edition: int | None
    rebuild: bool
    edition_digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class WarehouseState:
    """What the live warehouse holds: its edition, and its newest batch."""

    content: Content
    newest: Entry | None


def lock(cursor: Cursor) -> None:
    """Wait until no other loader is at work, for as long as the cursor's transaction lasts.

    Raises:
        WarehouseUnavailable: another loader was at work for two minutes, or somebody else held the lock, which
            PostgreSQL lets anybody take. The transaction is over then.
    """
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (_LOCK_WAIT,))
    try:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    except psycopg2.errors.LockNotAvailable as error:
        cursor.connection.rollback()
        cursor.execute(_HOLDERS, (LOCK,))
        holders = ", ".join(f"session {pid} of role {role}" for pid, role in cursor.fetchall()) or "a session"
        raise WarehouseUnavailable(
            f"{holders} held the loaders' lock for {_LOCK_WAIT}; a loader's own lets it go when its run ends, and any "
            "other is ended by SELECT pg_terminate_backend(...), as that role or as an administrator"
        ) from error


def newest_entry(cursor: Cursor, place: Place = LIVE) -> Entry | None:
    """Return the newest batch of a ledger; None where it is empty."""
    cursor.execute(
        sql.SQL("SELECT batch_id, edition, capture_sha256 FROM {} ORDER BY batch_id DESC LIMIT 1").format(
            place.ledger("batch")
        )
    )
    row = cursor.fetchone()
    return Entry(batch=row[0], edition=row[1], capture=row[2]) if row else None


def newest_counted(cursor: Cursor) -> int:
    """Return the newest batch that has row counts in the live ledger; 0: there is none."""
    cursor.execute("SELECT coalesce(max(batch_id), 0) FROM etl.batch_table")
    [[batch]] = cursor.fetchall()
    return int(batch)


def entry_of(cursor: Cursor, batch: int) -> Entry | None:
    """Return a batch of the live ledger; None where it is not there."""
    cursor.execute("SELECT batch_id, edition, capture_sha256 FROM etl.batch WHERE batch_id = %s", (batch,))
    row = cursor.fetchone()
    return Entry(batch=row[0], edition=row[1], capture=row[2]) if row else None


def open_entry(cursor: Cursor, manifest: StarManifest, edition: int, place: Place) -> None:
    """Write a batch's row, and the drift of the source that it saw."""
    cursor.execute(
        sql.SQL(
            "INSERT INTO {} (batch_id, edition, capture_sha256, horizon, captured_at) VALUES (%s, %s, %s, %s, %s)"
        ).format(place.ledger("batch")),
        (manifest.batch, edition, manifest.capture, manifest.horizon, manifest.captured_at),
    )
    if place != LIVE:
        keep_loaded_at(cursor, place, first=manifest.batch)
    for sentence in manifest.drift:
        cursor.execute(
            sql.SQL("INSERT INTO {} (batch_id, what) VALUES (%s, %s)").format(place.ledger("drift")),
            (manifest.batch, sentence),
        )


def keep_loaded_at(cursor: Cursor, place: Place, *, first: int) -> None:
    """Keep the time at which batches of a rebuild, from one on, were loaded for the first time."""
    cursor.execute(
        sql.SQL("""
            UPDATE {} AS made SET loaded_at = live.loaded_at FROM etl.batch AS live
            WHERE live.batch_id = made.batch_id AND live.capture_sha256 = made.capture_sha256 AND made.batch_id >= %s
        """).format(place.ledger("batch")),
        (first,),
    )


def write_row_counts(cursor: Cursor, batch: int, row_counts: Mapping[str, RowCounts], place: Place) -> None:
    """Write the row counts of a batch: at most one row a star table."""
    for table, counts in row_counts.items():
        if counts.rows_in:
            cursor.execute(
                sql.SQL(
                    "INSERT INTO {} (batch_id, star_table, rows_in, versions, unchanged, quarantined, deleted) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
                ).format(place.ledger("batch_table")),
                (batch, table, counts.rows_in, counts.versions, counts.unchanged, counts.quarantined, counts.deleted),
            )


def sum_of_row_counts(cursor: Cursor) -> dict[str, RowCounts]:
    """Return the row counts of all batches that the warehouse holds, by star table."""
    cursor.execute(
        "SELECT star_table, sum(rows_in)::bigint, sum(versions)::bigint, sum(unchanged)::bigint, "
        "sum(quarantined)::bigint, sum(deleted)::bigint FROM etl.batch_table GROUP BY star_table"
    )
    return {
        table: RowCounts(
            rows_in=rows_in, versions=versions, unchanged=unchanged, quarantined=quarantined, deleted=deleted
        )
        for table, rows_in, versions, unchanged, quarantined, deleted in cursor.fetchall()
    }


def count_quarantined(cursor: Cursor) -> int:
    """Return how many rows are in quarantine; days whose exchange rates are nonsense are rows too."""
    cursor.execute(
        "SELECT count(*) FROM (SELECT resolved_by FROM etl.quarantine "
        "UNION ALL SELECT resolved_by FROM etl.rate_quarantine) AS held WHERE resolved_by IS NULL"
    )
    [[count]] = cursor.fetchall()
    return int(count)


def content(cursor: Cursor) -> Content:
    """Return what the warehouse's content is of."""
    # An older totes, which does not know the digest, may have written another edition since.
    cursor.execute("SELECT edition, rebuild, identity FROM etl.content LEFT JOIN etl.content_edition USING (edition)")
    row = cursor.fetchone()
    if row is None:
        return Content(edition=None, rebuild=False)
    return Content(edition=row[0], rebuild=row[1], edition_digest=row[2])


def write_content(cursor: Cursor, said: Content) -> None:
    """Write what the warehouse's content is of; nobody else does so meanwhile, for the loaders' lock is held."""
    values = (said.edition, said.rebuild)
    cursor.execute("UPDATE etl.content SET edition = %s, rebuild = %s", values)
    if not cursor.rowcount:
        cursor.execute("INSERT INTO etl.content (edition, rebuild) VALUES (%s, %s)", values)
    cursor.execute("DELETE FROM etl.content_edition")
    if said.edition_digest is not None:
        identified = (said.edition, said.edition_digest)
        cursor.execute("INSERT INTO etl.content_edition (edition, identity) VALUES (%s, %s)", identified)


def warehouse_state(cursor: Cursor) -> WarehouseState:
    """Return what the live warehouse holds."""
    return WarehouseState(content=content(cursor), newest=newest_entry(cursor))
