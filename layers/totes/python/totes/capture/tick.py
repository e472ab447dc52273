"""A tick of the source: what has changed since the last batch becomes the next batch, or nothing does."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.changes import Changes, changes_of
from totes.capture.contract import columns_of
from totes.capture.drift import drift
from totes.capture.durability import wait_until_durable
from totes.capture.guard import check_deletes
from totes.capture.holdings import PART_ROWS, with_run
from totes.capture.identity import differs, identities_of, shifts
from totes.capture.reader import stream_rows
from totes.capture.shape import SourceTable
from totes.capture.snapshot import Snapshot, snapshot_of
from totes.capture.succession import check_succession
from totes.errors import ConfigurationError, ContractError
from totes.lake import Bucket, CapturedTable, CaptureManifest, Journal, Part, Run, write_part
from totes.lake.manifests import digest

logger = logging.getLogger(__name__)

NOTHING_AGAIN: Mapping[str, Sequence[int]] = MappingProxyType({})

_ASKED_AT_ONCE = 10_000
"""Keys in one statement that asks for context."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What a tick would bring of a table: keys (64-bit integers) of rows new or changed, and of rows gone."""

    changed: pl.Series
    deleted: pl.Series


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The batch that a tick committed (None: nothing changed), the newest in the lake (0: none), and what it tells.

    Attributes:
        batch, newest: the batches.
        drift: in which ways the source's shape has changed.
    """

    batch: int | None
    newest: int
    drift: tuple[str, ...] = ()


def capture(
    connection: Connection,
    lake: Bucket,
    tables: Sequence[SourceTable],
    *,
    again: Mapping[str, Sequence[int]] = NOTHING_AGAIN,
    accept_deletes: Collection[str] = (),
    mass_deletion_percent: int = 20,
) -> Captured:
    """Commit what has changed in the source since the last batch as the next batch.

    A tick that finds nothing new writes nothing.

    Args:
        connection: the source, outside a transaction.
        lake: the ingestion bucket.
        tables: the tables to capture.
        again: keys of each source table whose rows are part of the batch whether or not they have changed; those
            that the source does not have are captured as deleted.
        accept_deletes: tables of which any number of rows may be gone.
        mass_deletion_percent: how many of a hundred rows of any other table may be gone at once.

    Raises:
        ContractError: the source has not the shape that totes reads.
        MassDeletion: more rows are gone than may be.
        SourceUnavailable: the source is a standby that is behind the last batch, or its tables are being exchanged.
        BatchTaken: another run committed the batch first.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    unknown = {*again, *accept_deletes} - {table.name for table in tables}
    if unknown:
        raise ConfigurationError(f"the source has no table {', '.join(sorted(unknown))} that totes captures")
    journal = Journal(lake)
    newest = journal.newest()
    last_body = journal.read(newest) if newest else None
    last = CaptureManifest.from_json(last_body) if last_body else None
    with snapshot_of(connection, tables) as snapshot:
        captured_at = datetime.now(UTC)
        check_succession(snapshot, last)
        reading = _Capture(snapshot, lake, tables, last, batch=newest + 1)
        captured = reading.tables(again, accept_deletes, mass_deletion_percent)
    drifted = _drift(captured, last)
    for sentence in drifted:
        logger.warning("the source's shape has changed: %s", sentence, extra={"drift": sentence})
    changes = {name: _count(table) for name, table in captured.items() if _count(table)}
    if not changes and (last is None or (snapshot.continues(last) and not _is_of_another_shape(captured, last))):
        logger.info("nothing changed since batch %d", newest)
        return Captured(batch=None, newest=newest)
    # Where the source is another one, or of another shape, than the last batch says, even no change is a batch.
    manifest = CaptureManifest(
        batch=newest + 1,
        parent=digest(last_body) if last_body else None,
        captured_at=captured_at,
        horizon=snapshot.horizon,
        source=snapshot.source,
        drift=drifted,
        tables=captured,
        position=snapshot.position,
        host=snapshot.host,
    )
    wait_until_durable(connection, snapshot)
    journal.commit(manifest.batch, manifest.to_json())
    logger.info("committed batch %d", manifest.batch, extra={"batch": manifest.batch, "changes": changes})
    return Captured(batch=manifest.batch, newest=manifest.batch, drift=drifted)


def pending(snapshot: Snapshot, lake: Bucket, tables: Sequence[SourceTable]) -> Mapping[str, Pending]:
    """Return what the next tick would bring, if it saw this snapshot, of each source table; nothing is written.

    Args:
        snapshot: the state of the source.
        lake: the ingestion bucket.
        tables: the tables to look at.

    Raises:
        ContractError: the source has not the shape that totes reads.
        SourceUnavailable: the source is a standby that is behind the last batch.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    journal = Journal(lake)
    newest = journal.newest()
    last = CaptureManifest.from_json(journal.read(newest)) if newest else None
    check_succession(snapshot, last)
    columns, identities = columns_of(snapshot, tables), identities_of(snapshot, tables)
    found = {}
    for table in tables:
        changed = [pl.Series(table.key, [], dtype=pl.Int64)]
        shape = columns[table.name], identities[table.name]
        changes = changes_of(snapshot, lake, table, *shape, last, _keep_keys(table.key, changed))
        found[table.name] = Pending(changed=pl.concat(changed), deleted=changes.gone)
    return found


def _keep_keys(key: str, keys: list[pl.Series]) -> Callable[[pl.DataFrame], None]:
    return lambda rows: keys.append(rows[key].cast(pl.Int64))


def _count(table: CapturedTable) -> int:
    return sum(part.rows for part in (*table.changes, *table.deletes))


def _drift(captured: Mapping[str, CapturedTable], last: CaptureManifest | None) -> tuple[str, ...]:
    before = last.tables if last else {}
    return tuple(
        sentence
        for name, table in captured.items()
        if name in before
        for sentence in (
            *drift(name, before[name].columns, table.columns),
            *(shifts(name, before[name].identity, table.identity) if table.identity else ()),
        )
    )


def _is_of_another_shape(captured: Mapping[str, CapturedTable], last: CaptureManifest) -> bool:
    """Whether a table has other columns than the last batch says, or is another one, or is new to the lake."""
    return any(
        before is None
        or before.columns != table.columns
        or (table.identity is not None and differs(before.identity, table.identity))
        for name, table in captured.items()
        for before in [last.tables.get(name)]
    )


def _check_once(table: SourceTable, keys: pl.Series) -> None:
    """Refuse sorted keys of which one is there twice: a unique index that is broken, for no sound one allows it."""
    twice = keys.filter(keys == keys.shift(1))
    if twice.len():
        raise ContractError(
            f"{table.key} {twice[0]} is there more than once in table {table.name}, which its unique index should "
            f"forbid; look for the row, and REINDEX"
        )


class _Capture:
    """The reading of one batch: every table's changes first, then the context that joined dimensions need."""

    def __init__(
        self,
        snapshot: Snapshot,
        lake: Bucket,
        tables: Sequence[SourceTable],
        last: CaptureManifest | None,
        batch: int,
    ) -> None:
        self._snapshot = snapshot
        self._lake = lake
        self._tables = {table.name: table for table in tables}
        self._last = last
        self._batch = batch
        self._columns = columns_of(snapshot, tables)
        self._identities = identities_of(snapshot, tables)
        # Of tables that dimensions join, the keys and references that the batch has come to hold.
        self._links: dict[str, list[pl.DataFrame]] = {}
        # The keys of rows that are gone: those who refer to them have changed with that.
        self._gone: dict[str, pl.Series] = {}

    def tables(
        self, again: Mapping[str, Sequence[int]], accept_deletes: Collection[str], mass_deletion_percent: int
    ) -> dict[str, CapturedTable]:
        captured = {}
        for table in self._tables.values():
            before = self._last.tables.get(table.name) if self._last else None
            found, parts = self._changes(table, again.get(table.name, ()))
            check_deletes(
                table.name,
                gone=found.gone.len(),
                held=before.held if before else 0,
                percent=mass_deletion_percent,
                accepted=accept_deletes,
            )
            self._gone[table.name] = found.gone
            captured[table.name] = self._captured(table, before.holdings if before else (), found, parts)
        for name, context in self._context().items():
            captured[name] = replace(captured[name], context=tuple(context))
        return captured

    def _changes(self, table: SourceTable, again: Sequence[int]) -> tuple[Changes, list[Part]]:
        parts: list[Part] = []

        def keep(news: pl.DataFrame) -> None:
            parts.append(self._write(table, news, "changes", len(parts)))

        shape = self._columns[table.name], self._identities[table.name]
        return changes_of(self._snapshot, self._lake, table, *shape, self._last, keep, again), parts

    def _captured(
        self, table: SourceTable, held: tuple[Run, ...], found: Changes, changes: Sequence[Part]
    ) -> CapturedTable:
        gone = pl.concat([found.gone, found.absent]).sort().to_frame(table.key)
        place = f"batches/{self._batch:010d}/{table.name}/deletes"
        deletes = [
            write_part(self._lake, f"{place}-{number:05d}", rows, row_key=table.key)
            for number, rows in enumerate(gone.iter_slices(PART_ROWS))
            if rows.height
        ]
        newest = Run(parts=tuple(changes), deleted=tuple(deletes))
        merged = f"holdings/{table.name}/{self._batch:010d}"
        return CapturedTable(
            columns=self._columns[table.name],
            held=found.held,
            changes=newest.parts,
            deletes=newest.deleted,
            holdings=with_run(held, newest, table.key, self._lake, merged) if newest.rows else held,
            identity=self._identities[table.name],
        )

    def _context(self) -> Mapping[str, list[Part]]:
        """Complete each joined pair of tables: referring rows of what changed, then what all those refer to."""
        context: dict[str, list[Part]] = {}
        if self._last is None:  # all there is has been captured
            return context
        pairs = [
            (table, reference, self._tables[completing])
            for table in self._tables.values()
            for reference, completing in table.completed_by.items()
        ]
        for table, reference, completing in pairs:
            changed = self._linked(completing.name, completing.key).cast(pl.Int64)
            gone = self._gone[completing.name].alias(completing.key)
            self._read_context(table, reference, pl.concat([changed, gone]), context)
        for table, reference, completing in pairs:
            referred = self._linked(table.name, reference).cast(pl.Int64)
            captured = self._linked(completing.name, completing.key).cast(pl.Int64)
            self._read_context(
                completing, completing.key, referred.filter(~referred.is_in(captured.implode())), context
            )
        return context

    def _read_context(self, table: SourceTable, column: str, values: pl.Series, context: dict[str, list[Part]]) -> None:
        """Bring the rows whose column has one of the values and which the batch does not have yet."""

        def keep(rows: pl.DataFrame) -> None:
            missing = rows.join(self._linked(table.name, table.key).to_frame(table.key), on=table.key, how="anti")
            if missing.height:
                parts = context.setdefault(table.name, [])
                parts.append(self._write(table, missing, "context", len(parts)))

        for start in range(0, values.len(), _ASKED_AT_ONCE):
            asked = sql.Literal(values.slice(start, _ASKED_AT_ONCE).to_list())
            condition = sql.SQL("{} = ANY({})").format(sql.Identifier(column), asked)
            stream_rows(self._snapshot, table.name, self._columns[table.name], condition, keep)

    def _write(self, table: SourceTable, rows: pl.DataFrame, role: str, number: int) -> Part:
        if table.completed_by or any(table.name in other.completed_by.values() for other in self._tables.values()):
            self._links.setdefault(table.name, []).append(rows.select(table.key, *table.completed_by))
        place = f"batches/{self._batch:010d}/{table.name}/{role}-{number:05d}"
        rows = rows.sort(table.key)
        _check_once(table, rows[table.key])
        return write_part(self._lake, place, rows, row_key=table.key)

    def _linked(self, table: str, column: str) -> pl.Series:
        frames = self._links.get(table)
        if not frames:
            return pl.Series(column, [], dtype=pl.Int64)
        return pl.concat([frame.select(column) for frame in frames]).to_series().drop_nulls().unique()
