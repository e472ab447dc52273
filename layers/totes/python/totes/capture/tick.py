"""A tick of the source: what has changed since the last batch becomes the next batch, or nothing does."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.changes import Changes, TableChanges
from totes.capture.contract import columns_of
from totes.capture.drift import drift
from totes.capture.durability import wait_until_durable
from totes.capture.guard import Gone, check_deletes
from totes.capture.identity import differs, identities_of, shifts
from totes.capture.merging import in_order, with_run
from totes.capture.reader import stream_rows
from totes.capture.shape import SourceTable
from totes.capture.snapshot import Snapshot, snapshot_of
from totes.capture.succession import check_succession
from totes.capture.table_writer import TableWriter
from totes.errors import ConfigurationError
from totes.lake import Bucket, CapturedTable, CaptureManifest, Journal, Run
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
        keys = _PendingKeys(table.key)
        TableChanges(snapshot, lake, table, columns[table.name], identities[table.name], last).read(keys)
        found[table.name] = keys.pending()
    return found


class _PendingKeys:
    """Keeps the keys of what has changed, and no rows."""

    def __init__(self, key: str) -> None:
        self._changed = [pl.Series(key, [], dtype=pl.Int64)]
        self._gone = [pl.Series(key, [], dtype=pl.Int64)]
        self._key = key

    def changed(self, rows: pl.DataFrame) -> None:
        self._changed.append(rows[self._key].cast(pl.Int64))

    def gone(self, keys: pl.Series) -> None:
        self._gone.append(keys)

    def keys(self, lowest: int, highest: int) -> pl.Series:
        return pl.concat(keys.filter(keys.is_between(lowest, highest)) for keys in self._changed)

    def pending(self) -> Pending:
        return Pending(changed=pl.concat(self._changed), deleted=pl.concat(self._gone))


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
        self._writers = {
            table.name: TableWriter(
                lake,
                f"batches/{batch:010d}/{table.name}",
                table.key,
                link=partial(self._link, table),
                lose=partial(self._lose, table),
            )
            for table in tables
        }
        # Of tables that dimensions join, the keys and references that the batch has come to hold.
        self._links: dict[str, list[pl.DataFrame]] = {}
        # And of those that complete others, the keys of rows that are gone.
        self._lost: dict[str, list[pl.Series]] = {}

    def tables(
        self, again: Mapping[str, Sequence[int]], accept_deletes: Collection[str], mass_deletion_percent: int
    ) -> dict[str, CapturedTable]:
        def permit(gone: Mapping[str, int]) -> None:
            held = {name: before.held if (before := self._before(name)) else 0 for name in gone}
            tables = {name: Gone(gone=count, held=held[name]) for name, count in gone.items()}
            check_deletes(tables, percent=mass_deletion_percent, accepted=accept_deletes)

        def permit_one(table: str, gone: int) -> None:
            permit({table: gone})

        readings = {name: self._reading(table, again.get(name, ())) for name, table in self._tables.items()}
        permit({name: reading.gone_at_least for name, reading in readings.items()})  # before anything is written
        found = {}
        for name, reading in readings.items():
            if reading.comes_in_order:
                reading.runs = in_order(reading.runs, self._tables[name].key, self._lake, self._merged(name))
            found[name] = reading.read(self._writers[name], partial(permit_one, name))
        self._read_contexts()
        return {name: self._captured(name, reading.runs, found[name]) for name, reading in readings.items()}

    def _before(self, table: str) -> CapturedTable | None:
        return self._last.tables.get(table) if self._last else None

    def _reading(self, table: SourceTable, again: Sequence[int]) -> TableChanges:
        columns, identity = self._columns[table.name], self._identities[table.name]
        return TableChanges(self._snapshot, self._lake, table, columns, identity, self._last, again)

    def _captured(self, name: str, held: Sequence[Run], changes: Changes) -> CapturedTable:
        writer, key = self._writers[name], self._tables[name].key
        newest = writer.run()
        return CapturedTable(
            columns=self._columns[name],
            held=changes.held,
            changes=newest.parts,
            deletes=newest.deleted,
            context=tuple(writer.context),
            holdings=with_run(held, newest, key, self._lake, self._merged(name)) if newest.rows else tuple(held),
            ranges=changes.ranges,
            identity=self._identities[name],
        )

    def _merged(self, table: str) -> str:
        """Where what is merged in this batch goes."""
        return f"holdings/{table}/{self._batch:010d}"

    def _read_contexts(self) -> None:
        """Complete each joined pair of tables: referring rows of what changed or is gone, then what they refer to."""
        if self._last is None:  # all there is has been captured
            return
        pairs = [
            (table, reference, self._tables[completing])
            for table in self._tables.values()
            for reference, completing in table.completed_by.items()
        ]
        for table, reference, completing in pairs:
            changed = self._linked(completing.name, completing.key).cast(pl.Int64)
            lost = self._lost.get(completing.name, [])
            self._read_context(table, reference, pl.concat([changed, *(keys.alias(changed.name) for keys in lost)]))
        for table, reference, completing in pairs:
            referred = self._linked(table.name, reference).cast(pl.Int64)
            captured = self._linked(completing.name, completing.key).cast(pl.Int64)
            self._read_context(completing, completing.key, referred.filter(~referred.is_in(captured.implode())))

    def _read_context(self, table: SourceTable, column: str, values: pl.Series) -> None:
        """Bring the rows whose column has one of the values and which the batch does not have yet."""

        def keep(rows: pl.DataFrame) -> None:
            missing = rows.join(self._linked(table.name, table.key).to_frame(table.key), on=table.key, how="anti")
            if missing.height:
                self._writers[table.name].add_context(missing)

        for start in range(0, values.len(), _ASKED_AT_ONCE):
            asked = sql.Literal(values.slice(start, _ASKED_AT_ONCE).to_list())
            condition = sql.SQL("{} = ANY({})").format(sql.Identifier(column), asked)
            stream_rows(self._snapshot, table.name, self._columns[table.name], condition, keep)

    def _link(self, table: SourceTable, rows: pl.DataFrame) -> None:
        """Remember which rows of tables that dimensions join the batch has."""
        if table.completed_by or self._completes_others(table):
            self._links.setdefault(table.name, []).append(rows.select(table.key, *table.completed_by))

    def _lose(self, table: SourceTable, keys: pl.Series) -> None:
        """Remember which rows are gone of tables that complete others, even where no foreign key forbids it."""
        if self._completes_others(table):
            self._lost.setdefault(table.name, []).append(keys)

    def _completes_others(self, table: SourceTable) -> bool:
        return any(table.name in other.completed_by.values() for other in self._tables.values())

    def _linked(self, table: str, column: str) -> pl.Series:
        frames = self._links.get(table)
        if not frames:
            return pl.Series(column, [], dtype=pl.Int64)
        return pl.concat([frame.select(column) for frame in frames]).to_series().drop_nulls().unique()
