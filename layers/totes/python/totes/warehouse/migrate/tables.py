"""The warehouse's tables are compared with their definitions at every load, and changed to them where that is exact."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.sqlstate import primary_message
from totes.star_schema import Column, Fact, StarTable
from totes.warehouse.carried import Dependents, of_another
from totes.warehouse.definitions import (
    LEDGER,
    add_keys,
    catalog_type,
    columns_known_by,
    columns_made,
    create_star,
    serial_of,
)
from totes.warehouse.for_readers import create_current_view, create_first_current_view, ensure_current_views
from totes.warehouse.grants import oid_of
from totes.warehouse.lock_timeout import IN_USE, short_lock_timeout
from totes.warehouse.migrate.existing import ExistingColumn, columns_and_keys
from totes.warehouse.migrate.keys import ensure_keys
from totes.warehouse.migrate.ledger import ensure_ledger
from totes.warehouse.migrate.star_columns import columns_made_before, columns_of_newer, made_before
from totes.warehouse.others import must_be_tables, must_inherit_nothing, must_write_what_is_written
from totes.warehouse.places import LIVE
from totes.warehouse.reader_grants import grant_select

logger = logging.getLogger(__name__)

_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")

_IN_THE_WAY = (psycopg2.errors.FeatureNotSupported, psycopg2.errors.InsufficientPrivilege)
"""Errors that PostgreSQL raises when something that somebody has made hinders a change of a table."""


@dataclass(kw_only=True)
class SchemaCheck:
    """What is other in the warehouse than in the code, and cannot be brought up to it in place.

    Attributes:
        newer: what only a newer totes can have made.
        other: what only tables that are made again can be.
        keyless: why the key of a star table is gone and cannot be made again, a sentence each.
        gone: the tables of ledger, state and star, and as `table.column` the columns that may be NULL, that totes had
            made and somebody has dropped; they are there again, without content.
    """

    newer: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    keyless: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Whether batches can be loaded into the tables as they are."""
        return not (self.newer or self.other or self.keyless)

    def problem(self) -> str:
        """Return why batches cannot be loaded into the tables, and what to do; it is for tables that do not fit."""
        if self.newer:
            return (
                "the warehouse was made by a newer totes, or columns were taken out of the star since: this version "
                f"does not know {', '.join(self.newer)}; deploy the newer one, or make the tables again without them "
                "(totes replay --from 1)"
            )
        if self.other:
            return (
                f"the warehouse's tables are not what this version of totes makes: {'; '.join(self.other)}; make them "
                "again (totes replay --from 1)"
            )
        return (
            f"{'; '.join(self.keyless)}; make it again as the table's owner, or all of the warehouse from the lake "
            "(totes rebuild)"
        )


@dataclass(kw_only=True)
class _Changes:
    """The changes that make a table what its definition says: actions of ALTER TABLE, and their effect on readers."""

    actions: list[sql.Composable] = field(default_factory=list)
    retyped: set[str] = field(default_factory=set)
    made_deterministic: list[str] = field(default_factory=list)
    adds: bool = False

    def retype(self, column: str, sql_type: str) -> None:
        """Give a column another type."""
        self.actions.append(sql.SQL("ALTER COLUMN {} TYPE {}").format(sql.Identifier(column), sql.SQL(sql_type)))
        self.retyped.add(column)


def ensure_tables(cursor: Cursor, tables: Sequence[StarTable], *, all_of_it: bool) -> SchemaCheck:
    """Create what is missing of the ledger and the star tables, and make in place the changes that are exact.

    Columns that may be NULL are added, NOT NULL is dropped, types are widened. Of a warehouse of an earlier version the
    foreign keys to the ledger are dropped and record ids become bigint, where nobody uses the tables at the moment.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        all_of_it: whether to try the last two as well, and to make views again that somebody has replaced. Each try
            waits for locks, and readers wait for it meanwhile, so one try in a run is enough.

    Returns:
        What cannot be changed in place.

    Raises:
        ConfigurationError: a star table is there and nothing of totes in schema etl, so it may be somebody's; something
            of others has the name of a table or view of totes, inherits from one, or is a rule or trigger that keeps
            rows from being written; the database is the source, or its encoding is not UTF8; or something that
            somebody made hinders a change of a table.
        psycopg2.Error: the connection to the warehouse was lost, or a table is in use.
    """
    ledger = ensure_ledger(cursor, tables)
    must_inherit_nothing(cursor, tables)
    must_write_what_is_written(cursor, tables)
    held, keys = columns_and_keys(cursor, [table.name for table in tables])
    strangers = [table.name for table in tables if table.name in held and not ledger.was_here]
    if strangers:
        names = ", ".join(f"public.{name}" for name in strangers)
        raise ConfigurationError(
            f"the warehouse has a table {strangers[0]} that totes did not make, or that was made beside a ledger in "
            "schema etl which is gone; name an empty database, or, if all of it is totes' own and so in the lake, "
            f"DROP TABLE {names} CASCADE, and the next load makes it again"
        )
    must_be_tables(cursor, tables)
    missing = [table.name for table in tables if table.name not in held]
    # A column that no totes had made is new in the star: a replay brings what the lake has of it.
    lacking = [
        (table.name, name) for table in tables if table.name in held for name in _missing(table, held[table.name])
    ]
    check = SchemaCheck(
        newer=columns_of_newer(cursor, tables),
        gone=[*ledger.gone, *made_before(cursor, missing), *columns_made_before(cursor, lacking)],
    )
    for table in tables:
        if table.name not in held:
            _create(cursor, table)
    if not check.newer:
        known = [table for table in tables if table.name in held]
        # The views of other tables are made again with the columns that these lack.
        complete = [table for table in known if not _missing(table, held[table.name])]
        ensure_current_views(
            cursor, [table for table in tables if table in complete or table.name in missing], replace=all_of_it
        )
        _bring_in_place(cursor, known, held, check)
        whole = [table for table in known if held[table.name].keys() >= set(columns_known_by(table))]
        check.keyless += ensure_keys(cursor, whole, keys)
        if all_of_it:
            _bring_what_can_wait(cursor, complete, held)
    return check


def _create(cursor: Cursor, table: StarTable) -> None:
    create_star(cursor, LIVE, table)
    add_keys(cursor, LIVE, table)
    names: list[sql.Composable] = [LIVE.star(table.name)]
    if isinstance(table, Fact) and (sequence := serial_of(cursor, LIVE, table)):
        names.append(sequence)  # pg_dump reads it with the table
    grant_select(cursor, *names)
    if isinstance(table, Fact):
        create_first_current_view(cursor, table)


def _bring_in_place(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Mapping[str, ExistingColumn]], check: SchemaCheck
) -> None:
    for table in tables:
        lacking = [name for name, nullable in _missing(table, held[table.name]).items() if not nullable]
        if lacking:
            check.other += [f"{table.name} has no column {name}, which must have a value" for name in lacking]
            continue
        changes = _Changes()
        for column in table.columns:
            _plan(table, column, held[table.name].get(column.name), changes, check)
        if changes.actions:
            _alter(cursor, table, changes)


def _missing(table: StarTable, held: Mapping[str, ExistingColumn]) -> dict[str, bool]:
    """The columns that totes makes and a table does not have, and whether each may be NULL."""
    return {name: nullable for _, name, _, nullable in columns_made([table]) if name not in held}


def _plan(table: StarTable, column: Column, held: ExistingColumn | None, changes: _Changes, check: SchemaCheck) -> None:
    """Add the changes that make a column what its definition says, or why that is not possible.

    One that is not there is one that may be NULL.
    """
    name, wanted = sql.Identifier(column.name), catalog_type(column)
    if held is None:
        changes.actions.append(sql.SQL("ADD COLUMN {} {}").format(name, sql.SQL(column.sql_type)))
        changes.adds = True
        return
    if problem := _problem(table, column, held):
        check.other.append(problem)
        return
    if held.nondeterministic:
        changes.retype(column.name, f'{column.sql_type} COLLATE "default"')
        changes.made_deterministic.append(column.name)
    elif held.type != wanted:
        changes.retype(column.name, column.sql_type)
    if not held.nullable and column.nullable:
        changes.actions.append(sql.SQL("ALTER COLUMN {} DROP NOT NULL").format(name))


def _problem(table: StarTable, column: Column, held: ExistingColumn) -> str:
    """Why a column cannot be brought up to its definition in place; empty: it can."""
    wanted = catalog_type(column)
    if held.type != wanted and not _is_wider(held.type, wanted):
        return f"{table.name}.{column.name} is {held.type} and must be {wanted}"
    if held.nullable and not column.nullable:
        return f"{table.name}.{column.name} may be NULL and must not"
    return ""


def _is_wider(held: str, wanted: str) -> bool:
    """Whether every value of one type is exactly one of another."""
    of_held, of_wanted = _NUMERIC.fullmatch(held), _NUMERIC.fullmatch(wanted)
    if of_wanted is None:
        return (held, wanted) == ("integer", "bigint")
    precision, scale = int(of_wanted[1]), int(of_wanted[2])
    if of_held is None:
        return held == "integer" and precision - scale >= 10  # noqa: PLR2004 - digits of a 32-bit integer
    return scale >= int(of_held[2]) and precision - scale >= int(of_held[1]) - int(of_held[2])


def _alter(cursor: Cursor, table: StarTable, changes: _Changes) -> None:
    """Alter a star table, and make again what reads the columns that get another type.

    Raises:
        ConfigurationError: something that reads them cannot be made again, or the table or its view belongs to somebody
            whose rights the loader does not have.
    """
    oid = oid_of(cursor, LIVE.star(table.name))
    dependents = Dependents.of_retyped(cursor, table, oid, changes.retyped)
    if hinders := [*of_another(cursor, {oid: table.name}).values(), *dependents.hinders]:
        raise ConfigurationError(f"{table.name} cannot be altered: {'; '.join(hinders)}")
    try:
        with short_lock_timeout(cursor):
            dependents.drop(cursor)
            actions = sql.SQL(", ").join(changes.actions)
            cursor.execute(sql.SQL("ALTER TABLE {} {}").format(LIVE.star(table.name), actions))
            if changes.adds and isinstance(table, Fact):
                create_current_view(cursor, table)
            dependents.make_again(cursor)
    except _IN_THE_WAY as error:
        remedy = "drop what is in the way, and make it again afterwards"
        if isinstance(error, psycopg2.errors.InsufficientPrivilege):
            remedy = "give that to the loader's role, or grant it what it lacks"
        raise ConfigurationError(f"{table.name} cannot be altered: {primary_message(error)}; {remedy}") from error
    logger.info("altered %s to its definition", table.name)
    for column in changes.made_deterministic:
        logger.warning(
            "%s.%s has the default collation again: to the one that somebody gave it different texts were equal, and "
            "edits may have been lost, which totes verify --repair finds",
            table.name,
            column,
        )


def _bring_what_can_wait(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Mapping[str, ExistingColumn]]
) -> None:
    """Drop the foreign keys of totes' first version and widen its record ids, unless somebody's work is in the way."""
    try:
        _drop_foreign_keys(cursor, tables)
        for table in tables:
            if isinstance(table, Fact) and held[table.name][table.record_id].type == "integer":
                _widen_record_id(cursor, table)
    except IN_USE as error:
        logger.warning("a table is in use; it is altered in a later run: %s", primary_message(error))


def _widen_record_id(cursor: Cursor, table: Fact) -> None:
    changes = _Changes()
    changes.retype(table.record_id, "bigint")
    try:
        _alter(cursor, table, changes)
    except ConfigurationError as error:
        logger.warning("record ids of %s stay integer until a rebuild: %s", table.name, error)
        return
    sequence = serial_of(cursor, LIVE, table)
    if sequence is not None:
        cursor.execute(sql.SQL("ALTER SEQUENCE {} AS bigint").format(sequence))


def _drop_foreign_keys(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    ours = [LIVE.star(table.name) for table in tables] + [LIVE.ledger(name) for name in LEDGER]
    cursor.execute(
        "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname) FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid = 'etl.batch'::regclass AND conrelid = ANY(%s::regclass[]::oid[]) "
        "AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = conrelid), 'USAGE')",
        ([name.as_string(cursor) for name in ours],),
    )
    statements = [statement for (statement,) in cursor.fetchall()]
    if statements:
        with short_lock_timeout(cursor):
            for statement in statements:
                cursor.execute(statement)
