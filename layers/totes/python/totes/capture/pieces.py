"""One piece of a plan, read in a snapshot of its own: newer than the plan's, so it misses nothing that the plan saw."""

import logging
from collections.abc import Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from totes.capture.contract import columns_of
from totes.capture.durability import wait_until_durable
from totes.capture.identity import identities_of
from totes.capture.keys import check_once, unguarded
from totes.capture.plan import Plans, ReadPiece
from totes.capture.reader import stream_rows
from totes.capture.snapshot import snapshot_of
from totes.capture.source_keys import SourceKeys
from totes.capture.source_schema import SourceTable
from totes.capture.table_writer import TableWriter
from totes.lake import Bucket, KeyRanges
from totes.lake.pieces import FailedPiece, check_pieces

logger = logging.getLogger(__name__)

FIRST = 1
"""The batch that is read in pieces: the one before which the lake is empty."""


def read_piece(connection: Connection, lake: Bucket, tables: Sequence[SourceTable], plan: int, piece: int) -> bool:
    """Read a piece of a plan into the lake, unless that was done before.

    Whoever is killed on the way leaves parts that nobody names, and the next attempt reads the piece again.

    Args:
        connection: the source, outside a transaction.
        lake: the ingestion bucket.
        tables: the tables that are captured.
        plan: the plan's number.
        piece: the piece, by its place in the plan.

    Returns:
        Whether it is read; not where the plan does not hold any more, because the source or the table is another one.

    Raises:
        ContractError: the source does not have the shape that totes reads, or a key is there twice.
        SourceUnavailable: the table is being exchanged, or the source's disk stands still.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
        psycopg2.Error: the source broke off.
    """
    plans = Plans(lake, FIRST)
    planned = plans.read(plan)
    if plans.is_read(planned, piece):
        return True
    of = planned.pieces[piece]
    table = next(table for table in tables if table.name == of.table)
    rows = _Rows(lake, f"batches/{FIRST:010d}/{of.table}/piece-{piece:05d}", table.key)
    with snapshot_of(connection, [table]) as snapshot:
        columns, identities = columns_of(snapshot, [table]), identities_of(snapshot, [table])
        if not planned.holds(snapshot, columns, identities):
            logger.warning("plan %d does not hold any more: the source, or table %s, is another one", plan, of.table)
            return False
        condition = SourceKeys(snapshot, table, columns[of.table]).within(of.lowest, of.highest)
        if unguarded(snapshot, [table]):
            check_once(snapshot, table, condition)
        in_order = sql.SQL("{} ORDER BY {}").format(condition, sql.Identifier(table.key))
        stream_rows(snapshot, of.table, columns[of.table], in_order, rows.take)
    wait_until_durable(connection, snapshot)
    plans.finish(planned, piece, rows.read())
    logger.info("read %s: %d rows", of, rows.ranges.rows)
    return True


def check_read(lake: Bucket, failed: Sequence[FailedPiece]) -> None:
    """Raise where pieces could not be read.

    Args:
        lake: the ingestion bucket.
        failed: pieces of one plan that a run could not have read.

    Raises:
        PieceFailed: some have failed; the sentence names each, with its error.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    check_pieces(
        failed, "plan", lambda plan: [str(piece) for piece in Plans(lake, FIRST).read(plan).pieces], done="read"
    )


class _Rows:
    """Takes a piece's rows, in the order of their keys, and writes them."""

    def __init__(self, lake: Bucket, prefix: str, key: str) -> None:
        self._writer = TableWriter(lake, prefix, key, hold=lambda _rows: None, lose=lambda _keys: None)
        self._key = key
        self.ranges = KeyRanges()

    def take(self, rows: pl.DataFrame) -> None:
        self._writer.changed(rows)
        self.ranges = self.ranges.plus(rows[self._key].cast(pl.Int64))

    def read(self) -> ReadPiece:
        return ReadPiece(parts=self._writer.run().parts, ranges=self.ranges)
