"""A rebuild: the whole warehouse is made beside the live one, step by step, and replaces it in one moment.

Each step is a transaction under the loader's lock, and writes what is done. So a rebuild goes on where the last run
ended, whoever runs it, and ordinary loads go on between its steps. Staged rows and progress are in unlogged tables: a
crash of the server empties them, and the rebuild begins again; after the next one it is given up (`setbacks`).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

import polars as pl
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.catalog import has_table
from totes.errors import ConfigurationError
from totes.lake import Bucket
from totes.outcomes import ASK_AGAIN
from totes.savepoints import savepoint
from totes.star_schema import Calendar, Fact, StarTable
from totes.warehouse.batch import is_large, load_batch
from totes.warehouse.carried import Index, Indexes, dependents_to_restore, must_be_possible
from totes.warehouse.copying import copy_all, copy_rows
from totes.warehouse.definitions import (
    LEDGER,
    add_key,
    create_ledger,
    create_star,
    keys_of,
    typed,
    types_of,
)
from totes.warehouse.ledger import (
    Content,
    WarehouseState,
    keep_loaded_at,
    lock,
    newest_counted,
    newest_entry,
    warehouse_state,
    write_content,
)
from totes.warehouse.places import BESIDE, LIVE
from totes.warehouse.processed_bucket import ProcessedBucket
from totes.warehouse.quarantine import copy_quarantine, copy_refused, quarantine_duplicates
from totes.warehouse.rebuild import bulk, versions
from totes.warehouse.rebuild.bulk import Chunk, ChunkReader
from totes.warehouse.rebuild.progress import (
    RebuildProgress,
    begin_progress,
    digest_of_definitions,
    note_built,
    note_filled,
    note_staged,
    read_progress,
)
from totes.warehouse.rebuild.room import database_bytes, how_much, must_have_room
from totes.warehouse.rebuild.setbacks import forget_setbacks, note_crash, note_given_up
from totes.warehouse.rebuild.swap import TablesInUse, swap
from totes.warehouse.rebuild.tables import drop_made, must_be_free, write_made
from totes.warehouse.unknown import add_every_unknown

logger = logging.getLogger(__name__)

_MEMORY = {"work_mem": "64MB", "maintenance_work_mem": "128MB"}

SHORT_SECONDS = 1.0
"""How long a transaction goes on with what is quickly built; a step that takes longer has a transaction of its own."""

_TRIES = 5
_PAUSE = 1.0
"""How often a swap is tried if somebody reads the live tables, and how many seconds are between two tries."""

_STAGING = """
    CREATE UNLOGGED TABLE {deletes} (batch_id integer, star_table text, key bigint);
    CREATE UNLOGGED TABLE {quarantine} (batch_id integer, star_table text, key bigint, reason text, source_row jsonb);
    CREATE UNLOGGED TABLE {rows_in} (batch_id integer, star_table text, rows_in bigint);
    CREATE UNLOGGED TABLE {changes} (batch_id integer, star_table text, versions bigint, deleted bigint);
"""


class StepResult(Enum):
    """What a step came to."""

    MORE = "there is more to do"
    DONE = "the rebuilt warehouse is the live one"
    LATER = "nothing can be done now; a later run goes on"


class Rebuild:
    """The steps of a rebuild, for as long as a run has time."""

    def __init__(self, connection: Connection, bucket: Bucket, tables: Sequence[StarTable]) -> None:
        self._connection = connection
        self._bucket = bucket
        self._tables = tables
        self._definitions = digest_of_definitions(tables)
        self._chunks: ChunkReader | None = None
        self.staged = 0
        self.of = 0

    def close(self) -> None:
        """Stop reading ahead."""
        if self._chunks is not None:
            self._chunks.close()
            self._chunks = None

    def step(self, seen: WarehouseState | None) -> StepResult:
        """Do the next piece of work, in a transaction.

        Args:
            seen: what the warehouse held when it was decided that a rebuild is wanted. If another loader has changed
                that meanwhile, and no rebuild is under way, none is begun.

        Raises:
            ConfigurationError: something that others have made on the live tables would be lost, or has the name of a
                table of the rebuild.
            LakeUnavailable, LakeCorrupted: see `totes.lake`.
            CrashedAgain: the server has crashed in two rebuilds running.
            psycopg2.Error: the connection to the warehouse was lost, it has no room (`NO_ROOM`), or another loader was
                at work for two minutes.
        """
        for _ in range(_TRIES):
            try:
                with self._connection, self._connection.cursor() as cursor:
                    return self._step(cursor, seen)
            except TablesInUse as error:
                logger.info("the live tables are in use: %s", error)
                time.sleep(_PAUSE)
        return StepResult.LATER

    def give_up(self) -> None:
        """Drop what was built so far."""
        self.close()
        with self._connection, self._connection.cursor() as cursor:
            lock(cursor)
            drop_made(cursor, _names(self._tables))

    def put_off(self, why: str) -> ConfigurationError | None:
        """Drop what was built so far, and the wish, and let no rebuild begin by itself for a day.

        Args:
            why: what the server cannot bear.

        Returns:
            What to raise; None: no rebuild was under way.
        """
        self.close()
        with self._connection, self._connection.cursor() as cursor:
            lock(cursor)
            if not has_table(cursor, "etl.rebuild"):
                return None
            at_most = database_bytes(cursor)
            drop_made(cursor, _names(self._tables))
        # Not before that is committed: on a disk that is full there was no room for a row.
        with self._connection, self._connection.cursor() as cursor:
            lock(cursor)
            state, live = warehouse_state(cursor), database_bytes(cursor)
            need = how_much(cursor, live=live, made=at_most - live)
            said = f"{why}: the rebuild is given up, and its tables are dropped; {need}; make room, {ASK_AGAIN}"
            if not self._is_whole(state):
                said += "; the warehouse needs it, so in a day it begins by itself"
            note_given_up(cursor, said)
            write_content(cursor, replace(state.content, rebuild=False))
        return ConfigurationError(said)

    def withdraw(self) -> bool:
        """Drop what was built so far, and the wish, if nothing but a person's wish wants the rebuild.

        Otherwise every later load would fail as this one did, although the warehouse needs no rebuild.

        Returns:
            Whether it was so; if not, the warehouse is incomplete or of another edition until it is rebuilt.
        """
        self.close()
        with self._connection, self._connection.cursor() as cursor:
            lock(cursor)
            state = warehouse_state(cursor)
            if not self._is_whole(state):
                return False
            drop_made(cursor, _names(self._tables))
            write_content(cursor, replace(state.content, rebuild=False))
        return True

    def _is_whole(self, state: WarehouseState) -> bool:
        """Whether the warehouse needs no rebuild: it is filled, from the newest edition, and nothing was dropped."""
        return state.newest is not None and ProcessedBucket(self._bucket).is_edition_of(state.content)

    def _step(self, cursor: Cursor, seen: WarehouseState | None) -> StepResult:
        lock(cursor)
        for name, value in _MEMORY.items():
            cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
        processed = ProcessedBucket(self._bucket)
        self.of = processed.newest
        progress = read_progress(cursor)
        if progress is None and warehouse_state(cursor) != seen:
            return StepResult.MORE
        made_of = (processed.edition, processed.edition_digest, self._definitions)
        if progress is None and has_table(cursor, "etl.rebuild"):  # a crash of the server has emptied it
            note_crash(cursor)
            drop_made(cursor, _names(self._tables))  # that is committed first: what is left may fill the disk
            return StepResult.MORE
        if progress is None or (progress.edition, progress.edition_digest, progress.definitions) != made_of:
            self._begin(cursor, processed)
            return StepResult.MORE  # what follows is another transaction, so that a crash in it leaves `etl.rebuild`
        self.staged = progress.position.batch
        last = 1 if progress.straight else processed.newest
        if not progress.built and progress.position.batch < last:
            self._stage(cursor, processed, progress, last)
            return StepResult.MORE
        if progress.filled:
            return self._follow(cursor, processed)
        self._build_some(cursor, progress)
        return StepResult.MORE

    def _build_some(self, cursor: Cursor, progress: RebuildProgress) -> None:
        """Build the next steps, for as long as the transaction is short."""
        until = time.monotonic() + SHORT_SECONDS
        for table in self._largest_first(cursor, progress):
            for build_step in _build_steps(table):
                if build_step in progress.built:
                    continue
                self._build(cursor, progress, table, build_step)
                if time.monotonic() >= until:
                    return
        self._fill_ledger(cursor)

    def _largest_first(self, cursor: Cursor, progress: RebuildProgress) -> Sequence[StarTable]:
        """The star tables, the largest first as they are staged: what follows has the room that these give back."""
        if progress.straight:
            return self._tables
        names = [versions.staged(table).as_string(cursor) for table in self._tables]
        cursor.execute(
            "SELECT place FROM unnest(%s) WITH ORDINALITY AS staged (name, place) "
            "ORDER BY pg_table_size(name::regclass) DESC, place",
            (names,),
        )
        return [self._tables[place - 1] for (place,) in cursor.fetchall()]

    def _begin(self, cursor: Cursor, processed: ProcessedBucket) -> None:
        straight = processed.newest == 1
        made = _names(self._tables, straight=straight)
        drop_made(cursor, _names(self._tables))
        must_be_free(cursor, made)
        self.close()
        create_ledger(cursor, BESIDE)
        names = {
            "deletes": versions.DELETES,
            "quarantine": versions.QUARANTINE,
            "rows_in": versions.ROWS_IN,
            "changes": versions.CHANGES,
        }
        cursor.execute(sql.SQL(_STAGING).format(**names))
        for table in self._tables:
            create_star(cursor, BESIDE, table)
            if not straight:
                cursor.execute(
                    sql.SQL("CREATE UNLOGGED TABLE {} (batch_id integer, {})").format(
                        versions.staged(table), typed(table.columns)
                    )
                )
        dependents_to_restore(cursor, self._tables)
        must_be_possible(cursor, self._tables)
        begin_progress(cursor, processed.edition, processed.edition_digest, self._definitions, straight=straight)
        write_made(cursor, made)
        logger.info("rebuilding from edition %d", processed.edition)

    def _stage(self, cursor: Cursor, processed: ProcessedBucket, progress: RebuildProgress, last: int) -> None:
        wanted = (progress.position, progress.edition)
        if self._chunks is None or (self._chunks.position, self._chunks.edition) != wanted:
            self.close()
            self._chunks = ChunkReader(processed, self._tables, progress.position, last)
        chunk = self._chunks.next()
        if chunk is None:  # more batches have come since it was made
            self.close()
            return
        self._copy(cursor, chunk, straight=progress.straight)
        self._write_entries(cursor, processed, chunk)
        self._write_rows_in(cursor, chunk)
        note_staged(cursor, chunk.end)
        self.staged = chunk.end.batch

    def _copy(self, cursor: Cursor, chunk: Chunk, *, straight: bool) -> None:
        tables = {table.name: table for table in self._tables}
        for name, kind, rows in chunk.frames:
            if kind == bulk.QUARANTINE:
                copy_quarantine(cursor, versions.QUARANTINE, rows)
            elif kind == bulk.DELETES:
                copy_rows(cursor, versions.DELETES, rows)
            else:
                self._copy_stars(cursor, tables[name], rows, straight=straight)

    def _copy_stars(self, cursor: Cursor, table: StarTable, rows: pl.DataFrame, *, straight: bool) -> None:
        target = BESIDE.star(table.name) if straight else versions.staged(table)
        rows = rows.rename({"number": table.record_id}) if isinstance(table, Fact) and straight else rows.drop("number")
        refused = copy_rows(cursor, target, rows, types_of(table))
        copy_refused(cursor, versions.QUARANTINE, table, refused)
        if straight:
            versions.write_changes_of_first_batch(cursor, table, rows.height - len(refused))

    def _write_entries(self, cursor: Cursor, processed: ProcessedBucket, chunk: Chunk) -> None:
        entry = newest_entry(cursor, BESIDE)
        first = entry.batch + 1 if entry else 1
        entries: list[tuple[int, int, str, int, str]] = []
        drift: list[tuple[int, str]] = []
        for manifest in chunk.manifests:
            processed.must_follow(manifest, entry)
            entry = processed.entry(manifest)
            captured_at = manifest.captured_at.isoformat()
            entries.append((manifest.batch, processed.edition, manifest.capture, manifest.horizon, captured_at))
            drift += [(manifest.batch, sentence) for sentence in manifest.drift]
        names = ["batch_id", "edition", "capture_sha256", "horizon", "captured_at"]
        _copy_tuples(cursor, BESIDE.ledger("batch"), names, entries)
        keep_loaded_at(cursor, BESIDE, first=first)
        _copy_tuples(cursor, BESIDE.ledger("drift"), ["batch_id", "what"], drift)

    def _write_rows_in(self, cursor: Cursor, chunk: Chunk) -> None:
        counted = [
            (manifest.batch, table.name, manifest.tables[table.name].rows_in)
            for manifest in chunk.manifests
            for table in self._tables
            if table.name in manifest.tables and manifest.tables[table.name].rows_in
        ]
        _copy_tuples(cursor, versions.ROWS_IN, ["batch_id", "star_table", "rows_in"], counted)

    def _build(self, cursor: Cursor, progress: RebuildProgress, table: StarTable, build_step: str) -> None:
        """Look whether there is room for a table, fill it, or build one of its keys."""
        build_steps = _build_steps(table)
        room, fill, first_key = build_steps[:3]
        if build_step == room:
            if not progress.straight:
                must_have_room(cursor, versions.staged(table))
        elif build_step == fill:
            self._fill(cursor, progress, table)
        else:
            self._add_key(cursor, progress, table, keys_of(table)[build_steps.index(build_step) - 2])
        if build_step == first_key:  # it is known now that the table need not be filled again
            self._settle(cursor, progress, table)
        if build_step == build_steps[-1]:
            self._set_serial(cursor, table)
            # Only the key: that is quick and finds the table's size. Autovacuum will analyze the other columns.
            analyze = sql.SQL("ANALYZE {} ({})")
            cursor.execute(analyze.format(BESIDE.star(table.name), sql.Identifier(table.key)))
            logger.info("built %s", table.name)
        note_built(cursor, build_step)

    def _add_key(self, cursor: Cursor, progress: RebuildProgress, table: StarTable, key: sql.Composable) -> None:
        try:
            with savepoint(cursor):
                add_key(cursor, BESIDE, table, key)
        except psycopg2.errors.UniqueViolation:
            if isinstance(table, Calendar):
                raise
            self._fill_again(cursor, progress, table)
            add_key(cursor, BESIDE, table, key)

    def _fill_again(self, cursor: Cursor, progress: RebuildProgress, table: StarTable) -> None:
        """Fill a table without the rows that one batch brought twice."""
        rows = BESIDE.star(table.name) if progress.straight else versions.staged(table)
        quarantine_duplicates(cursor, rows, table, versions.QUARANTINE, sql.Identifier("batch_id"))
        versions.forget_changes(cursor, table)
        if progress.straight:
            versions.write_changes(cursor, table, rows)
        else:
            cursor.execute(sql.SQL("TRUNCATE {}").format(BESIDE.star(table.name)))
            self._fill(cursor, progress, table)

    def _fill(self, cursor: Cursor, progress: RebuildProgress, table: StarTable) -> None:
        if progress.straight:
            return  # its rows were brought straight into it
        if isinstance(table, Fact):
            versions.fill_fact(cursor, table)
        else:
            versions.fill_dimension(cursor, table)

    def _settle(self, cursor: Cursor, progress: RebuildProgress, table: StarTable) -> None:
        """Fill the ledger's quarantine for a table, and give back the room of the rows that were staged for it."""
        versions.fill_quarantine(cursor, table)
        add_every_unknown(cursor, BESIDE, [table])  # also where a later batch closes the quarantine
        if not progress.straight:
            versions.resolve_quarantine(cursor, table)
            cursor.execute(sql.SQL("TRUNCATE {}").format(versions.staged(table)))

    def _set_serial(self, cursor: Cursor, table: StarTable) -> None:
        """Set the sequence of record ids to the greatest, which the index finds quickly."""
        if isinstance(table, Fact):
            cursor.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence(%s, %s), max({id})) FROM {table}").format(
                    id=sql.Identifier(table.record_id), table=BESIDE.star(table.name)
                ),
                (f"etl.{table.name}", table.record_id),
            )

    def _fill_ledger(self, cursor: Cursor) -> None:
        versions.fill_row_counts(cursor)
        for name in LEDGER:
            cursor.execute(sql.SQL("ANALYZE {}").format(BESIDE.ledger(name)))
        note_filled(cursor)

    def _build_indexes(self, cursor: Cursor, missing: Sequence[Index]) -> bool:
        """Build indexes of others for as long as the transaction is short; return whether there was one to build."""
        until = time.monotonic() + SHORT_SECONDS
        for index in missing:
            index.build(cursor)
            logger.info("built the index %s of %s", index.entry.name, index.table)
            if time.monotonic() >= until:
                break
        return bool(missing)

    def _follow(self, cursor: Cursor, processed: ProcessedBucket) -> StepResult:
        """Load the next batch that has come since all was staged, or replace the live warehouse."""
        indexes = Indexes.of(cursor, self._tables)
        indexes.drop_old(cursor)  # a batch may break a unique one that the live table does not have any more
        entry, live = newest_entry(cursor, BESIDE), newest_entry(cursor, LIVE)
        newest = entry.batch if entry else 0
        if newest < processed.newest:
            manifest = processed.manifest(newest + 1, after=entry)
            if is_large(manifest):
                self._begin(cursor, processed)
                return StepResult.MORE
            load_batch(cursor, BESIDE, self._tables, manifest, processed.edition, self._bucket)
            return StepResult.MORE
        # If somebody has dropped the ledger, the row counts say what readers see.
        if (live.batch if live else newest_counted(cursor)) > newest:
            return StepResult.LATER  # the edition has not come as far as the warehouse yet
        if self._build_indexes(cursor, indexes.missing):
            return StepResult.MORE
        content = Content(edition=processed.edition, rebuild=False, edition_digest=processed.edition_digest)
        swap(cursor, self._tables, content)
        forget_setbacks(cursor)
        drop_made(cursor, _names(self._tables))
        self.staged = newest
        return StepResult.DONE


def _copy_tuples(cursor: Cursor, table: sql.Identifier, names: list[str], rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        copy_all(cursor, table, pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None))


def _names(tables: Sequence[StarTable], *, straight: bool = False) -> list[str]:
    """The tables in schema `etl` that a rebuild makes; one that is straight stages no rows."""
    made = [
        *(BESIDE.star(table.name) for table in tables),
        *(versions.staged(table) for table in tables if not straight),
        *(BESIDE.ledger(name) for name in LEDGER),
        versions.DELETES,
        versions.QUARANTINE,
        versions.ROWS_IN,
        versions.CHANGES,
    ]
    return [*(name.strings[-1] for name in made), "rebuild"]


def _build_steps(table: StarTable) -> list[str]:
    keys = [f"{table.name}, key {number}" for number in range(1, len(keys_of(table)) + 1)]
    return [f"{table.name}, room", table.name, *keys]
