"""One piece of a plan, read in a snapshot of its own: newer than the plan's, so it misses nothing that the plan saw."""

import logging
from collections.abc import Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.changes import may_differ
from totes.capture.holdings.content import Holdings
from totes.capture.pieces.plan import Plans, ReadPiece
from totes.capture.rows.keys import SourceKeys
from totes.capture.rows.streaming import stream_rows
from totes.capture.source.contract import columns_of
from totes.capture.source.durability import wait_until_durable
from totes.capture.source.identity import identities_of
from totes.capture.source.renaming import as_named_by
from totes.capture.source.snapshot import snapshot_of
from totes.capture.source.succession import check_succession
from totes.capture.source.unique_keys import check_once, unguarded
from totes.capture.source_schema import SourceTable
from totes.capture.table_writer import TableWriter
from totes.lake import Bucket, Journal, KeyRanges, SortedRun
from totes.lake.manifests import last_capture
from totes.lake.pieces import FailedPiece, check_pieces

logger = logging.getLogger(__name__)


def read_piece(connection: Connection, ingestion: Bucket, tables: Sequence[SourceTable], plan: int, piece: int) -> bool:
    """Read a piece of a plan into the lake, unless that was done before.

    Whoever is killed on the way leaves parts that nobody names, and the next attempt reads the piece again.

    Args:
        connection: the source, outside a transaction.
        ingestion: the bucket of captured batches.
        tables: the tables that are captured.
        plan: the plan's number.
        piece: the piece, by its place in the plan.

    Returns:
        Whether it is read; not where the plan does not hold any more, because the source or the table is another one,
        or the batch was committed meanwhile.

    Raises:
        ContractError: the source does not have the shape that totes reads, or a key is there twice.
        SourceUnavailable: the table is being exchanged, the source's disk stands still, or it is a standby that is
            behind the plan.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the connection to the source was lost.
    """
    last = last_capture(Journal(ingestion))
    batch = last.batch + 1 if last else 1
    plans = Plans(ingestion, batch)
    planned = plans.find(plan)
    if planned is None:
        logger.warning("plan %d is not one for batch %d", plan, batch)
        return False
    if plans.is_read(planned, piece):
        return True
    of = planned.pieces[piece] if piece < len(planned.pieces) else None
    table = next((table for table in tables if of and table.name == of.table), None)
    if of is None or table is None:
        logger.warning("plan %d has no piece %d, or one of a table that is not captured", plan, piece)
        return False
    [table] = as_named_by(connection, [table])
    with snapshot_of(connection, [table]) as snapshot:
        check_succession(snapshot, planned.base)
        columns, identities = columns_of(snapshot, [table]), identities_of(snapshot, [table])
        if not planned.holds(snapshot, columns, identities):
            logger.warning("plan %d does not hold any more: the source, or table %s, is another one", plan, of.table)
            return False
        prefix, holdings = plans.place_of_rows(of.table, piece), planned.base.tables[of.table].holdings
        rows = _Rows(ingestion, table, prefix, holdings)
        condition = sql.SQL("{} AND {}").format(
            SourceKeys(snapshot, table, columns[of.table]).within(of.lowest, of.highest, in_text=True),
            may_differ(snapshot, last, table, columns[of.table], identities[of.table]),
        )
        if unguarded(snapshot, [table]):
            check_once(snapshot, table, condition)
        in_order = sql.SQL("{} ORDER BY {}").format(condition, sql.Identifier(table.source_key))
        stream_rows(snapshot, table, columns[of.table], in_order, rows.take)
    wait_until_durable(connection, snapshot)
    plans.finish(planned, piece, rows.read())
    logger.info("read %s: %d rows, of which %d are new or differ", of, rows.seen, rows.differing)
    return True


def check_read(plans: Plans, failed: Sequence[FailedPiece]) -> None:
    """Raise where pieces could not be read.

    Args:
        plans: the plans for the batch that they are pieces of.
        failed: pieces of one plan that could not be read in a run.

    Raises:
        PieceFailed: some have failed; the sentence names each, with its error.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    if failed and plans.find(failed[0].of) is None:
        return  # another run has committed their batch meanwhile
    check_pieces(failed, "plan", lambda plan: [str(piece) for piece in plans.read(plan).pieces], done="read")


class _Rows:
    """Takes a piece's rows, in the order of their keys, and writes those that the lake does not hold as they are."""

    def __init__(self, ingestion: Bucket, table: SourceTable, prefix: str, holdings: Sequence[SortedRun]) -> None:
        self._writer = TableWriter(ingestion, table, prefix, hold=lambda _rows: None, lose=lambda _keys: None)
        self._holdings = Holdings(holdings, table.key, ingestion)
        self._ranges = KeyRanges()
        self.seen = self.differing = 0

    def take(self, rows: pl.DataFrame) -> None:
        changed = self._holdings.changed_rows(rows, _NOTHING_IN_ANY_CASE)
        self._ranges = self._ranges.plus(changed.added)
        if changed.rows.height:
            self._writer.changed(changed.rows)
        self.seen += rows.height
        self.differing += changed.rows.height

    def read(self) -> ReadPiece:
        return ReadPiece(parts=self._writer.finish().parts, ranges=self._ranges)


_NOTHING_IN_ANY_CASE = pl.Series("key", [], dtype=pl.Int64)
