"""The views of the current state are made again as totes defines them, if somebody has replaced one.

A comment on a view's rule, which nobody else reads or writes, has a digest of the rule that totes made. If somebody
replaces the view, PostgreSQL keeps the comment, and the rule has another digest. The comment also has a digest of the
query, because an earlier totes made other ones.
"""

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.savepoints import savepoint
from totes.sqlstate import primary_message
from totes.star_schema import Fact, StarTable
from totes.warehouse.definitions import columns_made
from totes.warehouse.lock_timeout import IN_USE, short_lock_timeout
from totes.warehouse.places import LIVE
from totes.warehouse.reader_grants import grant_select, never_granted

logger = logging.getLogger(__name__)

_OF_OTHERS = (
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.InvalidTableDefinition,
    psycopg2.errors.UndefinedColumn,
    psycopg2.errors.WrongObjectType,
)
"""Errors that PostgreSQL raises when what is to be replaced belongs to somebody else, has other columns, reads columns
that are gone, or is no view."""

# If a table is renamed, a view still reads it, and not the one that comes in its place: so the table counts too.
_THERE = """
    SELECT view, obj_description(pg_rewrite.oid, 'pg_rewrite'), md5(concat(fact.oid, ev_action))
    FROM unnest(%s::text[], %s::text[]) AS given (view, fact_name)
    JOIN pg_class ON pg_class.relnamespace = 'public'::regnamespace AND pg_class.relname = view
    LEFT JOIN pg_class AS fact ON fact.relnamespace = 'public'::regnamespace AND fact.relname = fact_name
    LEFT JOIN pg_rewrite ON ev_class = pg_class.oid AND rulename = '_RETURN'
"""

_MADE = """
    SELECT md5(concat(fact.oid, ev_action)) FROM pg_rewrite JOIN pg_class AS fact ON fact.oid = to_regclass(%s)
    WHERE ev_class = to_regclass(%s) AND rulename = '_RETURN'
"""

_OPTIONS = """
    SELECT string_agg(format('%%I = %%L', option_name, option_value), ', ')
    FROM pg_class, pg_options_to_table(reloptions) WHERE pg_class.oid = to_regclass(%s)
"""


def create_current_view(cursor: Cursor, table: Fact) -> None:
    """Create or replace the live view of a fact's current state, with all columns of the fact.

    It is granted to the dashboard's role, unless somebody has granted or revoked something on it.

    Raises:
        psycopg2.Error: something of others has its name.
    """
    view = _name(table)
    to_be_granted = never_granted(cursor, view)
    cursor.execute(_OPTIONS, (view.as_string(cursor),))
    [[options]] = cursor.fetchall()
    cursor.execute(
        sql.SQL("CREATE OR REPLACE VIEW {} {} AS {}").format(
            view, sql.SQL(f"WITH ({options})" if options else ""), _query(table, sql.SQL("*"))
        )
    )
    _mark(cursor, table)
    grant_select(cursor, *to_be_granted)


def _query(table: Fact, columns: sql.Composable) -> sql.Composable:
    # Not by DISTINCT ON: PostgreSQL could not apply a condition on another column than the key before it, and would
    # read all of the history.
    return sql.SQL(
        "SELECT {columns} FROM {table} AS version WHERE NOT is_deleted AND NOT EXISTS "
        "(SELECT FROM {table} AS later WHERE later.{key} = version.{key} AND later.batch_id > version.batch_id)"
    ).format(columns=columns, key=sql.Identifier(table.key), table=LIVE.star(table.name))


def _by_query(cursor: Cursor, table: Fact) -> str:
    """A digest of a view's query, which is another one for the query of an earlier totes."""
    query = _query(table, sql.SQL("*")).as_string(cursor)
    return hashlib.sha256(query.encode()).hexdigest()[:12]


def _mark(cursor: Cursor, table: Fact) -> None:
    view = _name(table)
    cursor.execute(_MADE, (LIVE.star(table.name).as_string(cursor), view.as_string(cursor)))
    [[made]] = cursor.fetchall()
    mark = f"{made} {_by_query(cursor, table)}"
    cursor.execute(sql.SQL('COMMENT ON RULE "_RETURN" ON {} IS {}').format(view, sql.Literal(mark)))


def create_first_current_view(cursor: Cursor, table: Fact) -> None:
    """Create the view of a fact that is new in the warehouse.

    Raises:
        ConfigurationError: something of others has its name.
    """
    try:
        with short_lock_timeout(cursor):
            create_current_view(cursor, table)
    except _OF_OTHERS as error:
        raise ConfigurationError(
            f"the warehouse has a {table.current_view} that totes did not make, where a view of its own goes "
            f"({primary_message(error)}); rename it, or move it to another schema"
        ) from error


def ensure_current_views(cursor: Cursor, tables: Sequence[StarTable], *, replace: bool) -> None:
    """Make again the view of each fact's current state that somebody has dropped or replaced.

    No load fails because a view is in use or has other columns: a warning says what to do. Readers of a view that is
    replaced wait until the transaction ends.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        replace: whether to try it also with those that were replaced; one try in a run is enough.

    Raises:
        psycopg2.Error: the connection to the warehouse was lost.
    """
    facts = [table for table in tables if isinstance(table, Fact)]
    cursor.execute(_THERE, ([table.current_view for table in facts], [table.name for table in facts]))
    there = {view: (mark, made) for view, mark, made in cursor.fetchall()}
    for table in facts:
        if table.current_view not in there:
            create_current_view(cursor, table)
            logger.warning("the view %s was dropped, and is there again", table.current_view)
            continue
        mark, made = there[table.current_view]
        if not replace or mark == f"{made} {_by_query(cursor, table)}":
            continue
        by_totes, _, _ = (mark or "").partition(" ")
        if by_totes == made or not _is_taken_up(cursor, table):
            _replace(cursor, table, by_others=by_totes != made)


def _is_taken_up(cursor: Cursor, table: Fact) -> bool:
    """Whether a view is what totes makes, although its mark does not say so; then it is marked.

    An earlier totes made it without a mark, or the warehouse was copied, and its tables have other oids. No reader
    waits for this check. Columns that others have added to the fact since then do not belong to the view.
    """
    own = {column for _, column, _, _ in columns_made([table])}
    is_same = False
    # An error means that it has other columns, or belongs to somebody else and may not be marked.
    with suppress(psycopg2.ProgrammingError), savepoint(cursor):
        columns = _columns(cursor, table)
        query = _query(table, sql.SQL(", ").join(map(sql.Identifier, columns)))
        cursor.execute(sql.SQL("CREATE TEMPORARY VIEW totes_probe AS {}").format(query))
        cursor.execute("SELECT pg_get_viewdef('pg_temp.totes_probe'::regclass)")
        [[probed]] = cursor.fetchall()
        is_same = own <= set(columns) and probed == _definition(cursor, table)
        cursor.execute("DROP VIEW pg_temp.totes_probe")
        if is_same:
            _mark(cursor, table)
    return is_same


def _columns(cursor: Cursor, table: Fact) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
        (_name(table).as_string(cursor),),
    )
    return [name for (name,) in cursor.fetchall()]


def _replace(cursor: Cursor, table: Fact, *, by_others: bool) -> None:
    """Replace a view that somebody has changed, or that an earlier totes has made by another query."""
    view = table.current_view
    before = _definition(cursor, table)
    try:
        with short_lock_timeout(cursor):
            create_current_view(cursor, table)
    except IN_USE:
        logger.info("the view %s is in use; a later run sees to it", view)
    except _OF_OTHERS as error:
        remedy = f"drop it (DROP VIEW {view} CASCADE), and the next load makes it, and the reports that read it"
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            remedy = "give it to the loader's role"
        logger.warning(
            "%s may not be what totes makes, and cannot be made again (%s): %s",
            view,
            primary_message(error),
            remedy,
        )
    else:
        if by_others and _definition(cursor, table) != before:
            logger.warning("the view %s was not what totes makes, and is so again; it was: %s", view, before)


def _definition(cursor: Cursor, table: Fact) -> str | None:
    cursor.execute("SELECT pg_get_viewdef(to_regclass(%s))", (_name(table).as_string(cursor),))
    [[definition]] = cursor.fetchall()
    return str(definition) if definition else None


def _name(table: Fact) -> sql.Identifier:
    return sql.Identifier("public", table.current_view)
