"""One batch of star rows becomes versions of facts and the latest state of dimensions."""

from collections.abc import Callable, Mapping, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.lake import Bucket, StarManifest, StarParts
from totes.star_schema import Calendar, Dimension, Fact, StarTable
from totes.warehouse.definitions import identifiers
from totes.warehouse.later_versions import delete_later_versions
from totes.warehouse.ledger import RowCounts, open_entry, write_row_counts
from totes.warehouse.others import write_all
from totes.warehouse.places import Place
from totes.warehouse.quarantine import add_quarantine, resolve
from totes.warehouse.staging import QUARANTINE, quarantine_staged_duplicates, stage, stage_deletes, stage_quarantine
from totes.warehouse.unknown import add_unknown

LARGE_ROWS = 5_000_000
"""A batch of more rows may take longer than one transaction, and so one run, has time for."""

_NOTHING = StarParts(rows_in=0)


def is_large(manifest: StarManifest) -> bool:
    """Return whether a batch is to be loaded by a rebuild, which goes on where the last run ended."""
    return sum(stars.rows_in for stars in manifest.tables.values()) > LARGE_ROWS


def load_batch(
    cursor: Cursor,
    place: Place,
    tables: Sequence[StarTable],
    manifest: StarManifest,
    edition: int,
    processed: Bucket,
    on_table: Callable[[StarTable], None] = lambda _table: None,
) -> Mapping[str, RowCounts]:
    """Load a batch that follows what a place holds, in the cursor's transaction; return its row counts.

    Args:
        cursor: the warehouse.
        place: where it goes.
        tables: the star tables.
        manifest: the batch.
        edition: its edition.
        processed: the processed bucket.
        on_table: called with each star table before its rows are loaded.

    Raises:
        ConfigurationError: the batch lacks a column that must have a value, or a trigger of others leaves rows out; see
            also `totes.lake`.
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    open_entry(cursor, manifest, edition, place)
    counted: dict[str, RowCounts] = {}
    for table in tables:
        on_table(table)
        # A batch from before a table was asked for has nothing of it.
        stars = manifest.tables.get(table.name, _NOTHING)
        counted[table.name] = _load_table(cursor, place, table, stars, manifest.batch, processed)
    write_row_counts(cursor, manifest.batch, counted, place)
    return counted


def _load_table(
    cursor: Cursor, place: Place, table: StarTable, stars: StarParts, batch: int, processed: Bucket
) -> RowCounts:
    if not stars.rows_in:
        return RowCounts()
    versions = _load_rows(cursor, place, table, stars, batch, processed) if stars.parts else 0
    deleted = _load_deletes(cursor, place, table, stars, batch, processed) if stars.deletes else 0
    quarantined = _load_quarantine(cursor, place, table, stars, batch, processed)
    if quarantined and isinstance(table, Dimension):
        add_unknown(cursor, place, table, batch)
    return RowCounts(
        rows_in=stars.rows_in,
        versions=versions,
        unchanged=stars.rows_in - versions - deleted - quarantined,
        quarantined=quarantined,
        deleted=deleted,
    )


def _load_rows(cursor: Cursor, place: Place, table: StarTable, stars: StarParts, batch: int, processed: Bucket) -> int:
    staging = stage(cursor, table, stars.parts, processed, batch)
    if not isinstance(table, Calendar):
        quarantine_staged_duplicates(cursor, table, staging, batch)
    if isinstance(table, Fact):
        count = _append_versions(cursor, place, table, staging, batch)
    else:
        count = _upsert_rows(cursor, place, table, staging, batch)
    if not isinstance(table, Calendar):
        resolve(cursor, staging, table.key, place, table, batch)
    return count


def _load_deletes(
    cursor: Cursor, place: Place, table: StarTable, stars: StarParts, batch: int, processed: Bucket
) -> int:
    staging = stage_deletes(cursor, table, stars.deletes, processed)
    if isinstance(table, Fact):
        count = _close_versions(cursor, place, table, staging, batch)
    else:
        count = _mark_rows(cursor, place, table, staging, batch)
    resolve(cursor, staging, "key", place, table, batch)
    return count


def _load_quarantine(
    cursor: Cursor, place: Place, table: StarTable, stars: StarParts, batch: int, processed: Bucket
) -> int:
    if not stars.parts and not stars.quarantine:
        return 0
    stage_quarantine(cursor, table, stars.quarantine, processed, batch)
    return add_quarantine(cursor, QUARANTINE, place, table, batch)


def _append_versions(cursor: Cursor, place: Place, table: Fact, staging: sql.Identifier, batch: int) -> int:
    """Append each staged row that differs from the newest version of its key; return how many did."""
    delete_later_versions(cursor, place, table, staging, table.key, batch)
    columns = [column.name for column in table.columns]
    changed = sql.SQL("""
        SELECT {staged}, %(batch)s
        FROM {staging} AS staged
        LEFT JOIN LATERAL (
            SELECT * FROM {table} AS version
            WHERE version.{key} = staged.{key} ORDER BY version.batch_id DESC LIMIT 1
        ) AS held ON true
        WHERE held.{key} IS NULL OR held.is_deleted OR ({held}) IS DISTINCT FROM ({staged})
        ORDER BY staged.{key}
    """).format(
        table=place.star(table.name),
        key=sql.Identifier(table.key),
        staging=staging,
        staged=identifiers(columns, "staged"),
        held=identifiers(columns, "held"),
    )
    append = sql.SQL("INSERT INTO {table} ({columns}, batch_id) {changed}").format(
        table=place.star(table.name), columns=identifiers(columns), changed=changed
    )
    return write_all(cursor, place, table, append, changed, {"batch": batch})


def _close_versions(cursor: Cursor, place: Place, table: Fact, staging: sql.Identifier, batch: int) -> int:
    """Append a closing version, the newest one marked deleted, for each key that is gone; return how many had one."""
    delete_later_versions(cursor, place, table, staging, "key", batch)
    columns = [column.name for column in table.columns]
    closing = sql.SQL("""
        SELECT {held}, %(batch)s, true
        FROM {staging} AS gone
        CROSS JOIN LATERAL (
            SELECT * FROM {table} AS version
            WHERE version.{key} = gone.key ORDER BY version.batch_id DESC LIMIT 1
        ) AS held
        WHERE NOT held.is_deleted
        ORDER BY gone.key
    """).format(
        table=place.star(table.name),
        key=sql.Identifier(table.key),
        staging=staging,
        held=identifiers(columns, "held"),
    )
    append = sql.SQL("INSERT INTO {table} ({columns}, batch_id, is_deleted) {closing}").format(
        table=place.star(table.name), columns=identifiers(columns), closing=closing
    )
    return write_all(cursor, place, table, append, closing, {"batch": batch})


def _upsert_rows(cursor: Cursor, place: Place, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Insert staged rows and update those that differ from what is held; return how many were new or differed."""
    columns = [column.name for column in table.columns]
    names = {
        "table": place.star(table.name),
        "key": sql.Identifier(table.key),
        "columns": identifiers(columns),
        "staging": staging,
        "held": identifiers(columns, "held"),
        "excluded": identifiers(columns, "excluded"),
    }
    upsert = sql.SQL("""
        INSERT INTO {table} AS held ({columns}, batch_id)
        SELECT {columns}, %(batch)s FROM {staging} ORDER BY {key}
        ON CONFLICT ({key}) DO UPDATE
        SET ({columns}, batch_id, is_deleted) = ROW({excluded}, excluded.batch_id, false)
        WHERE held.is_deleted OR ({held}) IS DISTINCT FROM ({excluded})
    """).format(**names)
    differing = sql.SQL("""
        SELECT FROM {staging} AS excluded LEFT JOIN {table} AS held ON held.{key} = excluded.{key}
        WHERE held.{key} IS NULL OR held.is_deleted OR ({held}) IS DISTINCT FROM ({excluded})
    """).format(**names)
    return write_all(cursor, place, table, upsert, differing, {"batch": batch})


def _mark_rows(cursor: Cursor, place: Place, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Mark the rows that are gone, and leave them, for the facts' history refers to them; return how many were held."""
    gone = sql.SQL("FROM {staging} AS gone WHERE held.{key} = gone.key AND NOT held.is_deleted").format(
        key=sql.Identifier(table.key), staging=staging
    )
    names = {"table": place.star(table.name), "gone": gone}
    mark = sql.SQL("UPDATE {table} AS held SET batch_id = %(batch)s, is_deleted = true {gone}").format(**names)
    held = sql.SQL("SELECT FROM {table} AS held WHERE EXISTS (SELECT {gone})").format(**names)
    return write_all(cursor, place, table, mark, held, {"batch": batch})
