"""Quarantine: rows that could not become rows of a star table, until their keys come again."""

import json
from collections.abc import Sequence

import polars as pl
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.star_schema import StarTable
from totes.texts import texts_of
from totes.warehouse.copying import REFUSES, Refused, copy_all, copy_rows
from totes.warehouse.definitions import identifiers
from totes.warehouse.places import Place

COLUMNS = ("batch_id", "star_table", "key", "reason", "source_row")

_KEPT = 1_000_000
"""Characters that are kept of a row that jsonb cannot hold; the lake has all of it."""


def copy_quarantine(cursor: Cursor, table: sql.Identifier, rows: pl.DataFrame) -> None:
    """Copy rows for quarantine into a table with the columns of `COLUMNS`.

    If jsonb or the database's encoding cannot hold a row, its text is kept as `_text`, in ASCII and shortened.
    """
    refused = copy_rows(cursor, table, rows.select(COLUMNS))
    if refused:
        copy_all(cursor, table, pl.concat([_in_ascii(each) for each in refused]))


def copy_refused(
    cursor: Cursor, table: sql.Identifier, star: StarTable, refused: Sequence[Refused], batch: int | None = None
) -> None:
    """Copy star rows that the warehouse refuses into a table of quarantine.

    Args:
        cursor: the warehouse.
        table: a table with the columns of `COLUMNS`.
        star: the star table that refuses them.
        refused: the rows, with a column `batch_id` unless the batch is given.
        batch: the batch of all of them.
    """
    for each in refused:
        texts = texts_of(each.row.select(column.name for column in star.columns))
        row = each.row.select(
            (pl.col("batch_id") if batch is None else pl.lit(batch)).alias("batch_id"),
            pl.lit(star.name).alias("star_table"),
            pl.col(star.key).cast(pl.Int64).alias("key"),
            pl.lit(each.words).alias("reason"),
            texts.select(pl.struct(pl.all()).struct.json_encode().alias("source_row")).to_series(),
        )
        copy_quarantine(cursor, table, row)


def quarantine_duplicates(
    cursor: Cursor, rows: sql.Identifier, table: StarTable, quarantine: sql.Identifier, batch: sql.Composable
) -> int:
    """Keep the first of the rows that one batch brings for one key; put those with other values in quarantine.

    Args:
        cursor: the warehouse.
        rows: the table that they are in, with the star table's columns.
        table: the star table.
        quarantine: the table that they are put in, with the columns of `COLUMNS`.
        batch: which batch a row is of: a column of `rows`, or one number.

    Returns:
        How many rows were taken out.
    """
    columns = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL("""
            WITH twice AS (
                SELECT {batch} AS batch_id, {key}, min(ctid) AS first FROM {rows}
                GROUP BY 1, 2 HAVING count(*) > 1
            ), taken AS (
                DELETE FROM {rows} AS again USING twice JOIN {rows} AS first ON first.ctid = twice.first
                WHERE again.{key} = twice.{key} AND {batch_of_again} = twice.batch_id AND again.ctid <> twice.first
                RETURNING twice.batch_id, again.{key}, ({again}) IS DISTINCT FROM ({first}) AS differs,
                    row_to_json((SELECT said FROM (SELECT {again}) AS said))::jsonb AS source_row
            ), kept AS (
                INSERT INTO {quarantine} (batch_id, star_table, key, reason, source_row)
                SELECT batch_id, {name}, {key}, {reason}, source_row FROM taken WHERE differs
            )
            SELECT count(*) FROM taken
        """).format(
            rows=rows,
            batch=batch,
            batch_of_again=sql.SQL("again.{}").format(batch) if isinstance(batch, sql.Identifier) else batch,
            key=sql.Identifier(table.key),
            again=identifiers(columns, "again"),
            first=identifiers(columns, "first"),
            quarantine=quarantine,
            name=sql.Literal(table.name),
            reason=sql.Literal(f"{table.key} comes twice in this batch, and not with the same values"),
        )
    )
    [[taken]] = cursor.fetchall()
    return int(taken)


def add_quarantine(cursor: Cursor, staged: sql.Identifier, place: Place, table: StarTable, batch: int) -> int:
    """Put a batch's staged rows of a star table in quarantine, and close the earlier rows of their keys.

    Returns:
        How many rows were put there: at most one for a key.
    """
    quarantine = place.ledger("quarantine")
    values = {"batch": batch, "table": table.name}
    cursor.execute(
        sql.SQL(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM {} WHERE star_table = %(table)s ON CONFLICT DO NOTHING"
        ).format(quarantine, staged, columns=identifiers(COLUMNS)),
        values,
    )
    added = cursor.rowcount
    cursor.execute(
        sql.SQL(
            "UPDATE {quarantine} AS earlier SET resolved_by = %(batch)s FROM {quarantine} AS again "
            "WHERE again.batch_id = %(batch)s AND again.star_table = %(table)s AND earlier.star_table = %(table)s "
            "AND earlier.key = again.key AND earlier.batch_id < %(batch)s AND earlier.resolved_by IS NULL"
        ).format(quarantine=quarantine),
        values,
    )
    return added


def open_quarantine(cursor: Cursor, table: StarTable) -> pl.DataFrame:
    """Return the rows of a star table that are still in quarantine.

    Returns:
        Columns key (64-bit integer) and as_it_is (boolean: the row could be converted, and the warehouse itself refuses
        it), one row for each key.
    """
    cursor.execute(
        "SELECT key, bool_or(starts_with(reason, %s)) FROM etl.quarantine "
        "WHERE star_table = %s AND resolved_by IS NULL GROUP BY key",
        (REFUSES, table.name),
    )
    return pl.DataFrame(cursor.fetchall(), schema={"key": pl.Int64, "as_it_is": pl.Boolean}, orient="row")


def resolve(cursor: Cursor, staged: sql.Identifier, key: str, place: Place, table: StarTable, batch: int) -> None:
    """Close the quarantine of rows that have come again as star rows, or are gone."""
    cursor.execute(
        sql.SQL("""
            UPDATE {quarantine} AS held SET resolved_by = %(batch)s FROM {staged} AS staged
            WHERE held.star_table = %(table)s AND held.key = staged.{key} AND held.batch_id < %(batch)s
            AND held.resolved_by IS NULL
        """).format(quarantine=place.ledger("quarantine"), staged=staged, key=sql.Identifier(key)),
        {"batch": batch, "table": table.name},
    )


def _in_ascii(refused: Refused) -> pl.DataFrame:
    [row] = refused.row.iter_rows(named=True)
    text = json.dumps({"_text": _ascii(row["source_row"])})
    return refused.row.with_columns(
        reason=pl.lit(f"{_ascii(row['reason'])}; {_ascii(refused.words)}"), source_row=pl.lit(text)
    )


def _ascii(text: str) -> str:
    return text[:_KEPT].encode("ascii", "backslashreplace").decode("ascii")
