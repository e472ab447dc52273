"""What a rebuild has made takes the place of the live warehouse, in one short moment."""

import logging
from collections.abc import Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.shapes import StarTable
from totes.warehouse.definitions import LEDGER, columns_made
from totes.warehouse.dependents import Dependents
from totes.warehouse.grants import Extras, oid_of, own_indexes, revoke_all
from totes.warehouse.ledger import Content, write_content
from totes.warehouse.migrate import remember_columns
from totes.warehouse.places import BESIDE, LIVE

logger = logging.getLogger(__name__)

_SHORT = "1s"
"""How long the swap waits for a table's readers. Whoever comes after it waits behind it, so it gives up soon."""


def swap(cursor: Cursor, tables: Sequence[StarTable], edition: int) -> None:
    """Put the tables of a rebuild in the place of the live ones, in the cursor's transaction.

    Grants, comments and indexes go on to the new tables; views that read them are made again.

    Raises:
        ConfigurationError: something that others have made of the live tables would be lost.
        psycopg2.errors.LockNotAvailable: somebody reads the live tables.
    """
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (_SHORT,))
    live = [*(LIVE.star(table.name) for table in tables), *(LIVE.ledger(name) for name in LEDGER)]
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(live)))
    dependents = Dependents.of(cursor, tables)
    dependents.must_not_hinder()
    dependents.drop(cursor)
    columns: dict[str, set[str]] = {}
    for name, column, _, _ in columns_made(tables):
        columns.setdefault(name, set()).add(column)
    for table in tables:
        indexes = _carry(cursor, LIVE.star(table.name), BESIDE.star(table.name), columns[table.name])
        cursor.execute(sql.SQL("DROP TABLE {}").format(LIVE.star(table.name)))
        cursor.execute(sql.SQL("ALTER TABLE {} SET SCHEMA public").format(BESIDE.star(table.name)))
        for index in indexes:
            cursor.execute(index)
    for name in LEDGER:
        _swap_ledger(cursor, name)
    dependents.make_again(cursor)
    remember_columns(cursor, tables, whole=True)
    write_content(cursor, Content(edition=edition, rebuild=False))
    logger.info("the warehouse was rebuilt from edition %d", edition)


def _carry(cursor: Cursor, old: sql.Identifier, new: sql.Identifier, columns: set[str] | None) -> list[str]:
    """Put grants and comments of a table on another; return its indexes, as statements for when it has its name."""
    old_oid = oid_of(cursor, old)
    revoke_all(cursor, oid_of(cursor, new), new)
    Extras(cursor, old_oid).put_on(cursor, new, "TABLE", columns)
    return own_indexes(cursor, old_oid)


def _swap_ledger(cursor: Cursor, name: str) -> None:
    _carry(cursor, LIVE.ledger(name), BESIDE.ledger(name), None)
    cursor.execute(sql.SQL("DROP TABLE {} CASCADE").format(LIVE.ledger(name)))
    cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(BESIDE.ledger(name), sql.Identifier(name)))
    oid = oid_of(cursor, LIVE.ledger(name))
    prefix = BESIDE.ledger_prefix
    cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s AND starts_with(conname, %s)", (oid, prefix))
    for (constraint,) in cursor.fetchall():
        cursor.execute(
            sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
                LIVE.ledger(name), sql.Identifier(constraint), sql.Identifier(constraint.removeprefix(prefix))
            )
        )
    cursor.execute(
        "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
        "WHERE indrelid = %s AND starts_with(relname, %s)",
        (oid, prefix),
    )
    for (index,) in cursor.fetchall():
        cursor.execute(
            sql.SQL("ALTER INDEX {} RENAME TO {}").format(
                sql.Identifier("etl", index), sql.Identifier(index.removeprefix(prefix))
            )
        )
