"""A capture of the source: what has changed since the last batch becomes the next batch, or nothing does."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import polars as pl
from psycopg2.extensions import connection as Connection

from totes.capture.changes import changes_of
from totes.capture.mass_deletion import Gone, check_deletes
from totes.capture.pieces.plan import Plans
from totes.capture.pieces.reader import check_read
from totes.capture.reading import BatchRead, read_batch
from totes.capture.source.drift import drift_of_columns
from totes.capture.source.durability import wait_until_durable
from totes.capture.source.identity import differs, drift_of_identity
from totes.capture.source.renaming import as_named_by
from totes.capture.source.snapshot import Snapshot
from totes.capture.source.succession import check_succession
from totes.capture.source_schema import SourceTable
from totes.errors import ConfigurationError, MassDeletion
from totes.lake import Bucket, CapturedTable, CaptureManifest, FailedPiece, Journal, PiecesLeft, RecentObjects
from totes.lake.manifests import digest, last_capture

logger = logging.getLogger(__name__)

NOTHING_TO_RECAPTURE: Mapping[str, Sequence[int]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What a capture would bring of a table, unless a mass deletion stops it.

    Attributes:
        changed: keys (64-bit integers) of rows that are new or changed.
        deleted: keys of rows that are gone.
        held: how many rows the lake holds.
    """

    changed: pl.Series
    deleted: pl.Series
    held: int


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What a capture came to.

    Attributes:
        batch: the batch that it committed; None: nothing changed.
        newest: the newest batch in the lake; 0: none.
        drift: in which ways the source's shape has changed.
        unread: pieces of a batch that is too large for one function, to be read before there is one; then another
            capture puts them together.
    """

    batch: int | None
    newest: int
    drift: tuple[str, ...] = ()
    unread: PiecesLeft | None = None


def capture(
    connection: Connection,
    ingestion: Bucket,
    tables: Sequence[SourceTable],
    *,
    recapture: Mapping[str, Sequence[int]] = NOTHING_TO_RECAPTURE,
    accept_deletes: Collection[str] = (),
    mass_deletion_percent: int = 20,
    rows_in_one_function: int | None = None,
    failed: Sequence[FailedPiece] = (),
) -> Captured:
    """Commit what has changed in the source since the last batch as the next batch.

    A capture that finds nothing new writes nothing.

    Args:
        connection: the source, outside a transaction.
        ingestion: the bucket of captured batches.
        tables: the tables to capture.
        recapture: keys of each source table whose rows are part of the batch whether or not they have changed; those
            that the source does not have are captured as deleted.
        accept_deletes: tables of which any number of rows may be gone.
        mass_deletion_percent: how many of a hundred rows of any other table may be gone at once.
        rows_in_one_function: if more rows than this, of all tables, may have changed, many functions read them in
            pieces; None: never. For a first batch, after a restart or by a migration all may have changed.
        failed: pieces of this run that could not be read.

    Raises:
        ContractError: the source does not have the shape that totes reads.
        PieceFailed: a piece could not be read.
        MassDeletion: more rows are gone than may be.
        SourceUnavailable: the source is a standby that is behind the last batch, its tables are being exchanged, or its
            disk stands still.
        BatchTaken: another run committed the batch first.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """
    unknown = {*recapture, *accept_deletes} - {table.name for table in tables}
    if unknown:
        known = ", ".join(sorted(table.name for table in tables))
        raise ConfigurationError(
            f"the source has no table {', '.join(sorted(unknown))} that totes captures; name some of {known}"
        )
    tables = as_named_by(connection, tables)
    ingestion = RecentObjects.of(ingestion)
    journal = Journal(ingestion)
    newest = journal.newest()
    last_body = journal.read(newest) if newest else None
    last = CaptureManifest.from_json(last_body) if last_body else None
    check_read(Plans(ingestion, newest + 1), failed)
    permit = partial(check_deletes, percent=mass_deletion_percent, accepted=accept_deletes)
    read = read_batch(connection, ingestion, tables, last, newest + 1, recapture, permit, rows_in_one_function)
    if isinstance(read, PiecesLeft):
        return Captured(batch=None, newest=newest, unread=read)
    snapshot, captured = read.snapshot, read.captured()
    drifted = _drift(captured, last)
    for sentence in drifted:
        logger.warning("the source's shape has changed: %s", sentence, extra={"drift": sentence})
    changes = {name: _count(table) for name, table in captured.items() if _count(table)}
    if not changes and not _must_be_told(read, captured, last):
        logger.info("nothing changed since batch %d", newest)
        return Captured(batch=None, newest=newest)
    wait_until_durable(connection, snapshot)
    manifest = CaptureManifest(
        batch=newest + 1,
        parent=digest(last_body) if last_body else None,
        captured_at=read.began,
        horizon=snapshot.horizon,
        source=snapshot.source,
        drift=drifted,
        tables=read.merged(captured),
        position=snapshot.position,
        host=snapshot.host,
    )
    journal.commit(manifest.batch, manifest.to_json())
    logger.info("committed batch %d", manifest.batch, extra={"batch": manifest.batch, "changes": changes})
    return Captured(batch=manifest.batch, newest=manifest.batch, drift=drifted)


def pending(snapshot: Snapshot, ingestion: Bucket, tables: Sequence[SourceTable]) -> Mapping[str, Pending]:
    """Return what the next capture would bring, if it saw this snapshot, of each source table; nothing is written.

    Args:
        snapshot: the state of the source.
        ingestion: the bucket of captured batches.
        tables: the tables to look at, as the source names them (`as_named_by`).

    Raises:
        ContractError: the source does not have the shape that totes reads.
        SourceUnavailable: the source is a standby that is behind the last batch.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """
    last = last_capture(Journal(ingestion))
    check_succession(snapshot, last)
    keys = {table.name: table.key for table in tables}
    found = {}
    for name, changes in changes_of(snapshot, ingestion, tables, last, NOTHING_TO_RECAPTURE).items():
        pending_keys = _PendingKeys(keys[name])
        changes.read(pending_keys)
        found[name] = pending_keys.pending(changes.held)
    return found


def stopped_by(found: Mapping[str, Pending], *, mass_deletion_percent: int) -> str | None:
    """Return why a mass deletion would stop the next capture, so that it brings nothing; None: none would.

    Args:
        found: what is pending, by source table.
        mass_deletion_percent: how many of a hundred rows of a table may be gone at once.
    """
    gone = {name: Gone(gone=table.deleted.len(), held=table.held) for name, table in found.items()}
    try:
        check_deletes(gone, percent=mass_deletion_percent, accepted=())
    except MassDeletion as error:
        return str(error)
    return None


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

    def pending(self, held: int) -> Pending:
        return Pending(changed=pl.concat(self._changed), deleted=pl.concat(self._gone), held=held)


def _count(table: CapturedTable) -> int:
    return sum(part.rows for part in (*table.changes, *table.deletes))


def _drift(captured: Mapping[str, CapturedTable], last: CaptureManifest | None) -> tuple[str, ...]:
    before = last.tables if last else {}
    return tuple(
        sentence
        for name, table in captured.items()
        if name in before
        for sentence in (
            *drift_of_columns(name, before[name].columns, table.columns),
            *(drift_of_identity(name, before[name].identity, table.identity) if table.identity else ()),
        )
    )


def _must_be_told(read: BatchRead, captured: Mapping[str, CapturedTable], last: CaptureManifest | None) -> bool:
    """Whether there is a batch although no row has changed.

    There is one if the source, or its shape, is not what the last batch says; if a dimension has come to join two
    tables; and if sorted runs were rewritten without overlaps, which each capture would do again.
    """
    if last is None:
        return False
    has_context = any(table.context for table in captured.values())
    return (
        not read.snapshot.continues(last) or _is_of_another_shape(captured, last) or has_context or bool(read.rewritten)
    )


def _is_of_another_shape(captured: Mapping[str, CapturedTable], last: CaptureManifest) -> bool:
    """Whether a table has other columns than the last batch says, or is another one, or is new to the lake or totes."""
    return any(
        before is None
        or before.is_of_an_earlier_totes
        or before.columns != table.columns
        or (table.identity is not None and differs(before.identity, table.identity))
        for name, table in captured.items()
        for before in [last.tables.get(name)]
    )
