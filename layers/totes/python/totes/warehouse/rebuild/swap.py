"""The tables of a rebuild replace the live warehouse, in one short moment."""

import itertools
import logging
from collections.abc import Iterator, Sequence

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.savepoints import savepoint
from totes.sqlstate import (
    DATA_EXCEPTION,
    INTEGRITY_CONSTRAINT_VIOLATION,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    is_of_class,
    primary_message,
)
from totes.star_schema import Calendar, Fact, StarTable
from totes.warehouse.carried import Dependents, Indexes, TableSettings, dependents_to_restore, must_not_hinder
from totes.warehouse.definitions import LEDGER, columns_made, identifiers, replacements, serial_of
from totes.warehouse.for_readers import ensure_current_views
from totes.warehouse.grants import SEQUENCE, TABLE, GrantsAndComments, ObjectKind, oid_of, oids_of, revoke_all
from totes.warehouse.ledger import Content, write_content
from totes.warehouse.lock_timeout import IN_USE, set_short_lock_timeout, users_are_gone
from totes.warehouse.migrate import remember_columns
from totes.warehouse.places import BESIDE, LIVE

logger = logging.getLogger(__name__)

_Pair = tuple[sql.Composable, sql.Composable, set[str] | None]
"""What is replaced, what replaces it, and the columns of the latter; None: all."""


_TAKEN = """
    SELECT relkind, relname FROM pg_class AS own
    WHERE own.oid IN (
        SELECT indexrelid FROM pg_index WHERE indrelid = %s
        UNION ALL
        SELECT objid FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = %s
        AND deptype IN ('a', 'i')
    )
    AND relkind IN ('i', 'S')
    AND EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = own.relname
    )
"""

_OF_OTHER_COLUMNS = (DATA_EXCEPTION, INTEGRITY_CONSTRAINT_VIOLATION, SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)
"""SQLSTATE classes of rows that do not fit the columns of the new table."""

_LONGEST = 60
"""Characters of a name that leave room for a number: names are ASCII, and have 63 at most."""


class TablesInUse(Exception):
    """Somebody reads the live tables or changes what depends on them, so that they cannot be replaced now."""


def swap(cursor: Cursor, tables: Sequence[StarTable], content: Content) -> None:
    """Replace the live tables by those of a rebuild, in the cursor's transaction.

    The new tables get the grants, comments, settings and index names of the live ones. Views and functions that read
    them are made again.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        content: what the content is of then.

    Raises:
        ConfigurationError: something that others have made on the live tables would be lost.
        TablesInUse: somebody reads the live tables, or has just dropped what was to be made again.
    """
    set_short_lock_timeout(cursor)
    try:
        _swap(cursor, tables)
    except IN_USE as error:
        # A reader of one star table that asks for another one while this waits may cause a deadlock.
        raise TablesInUse(primary_message(error)) from error
    remember_columns(cursor, tables, whole=True)
    write_content(cursor, content)
    logger.info("the warehouse was rebuilt from edition %d", content.edition)


def _swap(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    names = [each.live for each in replacements(tables)]
    live = sql.SQL(", ").join(names)
    # Nothing is locked yet. Otherwise pg_dump, which locks all tables and then view after view, would be ended: it and
    # this would wait for each other.
    if not users_are_gone(cursor, names):
        raise TablesInUse("a session has used them for as long as a swap waits")
    found = dependents_to_restore(cursor, tables)  # a table that was given away meanwhile cannot even be locked
    # A reader locks the view first, and then its tables. In another order, each would wait for the other.
    found.lock(cursor)
    dependents = dependents_to_restore(cursor, tables)  # a view may have been replaced until it was locked
    _drop_readers(cursor, dependents)
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(live))
    made_meanwhile = dependents_to_restore(cursor, tables)
    _drop_readers(cursor, made_meanwhile)
    indexes = Indexes.of(cursor, tables)
    must_not_hinder(indexes)
    indexes.drop_old(cursor)
    if indexes.missing:  # it takes long to build, and nobody reads now
        raise TablesInUse("an index was made this moment")
    oids = oids_of(cursor, names)
    settings = TableSettings.of(cursor, oids)
    _put_grants_and_comments(cursor, tables)
    for calendar in (table for table in tables if isinstance(table, Calendar)):
        _keep_days(cursor, calendar)
    _drop(cursor, live)
    for table in tables:
        _free_names(cursor, table)
        cursor.execute(sql.SQL("ALTER TABLE {} SET SCHEMA public").format(BESIDE.star(table.name)))
    for name in LEDGER:
        _rename_ledger(cursor, name)
    for index in indexes.wanted:
        index.put_in_place(cursor)
    for oid, live_name in zip(oids, names, strict=True):
        settings[oid].put_on(cursor, live_name)
    dependents.make_again(cursor)
    made_meanwhile.make_again(cursor)
    ensure_current_views(cursor, tables, replace=False)  # one has gone with the column of a live table that it read


def _drop_readers(cursor: Cursor, dependents: Dependents) -> None:
    try:
        dependents.drop(cursor)
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedFunction) as error:
        raise TablesInUse(f"{primary_message(error)}: it was dropped this moment") from error


def _put_grants_and_comments(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Put grants and comments of the live tables and sequences on the new ones."""
    columns: dict[str, set[str]] = {}
    for name, column, _, _ in columns_made(tables):
        columns.setdefault(name, set()).add(column)
    stars = [(LIVE.star(table.name), BESIDE.star(table.name), columns[table.name]) for table in tables]
    _put(cursor, TABLE, [*stars, *((LIVE.ledger(name), BESIDE.ledger(name), None) for name in LEDGER)])
    _put(cursor, SEQUENCE, [pair for table in tables if isinstance(table, Fact) for pair in _serials(cursor, table)])


def _serials(cursor: Cursor, table: Fact) -> Iterator[_Pair]:
    """The sequences of a fact's record ids, if nobody has dropped either."""
    old, new = serial_of(cursor, LIVE, table), serial_of(cursor, BESIDE, table)
    if old is not None and new is not None:
        yield old, new, None


def _put(cursor: Cursor, kind: ObjectKind, pairs: Sequence[_Pair]) -> None:
    new = [name for _, name, _ in pairs]
    revoke_all(cursor, kind, dict(zip(oids_of(cursor, new), new, strict=True)))
    oids = oids_of(cursor, [name for name, _, _ in pairs])
    grants_and_comments = GrantsAndComments.of(cursor, kind, oids)
    for oid, (_, name, columns) in zip(oids, pairs, strict=True):
        grants_and_comments[oid].put_on(cursor, name, columns)


def _keep_days(cursor: Cursor, calendar: Calendar) -> None:
    """Keep the days that no fact names: somebody has added them, and a day is right whoever wrote it."""
    statement = sql.SQL("INSERT INTO {new} ({names}) SELECT {names} FROM {old} ON CONFLICT ({key}) DO NOTHING").format(
        new=BESIDE.star(calendar.name),
        names=identifiers([*(column.name for column in calendar.columns), "batch_id", "is_deleted"]),
        old=LIVE.star(calendar.name),
        key=sql.Identifier(calendar.key),
    )
    try:
        with savepoint(cursor):
            cursor.execute(statement)
    except psycopg2.Error as error:
        if not is_of_class(error, _OF_OTHER_COLUMNS):
            raise
        logger.warning("days of %s that no fact names are gone, for it has other columns: %s", calendar.name, error)


def _drop(cursor: Cursor, live: sql.Composable) -> None:
    try:
        cursor.execute(sql.SQL("DROP TABLE {}").format(live))
    except psycopg2.errors.DependentObjectsStillExist as error:
        what = (error.diag.message_detail or str(error)).strip().replace("\n", "; ")
        raise ConfigurationError(
            f"the star tables cannot be replaced: {what}; drop what depends on them, and make it again afterwards"
        ) from error


def _free_names(cursor: Cursor, table: StarTable) -> None:
    """Give indexes and sequences of a new table other names, if a table that somebody has renamed keeps theirs."""
    oid = oid_of(cursor, BESIDE.star(table.name))
    cursor.execute(_TAKEN, (oid, oid))
    for kind, name in cursor.fetchall():
        cursor.execute(
            sql.SQL("ALTER {} {} RENAME TO {}").format(
                sql.SQL("SEQUENCE" if kind == "S" else "INDEX"),
                sql.Identifier(BESIDE.star_schema, name),
                sql.Identifier(_free_name(cursor, name)),
            )
        )


def _free_name(cursor: Cursor, name: str) -> str:
    """The name and the first number that make a name which is free in both schemas, as PostgreSQL itself does it."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace IN ('public'::regnamespace, to_regnamespace(%s))",
        (BESIDE.star_schema,),
    )
    taken = {each for (each,) in cursor.fetchall()}
    return next(free for number in itertools.count(1) if (free := f"{name[:_LONGEST]}{number}") not in taken)


def _rename_ledger(cursor: Cursor, name: str) -> None:
    cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(BESIDE.ledger(name), sql.Identifier(name)))
    oid = oid_of(cursor, LIVE.ledger(name))
    prefix = BESIDE.ledger_prefix
    cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s AND starts_with(conname, %s)", (oid, prefix))
    for (constraint,) in cursor.fetchall():
        cursor.execute(
            sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
                LIVE.ledger(name), sql.Identifier(constraint), sql.Identifier(_own_or_free(cursor, constraint))
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
                sql.Identifier("etl", index), sql.Identifier(_own_or_free(cursor, index))
            )
        )


def _own_or_free(cursor: Cursor, name: str) -> str:
    """The name of an index of the ledger without the rebuild's prefix; a free one if somebody's old table keeps it."""
    own = name.removeprefix(BESIDE.ledger_prefix)
    cursor.execute("SELECT FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname = %s", (own,))
    return own if cursor.fetchone() is None else _free_name(cursor, own)
