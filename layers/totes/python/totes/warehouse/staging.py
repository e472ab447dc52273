"""Staging: COPY brings a batch's rows into temporary tables, which the session keeps and each commit empties."""

from collections.abc import Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.lake import Bucket, Part, read_part
from totes.star_schema import StarTable
from totes.warehouse.conform import conformed
from totes.warehouse.copying import copy_rows
from totes.warehouse.definitions import typed, types_of
from totes.warehouse.quarantine import copy_quarantine, copy_refused, quarantine_duplicates

QUARANTINE = sql.Identifier("pg_temp", "staging_quarantine")

# To make a temporary table takes some 36 locks until the transaction ends; one that is kept needs none of them.
_KEPT = "CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS"

_QUARANTINE_COLUMNS = sql.SQL("batch_id integer, star_table text, key bigint, reason text, source_row jsonb")


def stage(cursor: Cursor, table: StarTable, parts: Sequence[Part], processed: Bucket, batch: int) -> sql.Identifier:
    """Bring the rows of a star table's parts into its staging table, and return that table's name.

    A row that the warehouse refuses is staged for quarantine; `quarantine_staged_duplicates` does that for keys that
    come twice. Memory stays bounded by one part.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    staging = sql.Identifier("pg_temp", f"staging_{table.name}")
    cursor.execute(sql.SQL(_KEPT).format(staging, typed(table.columns)))
    prepare_quarantine(cursor)
    for part in parts:
        rows = conformed(table, read_part(processed, part), batch)
        copy_refused(cursor, QUARANTINE, table, copy_rows(cursor, staging, rows, types_of(table)), batch)
    cursor.execute(sql.SQL("ANALYZE {}").format(staging))
    return staging


def stage_deletes(cursor: Cursor, table: StarTable, parts: Sequence[Part], processed: Bucket) -> sql.Identifier:
    """Bring the keys of rows that are gone into a staging table with the column `key`, and return that table's name.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    staging = sql.Identifier("pg_temp", f"staging_deletes_{table.name}")
    cursor.execute(sql.SQL(_KEPT).format(staging, sql.SQL("key bigint PRIMARY KEY")))
    for part in parts:
        copy_rows(cursor, staging, read_part(processed, part))
    cursor.execute(sql.SQL("ANALYZE {}").format(staging))
    return staging


def stage_quarantine(cursor: Cursor, table: StarTable, parts: Sequence[Part], processed: Bucket, batch: int) -> None:
    """Copy the rows of a star table's quarantine parts to `QUARANTINE`, beside those that the warehouse refused.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    prepare_quarantine(cursor)
    for part in parts:
        rows = read_part(processed, part).with_columns(batch_id=pl.lit(batch), star_table=pl.lit(table.name))
        copy_quarantine(cursor, QUARANTINE, rows)


def quarantine_staged_duplicates(cursor: Cursor, table: StarTable, staging: sql.Identifier, batch: int) -> None:
    """Keep the first of the staged rows of each key; see `quarantine_duplicates`."""
    quarantine_duplicates(cursor, staging, table, QUARANTINE, sql.SQL("{}::integer").format(sql.Literal(batch)))


def prepare_quarantine(cursor: Cursor) -> None:
    """Make the staging table of quarantine if the session has none."""
    cursor.execute(sql.SQL(_KEPT).format(QUARANTINE, _QUARANTINE_COLUMNS))
