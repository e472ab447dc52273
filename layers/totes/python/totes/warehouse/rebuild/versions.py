"""Versions of many batches at once: a window over each key's rows, by batch, tells which rows changed something.

A row is kept if nothing of its key came before it, or a delete, or a row with other values. A delete is kept if a row
came before it, and keeps the values of that row. The result is the same as that of one batch after the other, because a
row that changed nothing is equal to the version before it.
"""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.star_schema import INTEGER_RANGE, Calendar, Fact, StarTable
from totes.warehouse.definitions import identifiers
from totes.warehouse.places import BESIDE

DELETES = sql.Identifier("etl", "staged_deletes")
QUARANTINE = sql.Identifier("etl", "staged_quarantine")
ROWS_IN = sql.Identifier("etl", "staged_rows_in")
CHANGES = sql.Identifier("etl", "staged_changes")


def staged(table: StarTable) -> sql.Identifier:
    """Return the name of the table that rows of many batches are staged in."""
    return sql.Identifier("etl", f"staged_{table.name}")


def fill_fact(cursor: Cursor, table: Fact) -> None:
    """Fill a fact's table with every version that results from the staged batches."""
    names = [column.name for column in table.columns]
    cursor.execute(
        sql.SQL(
            "INSERT INTO {table} ({record_id}, {names}, batch_id, is_deleted) "
            "SELECT row_number() OVER (ORDER BY batch_id, {key}), {names}, batch_id, is_deleted FROM ({kept}) AS kept "
            "ORDER BY batch_id, {key}"
        ).format(
            table=BESIDE.star(table.name),
            record_id=sql.Identifier(table.record_id),
            key=sql.Identifier(table.key),
            names=identifiers(names),
            kept=_kept(table),
        )
    )
    write_changes(cursor, table, BESIDE.star(table.name))


def fill_dimension(cursor: Cursor, table: StarTable) -> None:
    """Fill a dimension's table with the latest state that results from the staged batches."""
    names = [column.name for column in table.columns]
    kept = sql.Identifier("pg_temp", f"kept_{table.name}")
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {}").format(kept, _kept(table)))
    write_changes(cursor, table, kept)
    cursor.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}, batch_id, is_deleted) "
            "SELECT DISTINCT ON ({key}) {names}, batch_id, is_deleted FROM {kept} ORDER BY {key}, batch_id DESC"
        ).format(table=BESIDE.star(table.name), key=sql.Identifier(table.key), names=identifiers(names), kept=kept)
    )


def write_changes_of_first_batch(cursor: Cursor, table: StarTable, count: int) -> None:
    """Write how many versions the first batch has brought straight to a star table."""
    cursor.execute(
        sql.SQL("INSERT INTO {} (batch_id, star_table, versions, deleted) VALUES (1, %s, %s, 0)").format(CHANGES),
        (table.name, count),
    )


def write_changes(cursor: Cursor, table: StarTable, kept: sql.Identifier) -> None:
    """Write, for each batch, how many versions it has brought to a star table, and how many it has closed."""
    cursor.execute(
        sql.SQL(
            "INSERT INTO {changes} (batch_id, star_table, versions, deleted) "
            "SELECT batch_id, %s, count(*) FILTER (WHERE NOT is_deleted), count(*) FILTER (WHERE is_deleted) "
            "FROM {kept} GROUP BY batch_id"
        ).format(changes=CHANGES, kept=kept),
        (table.name,),
    )


def forget_changes(cursor: Cursor, table: StarTable) -> None:
    """Delete the counts of a star table, which is filled again."""
    cursor.execute(sql.SQL("DELETE FROM {} WHERE star_table = %s").format(CHANGES), (table.name,))


def fill_quarantine(cursor: Cursor, table: StarTable) -> None:
    """Fill the ledger's quarantine with the rows that are staged of a star table, all of them open."""
    cursor.execute(
        sql.SQL(
            "INSERT INTO {} (batch_id, star_table, key, reason, source_row) "
            "SELECT DISTINCT ON (batch_id, key) batch_id, star_table, key, reason, source_row FROM {} "
            "WHERE star_table = %s ORDER BY batch_id, key, ctid"
        ).format(BESIDE.ledger("quarantine"), QUARANTINE),
        (table.name,),
    )


def resolve_quarantine(cursor: Cursor, table: StarTable) -> None:
    """Close each row of quarantine by the next batch in which its key came, in whatever form."""
    if isinstance(table, Calendar):
        return
    cursor.execute(
        sql.SQL("""
            WITH held AS (
                SELECT batch_id, key FROM {quarantine} WHERE star_table = %(table)s
            ), came AS (
                SELECT {key}::bigint AS key, batch_id FROM {staged} WHERE {key} IN (SELECT key FROM held)
                UNION SELECT key, batch_id FROM {deletes}
                WHERE star_table = %(table)s AND key IN (SELECT key FROM held)
                UNION SELECT key, batch_id FROM held
            ), followed AS (
                SELECT key, batch_id, lead(batch_id) OVER (PARTITION BY key ORDER BY batch_id) AS next FROM came
            )
            UPDATE {quarantine} AS held SET resolved_by = followed.next FROM followed
            WHERE held.star_table = %(table)s AND held.key = followed.key AND held.batch_id = followed.batch_id
        """).format(
            quarantine=BESIDE.ledger("quarantine"),
            key=sql.Identifier(table.key),
            staged=staged(table),
            deletes=DELETES,
        ),
        {"table": table.name},
    )


def fill_row_counts(cursor: Cursor) -> None:
    """Fill the ledger with the row counts of every staged batch."""
    cursor.execute(
        sql.SQL("""
            INSERT INTO {target} (batch_id, star_table, rows_in, versions, unchanged, quarantined, deleted)
            SELECT batch_id, star_table, rows_in, versions, rows_in - versions - quarantined - deleted, quarantined,
                deleted
            FROM (
                SELECT batch_id, star_table, rows_in, coalesce(versions, 0) AS versions,
                    coalesce(quarantined, 0) AS quarantined, coalesce(deleted, 0) AS deleted
                FROM {rows_in} LEFT JOIN (
                    SELECT batch_id, star_table, sum(versions)::bigint AS versions, sum(deleted)::bigint AS deleted
                    FROM {changes} GROUP BY 1, 2
                ) AS changed USING (batch_id, star_table)
                LEFT JOIN (
                    SELECT batch_id, star_table, count(*) AS quarantined FROM {quarantine} GROUP BY 1, 2
                ) AS held USING (batch_id, star_table)
            ) AS counted
        """).format(
            target=BESIDE.ledger("batch_table"),
            rows_in=ROWS_IN,
            changes=CHANGES,
            quarantine=BESIDE.ledger("quarantine"),
        )
    )


def _kept(table: StarTable) -> sql.Composable:
    names = [column.name for column in table.columns]
    key = sql.Identifier(table.key)
    columns = [
        sql.SQL("CASE WHEN is_deleted THEN {before} ELSE {name} END AS {name}").format(
            before=_before(name), name=sql.Identifier(name)
        )
        for name in names
    ]
    before = [sql.SQL("lag({}) OVER of_key AS {}").format(sql.Identifier(name), _before(name)) for name in names]
    return sql.SQL("""
        SELECT {columns}, batch_id, is_deleted FROM (
            SELECT *, lag(is_deleted) OVER of_key AS was_deleted, {before}
            FROM (SELECT batch_id, false AS is_deleted, {names} FROM {staged}{deletes}) AS came
            WINDOW of_key AS (PARTITION BY {key} ORDER BY batch_id, is_deleted)
        ) AS followed
        WHERE CASE WHEN is_deleted THEN was_deleted IS FALSE
            ELSE was_deleted IS NOT FALSE OR ({names}) IS DISTINCT FROM ({befores}) END
    """).format(
        columns=sql.SQL(", ").join(columns),
        before=sql.SQL(", ").join(before),
        names=identifiers(names),
        befores=sql.SQL(", ").join(_before(name) for name in names),
        staged=staged(table),
        deletes=_deletes(table, names),
        key=key,
    )


def _deletes(table: StarTable, names: list[str]) -> sql.Composable:
    if isinstance(table, Calendar):
        return sql.SQL("")
    columns = [
        # A key beyond the type's range was never in the table.
        sql.SQL("key::integer") if name == table.key else sql.SQL("NULL")
        for name in names
    ]
    return sql.SQL(" UNION ALL SELECT batch_id, true, {} FROM {} WHERE star_table = {} AND key {}").format(
        sql.SQL(", ").join(columns), DELETES, sql.Literal(table.name), sql.SQL(INTEGER_RANGE)
    )


def _before(name: str) -> sql.Identifier:
    return sql.Identifier(f"before_{name}")
