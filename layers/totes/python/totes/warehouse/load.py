"""Every batch that waits in the processed bucket is loaded into the warehouse, each in one transaction, in order."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError, LakeCorrupted
from totes.lake import Bucket, StarJournal, StarManifest, StarParts, read_part
from totes.outcomes import Span
from totes.shapes import Calendar, Fact, StarTable
from totes.warehouse.ledger import (
    Entry,
    Tally,
    count_quarantined,
    lock,
    newest_entry,
    open_entry,
    write_tallies,
)
from totes.warehouse.staging import copy_rows, identifiers, stage, stage_deletes
from totes.warehouse.tables import empty_tables, ensure_tables

logger = logging.getLogger(__name__)

_NOTHING = StarParts(rows_in=0)


@dataclass(frozen=True, kw_only=True)
class Rebuilding:
    """How far a rebuild has come: batches that are staged, and how many there are."""

    staged: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load came to.

    Attributes:
        batches: the batches that were loaded.
        newest: the newest in the warehouse; 0: none.
        tables: what became of their rows.
        quarantined: how many rows are in quarantine now.
        rebuilding: the rebuild that time was up for; None where there is none.
    """

    batches: Span
    newest: int
    tables: Mapping[str, Tally]
    quarantined: int
    rebuilding: Rebuilding | None = None


def load(
    connection: Connection,
    lake: Bucket,
    tables: Sequence[StarTable],
    *,
    rebuild: bool = False,
    time_is_up: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Loaded:
    """Load every batch that the warehouse does not hold yet.

    A batch's rows and its row in the ledger commit together, in the order of batches, under a lock. So whatever
    dies, is repeated or overlaps, each batch is in the warehouse once or not yet.

    Where the lake has another edition of the star than the warehouse was loaded from, or a rebuild is asked for, all
    that it holds is deleted and loaded again in one transaction: who reads it sees the old content or the new.

    Args:
        connection: the warehouse, outside a transaction.
        lake: the processed bucket.
        tables: the star tables.
        rebuild: whether to load everything again in any case.
        time_is_up: asked after each transaction; what is left then is the next call's.
        progress: told the batch that was loaded, and the newest.

    Raises:
        ConfigurationError: the warehouse was filled from another lake, or has tables that totes did not make.
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
        psycopg2.Error: the warehouse broke off.
    """
    return _Loader(connection, lake, tables, progress).load(rebuild=rebuild, time_is_up=time_is_up)


class _Loader:
    def __init__(
        self,
        connection: Connection,
        lake: Bucket,
        tables: Sequence[StarTable],
        progress: Callable[[int, int], None],
    ) -> None:
        self._connection = connection
        self._lake = lake
        self._tables = tables
        self._progress = progress

    def load(self, *, rebuild: bool, time_is_up: Callable[[], bool]) -> Loaded:
        first: int | None = None
        last: int | None = None
        count = 0
        tallies = {table.name: Tally() for table in self._tables}
        while True:
            newest, loaded, quarantined = self._transaction(rebuild=rebuild)
            rebuild = False
            for batch, counted in loaded.items():
                first, last, count = first or batch, batch, count + 1
                tallies = {name: tally + counted[name] for name, tally in tallies.items()}
            if not loaded or time_is_up():
                return Loaded(
                    batches=Span(first=first, last=last, count=count),
                    newest=last or newest,
                    tables=tallies,
                    quarantined=quarantined,
                )

    def _transaction(self, *, rebuild: bool) -> tuple[int, Mapping[int, Mapping[str, Tally]], int]:
        """Load the next batch, or all of them anew.

        Returns:
            The newest batch, what became of the rows of each that was loaded, and how many rows are in quarantine.
        """
        with self._connection, self._connection.cursor() as cursor:
            lock(cursor)
            # Only now: what the lake held before the lock may be older than what another loader has loaded meanwhile.
            lake = _Lake(self._lake)
            ensure_tables(cursor, self._tables)
            entry = newest_entry(cursor)
            if entry is not None:
                lake.check(entry)
            if entry is not None and entry.batch > lake.newest:  # a new edition that has not caught up yet
                return entry.batch, {}, count_quarantined(cursor)
            if entry is not None and (rebuild or entry.edition != lake.edition):
                logger.info("loading edition %d anew", lake.edition)
                empty_tables(cursor, self._tables)
                batches = range(1, lake.newest + 1)
            else:
                first = entry.batch + 1 if entry else 1
                batches = range(first, min(first, lake.newest) + 1)
            loaded = {batch: self._load_batch(cursor, lake, batch) for batch in batches}
            return lake.newest, loaded, count_quarantined(cursor)

    def _load_batch(self, cursor: Cursor, lake: "_Lake", batch: int) -> Mapping[str, Tally]:
        manifest = lake.manifest(batch, after=newest_entry(cursor))
        open_entry(cursor, manifest, lake.edition)
        counted = {
            # A batch from before a table was asked for has nothing of it.
            table.name: _load_table(cursor, table, manifest.tables.get(table.name, _NOTHING), batch, self._lake)
            for table in self._tables
        }
        write_tallies(cursor, batch, counted)
        logger.info("loaded batch %d", batch, extra={"batch": batch})
        self._progress(batch, lake.newest)
        return counted


class _Lake:
    """The processed bucket as it stands while a loader has the lock; it must be the one that filled the warehouse."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._journal = StarJournal(bucket)
        self.newest = self._journal.newest()

    @property
    def edition(self) -> int:
        return self._journal.edition

    def check(self, entry: Entry) -> None:
        try:
            manifest = self._read(entry.batch)
        except LakeCorrupted:
            if entry.batch > self.newest:
                raise self._other(entry) from None
            raise
        if manifest.capture != entry.capture:
            raise self._other(entry)

    def manifest(self, batch: int, *, after: Entry | None) -> StarManifest:
        manifest = self._read(batch)
        if after is not None and manifest.parent != after.capture:
            raise self._other(after)
        return manifest

    def _read(self, batch: int) -> StarManifest:
        return StarManifest.from_json(self._journal.read(batch))

    def _other(self, entry: Entry) -> ConfigurationError:
        return ConfigurationError(
            f"the warehouse was filled from another lake: its ledger's batch {entry.batch} is not the one of "
            f"s3://{self._bucket.name}; name the warehouse of this lake, or an empty database"
        )


def _load_table(cursor: Cursor, table: StarTable, stars: StarParts, batch: int, lake: Bucket) -> Tally:
    if not stars.rows_in:
        return Tally()
    versions = _load_rows(cursor, table, stars, batch, lake) if stars.parts else 0
    deleted = _load_deletes(cursor, table, stars, batch, lake) if stars.deletes else 0
    quarantined = _load_quarantine(cursor, table, stars, batch, lake) if stars.quarantine else 0
    return Tally(
        rows_in=stars.rows_in,
        versions=versions,
        unchanged=stars.rows_in - versions - deleted - quarantined,
        quarantined=quarantined,
        deleted=deleted,
    )


def _load_rows(cursor: Cursor, table: StarTable, stars: StarParts, batch: int, lake: Bucket) -> int:
    staging = stage(cursor, table, stars.parts, lake)
    versions = _append_versions if isinstance(table, Fact) else _upsert_rows
    count = versions(cursor, table, staging, batch)
    if not isinstance(table, Calendar):
        _resolve_quarantine(cursor, table, staging, table.key, batch)
    return count


def _load_deletes(cursor: Cursor, table: StarTable, stars: StarParts, batch: int, lake: Bucket) -> int:
    staging = stage_deletes(cursor, table, stars.deletes, lake)
    close = _close_versions if isinstance(table, Fact) else _mark_rows
    count = close(cursor, table, staging, batch)
    _resolve_quarantine(cursor, table, staging, "key", batch)
    return count


def _load_quarantine(cursor: Cursor, table: StarTable, stars: StarParts, batch: int, lake: Bucket) -> int:
    for part in stars.quarantine:
        rows = read_part(lake, part).with_columns(batch_id=pl.lit(batch), star_table=pl.lit(table.name))
        copy_rows(cursor, sql.Identifier("etl", "quarantine"), rows)
    cursor.execute(
        "UPDATE etl.quarantine AS earlier SET resolved_by = %(batch)s FROM etl.quarantine AS again "
        "WHERE again.batch_id = %(batch)s AND again.star_table = %(table)s AND earlier.star_table = %(table)s "
        "AND earlier.key = again.key AND earlier.batch_id < %(batch)s AND earlier.resolved_by IS NULL",
        {"batch": batch, "table": table.name},
    )
    return sum(part.rows for part in stars.quarantine)


def _resolve_quarantine(cursor: Cursor, table: StarTable, staging: sql.Identifier, key: str, batch: int) -> None:
    """Close what is in quarantine of the rows that have come again as star rows, or are gone."""
    cursor.execute(
        sql.SQL("""
            UPDATE etl.quarantine SET resolved_by = %(batch)s FROM {staging} AS staged
            WHERE star_table = %(table)s AND quarantine.key = staged.{key} AND resolved_by IS NULL
        """).format(staging=staging, key=sql.Identifier(key)),
        {"batch": batch, "table": table.name},
    )


def _append_versions(cursor: Cursor, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Append each staged row that differs from the newest version of its key; return how many did."""
    columns = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL("""
            INSERT INTO {table} ({columns}, batch_id)
            SELECT {staged}, %(batch)s
            FROM {staging} AS staged
            LEFT JOIN LATERAL (
                SELECT * FROM {table} AS version
                WHERE version.{key} = staged.{key} ORDER BY version.batch_id DESC LIMIT 1
            ) AS held ON true
            WHERE held.{key} IS NULL OR held.is_deleted OR ({held}) IS DISTINCT FROM ({staged})
            ORDER BY staged.{key}
        """).format(
            table=sql.Identifier("public", table.name),
            key=sql.Identifier(table.key),
            columns=identifiers(columns),
            staging=staging,
            staged=identifiers(columns, "staged"),
            held=identifiers(columns, "held"),
        ),
        {"batch": batch},
    )
    return cursor.rowcount


def _close_versions(cursor: Cursor, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Append a closing version, the newest one marked deleted, for each key that is gone; return how many had one."""
    columns = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL("""
            INSERT INTO {table} ({columns}, batch_id, is_deleted)
            SELECT {held}, %(batch)s, true
            FROM {staging} AS gone
            CROSS JOIN LATERAL (
                SELECT * FROM {table} AS version
                WHERE version.{key} = gone.key ORDER BY version.batch_id DESC LIMIT 1
            ) AS held
            WHERE NOT held.is_deleted
            ORDER BY gone.key
        """).format(
            table=sql.Identifier("public", table.name),
            key=sql.Identifier(table.key),
            columns=identifiers(columns),
            staging=staging,
            held=identifiers(columns, "held"),
        ),
        {"batch": batch},
    )
    return cursor.rowcount


def _upsert_rows(cursor: Cursor, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Insert staged rows and update those that differ from what is held; return how many were new or differed."""
    columns = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL("""
            INSERT INTO {table} AS held ({columns}, batch_id)
            SELECT {columns}, %(batch)s FROM {staging} ORDER BY {key}
            ON CONFLICT ({key}) DO UPDATE
            SET ({columns}, batch_id, is_deleted) = ROW({excluded}, excluded.batch_id, false)
            WHERE held.is_deleted OR ({held}) IS DISTINCT FROM ({excluded})
        """).format(
            table=sql.Identifier("public", table.name),
            key=sql.Identifier(table.key),
            columns=identifiers(columns),
            staging=staging,
            held=identifiers(columns, "held"),
            excluded=identifiers(columns, "excluded"),
        ),
        {"batch": batch},
    )
    return cursor.rowcount


def _mark_rows(cursor: Cursor, table: StarTable, staging: sql.Identifier, batch: int) -> int:
    """Mark the rows that are gone, and leave them, for the facts' history refers to them; return how many were held."""
    cursor.execute(
        sql.SQL("""
            UPDATE {table} AS held SET batch_id = %(batch)s, is_deleted = true
            FROM {staging} AS gone WHERE held.{key} = gone.key AND NOT held.is_deleted
        """).format(table=sql.Identifier("public", table.name), key=sql.Identifier(table.key), staging=staging),
        {"batch": batch},
    )
    return cursor.rowcount
