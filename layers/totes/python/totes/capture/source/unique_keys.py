"""No key is there twice, also where no index of the source ensures that.

A unique index of a partitioned table has the columns that it is partitioned by too: one that is partitioned by time may
have the same id at two times. And no index spans the tables that inherit from another.

Nor does one that is damaged, as CREATE INDEX CONCURRENTLY of PostgreSQL 14.0 to 14.3 may have left it behind:
https://www.postgresql.org/docs/release/14.4/
"""

from collections.abc import Sequence

from psycopg2 import sql

from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import SourceTable
from totes.errors import ContractError

_GUARDED = """
    SELECT class.relname
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    JOIN pg_index AS index ON index.indrelid = class.oid
    WHERE namespace.nspname = 'public' AND (class.relname, attribute.attname) IN %s
      AND index.indisunique AND index.indisvalid AND index.indpred IS NULL
      AND index.indnkeyatts = 1 AND index.indkey[0] = attribute.attnum
      AND (class.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = class.oid))
"""

_WITHOUT_INDEX = """
    SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off
"""


def unguarded(snapshot: Snapshot, tables: Sequence[SourceTable]) -> set[str]:
    """Return the names of the tables in which no index forbids that a key is there twice.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    with snapshot.connection.cursor() as cursor:
        cursor.execute(_GUARDED, (tuple((table.source_name, table.source_key) for table in tables),))
        guarded = {name for (name,) in cursor.fetchall()}
    return {table.name for table in tables if table.source_name not in guarded}


def check_once(snapshot: Snapshot, table: SourceTable, may_be_new: sql.Composable) -> None:
    """Refuse a table in which a key is there twice.

    Of two rows of one key at least one is new, because the last batch was checked in the same way. So it is enough to
    check the keys of rows that may be new.

    Args:
        snapshot: the state of the source.
        table: the table.
        may_be_new: the SQL condition that holds for each row which the batch before may not have seen.

    Raises:
        ContractError: a key is there twice.
        psycopg2.Error: the connection to the source was lost.
    """
    # Nearly always there is none, and asked for the first one, PostgreSQL would go through the table by its index.
    query = sql.SQL(
        "SELECT min({key}) FROM ("
        "SELECT {key} FROM public.{table} WHERE {key} IN (SELECT {key} FROM public.{table} WHERE {may_be_new}) "
        "GROUP BY {key} HAVING count(*) > 1) AS twice"
    )
    with snapshot.reading(table.source_name) as cursor:
        cursor.execute(
            query.format(
                key=sql.Identifier(table.source_key), table=sql.Identifier(table.source_name), may_be_new=may_be_new
            )
        )
        [[twice]] = cursor.fetchall()
    if twice is not None:
        raise ContractError(
            f"{table.source_key} {twice} is there more than once in table {table.source_name} and the tables that "
            "are parts of it; keep it in one row"
        )


def wrong_count(snapshot: Snapshot, table: SourceTable, count: int, found: int) -> ContractError:
    """Return what to raise of a table that has not as many rows as it has keys, though an index is to ensure that.

    It names a key that is there twice, which is looked for without the index; or says that the index does not find
    every row.

    Args:
        snapshot: the state of the source.
        table: the table.
        count: how many rows it has.
        found: how many keys were found in it.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    query = sql.SQL("SELECT {key} FROM public.{table} GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1")
    with snapshot.reading(table.source_name) as cursor:
        cursor.execute(_WITHOUT_INDEX)
        cursor.execute(query.format(key=sql.Identifier(table.source_key), table=sql.Identifier(table.source_name)))
        twice = cursor.fetchone()
    if twice:
        return broken_index(table, twice[0])
    return ContractError(
        f"table {table.source_name} has {count:,} rows, and by {table.source_key} {found:,} are found; its index is "
        f"broken: REINDEX TABLE {table.source_name}"
    )


def broken_index(table: SourceTable, twice: object) -> ContractError:
    """Return what to raise of a key that is there twice under a unique index.

    Args:
        table: the table.
        twice: the key.
    """
    name = table.source_name
    return ContractError(
        f"{table.source_key} {twice} is there more than once in table {name}, which its unique index should forbid; "
        "the index is broken: find the rows without it (SET enable_indexscan = off; SET enable_bitmapscan = off), keep "
        f"it in one row, delete the wrong one by its ctid, and REINDEX TABLE {name}"
    )
