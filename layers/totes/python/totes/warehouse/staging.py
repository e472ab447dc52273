"""Staging: a part's rows, brought by COPY into a temporary table that lives as long as the transaction."""

import io
from collections.abc import Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.lake import Bucket, Part, read_part
from totes.shapes import StarTable


def stage(cursor: Cursor, table: StarTable, parts: Sequence[Part], lake: Bucket) -> sql.Identifier:
    """Bring the rows of a star table's parts into its staging table, and return that table's name.

    Memory stays bounded by one part.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
        psycopg2.Error: the warehouse broke off.
    """
    staging = _new_staging(cursor, f"staging_{table.name}")
    columns = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            staging, identifiers(columns), sql.Identifier("public", table.name)
        )
    )
    for part in parts:
        copy_rows(cursor, staging, read_part(lake, part).select(columns))
    cursor.execute(sql.SQL("ANALYZE {}").format(staging))
    return staging


def stage_deletes(cursor: Cursor, table: StarTable, parts: Sequence[Part], lake: Bucket) -> sql.Identifier:
    """Bring the keys of rows that are gone into a staging table with the column `key`, and return that table's name.

    Raises:
        LakeCorrupted: a part is missing or not what was written.
        psycopg2.Error: the warehouse broke off.
    """
    staging = _new_staging(cursor, f"staging_deletes_{table.name}")
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} (key bigint PRIMARY KEY) ON COMMIT DROP").format(staging))
    for part in parts:
        copy_rows(cursor, staging, read_part(lake, part))
    cursor.execute(sql.SQL("ANALYZE {}").format(staging))
    return staging


def _new_staging(cursor: Cursor, name: str) -> sql.Identifier:
    """A name of a temporary table that is free: a reload stages batch after batch in one transaction."""
    staging = sql.Identifier("pg_temp", name)
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(staging))
    return staging


def copy_rows(cursor: Cursor, table: sql.Identifier, rows: pl.DataFrame) -> None:
    """Copy a frame into the columns of a table that have its columns' names; NULL and the empty text stay apart."""
    text = io.BytesIO()
    rows.write_csv(text, include_header=False, quote_style="non_numeric", time_format="%H:%M:%S%.3f")
    text.seek(0)
    cursor.copy_expert(sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, identifiers(rows.columns)), text)


def identifiers(names: Sequence[str], table: str | None = None) -> sql.Composable:
    """Return column names for a statement, separated by commas, of one table where it is given."""
    return sql.SQL(", ").join(sql.Identifier(table, name) if table else sql.Identifier(name) for name in names)
