"""What a rebuild has made takes the place of the live warehouse, in one short moment."""

import logging
from collections.abc import Iterator, Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.star_schema import Fact, StarTable
from totes.warehouse.definitions import LEDGER, columns_made, serial_of
from totes.warehouse.grants import SEQUENCE, TABLE, Extras, Kind, indexes_of, oid_of, oids_of, revoke_all
from totes.warehouse.ledger import Content, write_content
from totes.warehouse.losses import must_lose_nothing
from totes.warehouse.migrate import remember_columns
from totes.warehouse.patience import wait_shortly
from totes.warehouse.places import BESIDE, LIVE
from totes.warehouse.traits import Traits

logger = logging.getLogger(__name__)

_Pair = tuple[sql.Composable, sql.Composable, set[str] | None]
"""What is replaced, what takes its place, and the columns of that; None: all."""


class TablesInUse(Exception):
    """Somebody reads the live tables, so that nothing can take their place now."""


def swap(cursor: Cursor, tables: Sequence[StarTable], edition: int) -> None:
    """Put the tables of a rebuild in the place of the live ones, in the cursor's transaction.

    Grants, comments, indexes and settings go on to the new tables; views and functions that read them are made again.

    Raises:
        ConfigurationError: something that others have made of the live tables would be lost.
        TablesInUse: somebody reads the live tables.
    """
    wait_shortly(cursor)
    try:
        _swap(cursor, tables)
    except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
        # A reader of one star table that asks for another while this waits makes a deadlock, if it is seen first.
        raise TablesInUse(str(error).strip()) from error
    remember_columns(cursor, tables, whole=True)
    write_content(cursor, Content(edition=edition, rebuild=False))
    logger.info("the warehouse was rebuilt from edition %d", edition)


def _swap(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    stars, ledger = [LIVE.star(table.name) for table in tables], [LIVE.ledger(name) for name in LEDGER]
    live = sql.SQL(", ").join([*stars, *ledger])
    dependents = must_lose_nothing(cursor, tables)  # a table that was given away meanwhile cannot even be locked
    # Who reads a view locks it first and its tables then: in another order each would wait for the other.
    dependents.drop(cursor)
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(live))
    made_meanwhile = must_lose_nothing(cursor, tables)
    made_meanwhile.drop(cursor)
    belongings = _Belongings(cursor, [*stars, *ledger])
    _put_extras(cursor, tables)
    _drop(cursor, live)
    for table in tables:
        cursor.execute(sql.SQL("ALTER TABLE {} SET SCHEMA public").format(BESIDE.star(table.name)))
    for name in LEDGER:
        _rename_ledger(cursor, name)
    belongings.put_on_new(cursor)
    dependents.make_again(cursor)
    made_meanwhile.make_again(cursor)


class _Belongings:
    """What people have made of live tables that is put on new ones when these have the names: indexes and settings."""

    def __init__(self, cursor: Cursor, names: Sequence[sql.Identifier]) -> None:
        self._names = names
        oids = oids_of(cursor, names)
        indexes, traits = indexes_of(cursor, oids), Traits.of(cursor, oids)
        self._of_each = [(indexes[oid], traits[oid]) for oid in oids]

    def put_on_new(self, cursor: Cursor) -> None:
        """Make the indexes that the new tables lack, and set again what was set."""
        oids = oids_of(cursor, self._names)
        has = indexes_of(cursor, oids)
        for name, oid, (indexes, traits) in zip(self._names, oids, self._of_each, strict=True):
            for index, statements in indexes.items():
                for statement in statements if index not in has[oid] else ():
                    cursor.execute(statement)
            traits.put_on(cursor, name)


def _put_extras(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Put grants and comments of the live tables and sequences on the new ones."""
    columns: dict[str, set[str]] = {}
    for name, column, _, _ in columns_made(tables):
        columns.setdefault(name, set()).add(column)
    stars = [(LIVE.star(table.name), BESIDE.star(table.name), columns[table.name]) for table in tables]
    _put(cursor, TABLE, [*stars, *((LIVE.ledger(name), BESIDE.ledger(name), None) for name in LEDGER)])
    _put(cursor, SEQUENCE, [pair for table in tables if isinstance(table, Fact) for pair in _serials(cursor, table)])


def _serials(cursor: Cursor, table: Fact) -> Iterator[_Pair]:
    """What gives a fact's record ids, where neither is taken away."""
    old, new = serial_of(cursor, LIVE, table), serial_of(cursor, BESIDE, table)
    if old is not None and new is not None:
        yield old, new, None


def _put(cursor: Cursor, kind: Kind, pairs: Sequence[_Pair]) -> None:
    new = [name for _, name, _ in pairs]
    revoke_all(cursor, kind, dict(zip(oids_of(cursor, new), new, strict=True)))
    oids = oids_of(cursor, [name for name, _, _ in pairs])
    extras = Extras.of(cursor, kind, oids)
    for oid, (_, name, columns) in zip(oids, pairs, strict=True):
        extras[oid].put_on(cursor, name, columns)


def _drop(cursor: Cursor, live: sql.Composable) -> None:
    try:
        cursor.execute(sql.SQL("DROP TABLE {}").format(live))
    except psycopg2.errors.DependentObjectsStillExist as error:
        what = (error.diag.message_detail or str(error)).strip().replace("\n", "; ")
        raise ConfigurationError(
            f"the star tables cannot be replaced: {what}; drop what depends on them, and make it again afterwards"
        ) from error


def _rename_ledger(cursor: Cursor, name: str) -> None:
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
