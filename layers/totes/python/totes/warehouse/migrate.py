"""The warehouse's tables are compared with their definitions at every load, and changed to them where that is exact."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.shapes import Calendar, Column, Fact, StarTable
from totes.warehouse import ledger
from totes.warehouse.definitions import (
    add_keys,
    catalog_type,
    columns_made,
    create_current_view,
    create_ledger,
    create_star,
    create_state,
)
from totes.warehouse.dependents import Dependents
from totes.warehouse.places import LIVE

logger = logging.getLogger(__name__)

_SHORT = "2s"
"""How long a change of a table waits for its readers; who comes after it waits behind it."""

_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


@dataclass(kw_only=True)
class Found:
    """What is other in the warehouse than in the code, and cannot be brought up to it in place.

    Attributes:
        newer: what only a newer totes can have made.
        other: what only tables that are made again can be.
    """

    newer: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Held:
    type: str
    nullable: bool


def ensure_tables(cursor: Cursor, tables: Sequence[StarTable]) -> Found:
    """Create what is missing of the ledger and of the star tables, and bring in place what is exact.

    Columns that may be NULL are added, NOT NULL is dropped, types are widened. Of a warehouse of an earlier totes the
    foreign keys to the ledger are dropped, and record ids become bigint.

    Returns:
        What cannot be brought in place.

    Raises:
        ConfigurationError: a star table is there that no ledger accounts for, so totes did not make it; or the
            database is the source, or has not the encoding UTF8.
        psycopg2.Error: the warehouse broke off, or a table is in use.
    """
    has_ledger = _ensure_ledger(cursor, tables)
    held = _columns(cursor, [table.name for table in tables])
    strangers = [table.name for table in tables if table.name in held and not has_ledger]
    if strangers:
        raise ConfigurationError(
            f"the warehouse has a table {strangers[0]} that totes did not make (there is no ledger etl.batch); "
            "name an empty database"
        )
    found = Found(newer=_newer(cursor, tables))
    if not found.newer:
        for table in tables:
            if table.name not in held:
                _create(cursor, table)
        _bring_in_place(cursor, [table for table in tables if table.name in held], held, found)
    return found


def is_source(cursor: Cursor, tables: Sequence[StarTable]) -> bool:
    """Whether a database is a source and no warehouse: most of the source's tables are there.

    Not all need to be: a source of which a table was renamed is still no place for the star.
    """
    sources = {table.source for table in tables if not isinstance(table, Calendar)}
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)", [[*sources]])
    [[found]] = cursor.fetchall()
    return bool(found > len(sources) / 2)


def _ensure_ledger(cursor: Cursor, tables: Sequence[StarTable]) -> bool:
    """Create what is missing of the ledger; return whether it was there."""
    has_ledger = _exists(cursor, "etl", "batch")
    if not has_ledger:
        _must_speak_utf8(cursor)
        if is_source(cursor, tables):
            raise ConfigurationError(
                "the warehouse is a source: it has the tables that totes reads, and the star does not belong beside "
                "them; name an empty database (totes secrets set warehouse)"
            )
        # "IF NOT EXISTS" would ask for the right to make schemas even where totes init has made this one.
        if not _has_schema(cursor, "etl"):
            cursor.execute("CREATE SCHEMA etl")
        create_ledger(cursor, LIVE)
    if not _exists(cursor, "etl", "star_column"):
        create_state(cursor)
        entry = ledger.newest_entry(cursor)
        if entry is not None:  # made by a totes that kept the edition in the ledger alone
            ledger.write_content(cursor, ledger.Content(edition=entry.edition, rebuild=False))
    return has_ledger


def _create(cursor: Cursor, table: StarTable) -> None:
    create_star(cursor, LIVE, table)
    add_keys(cursor, LIVE, table)
    if isinstance(table, Fact):
        create_current_view(cursor, table)


def remember_columns(cursor: Cursor, tables: Sequence[StarTable], *, whole: bool = False) -> None:
    """Write which columns totes made.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        whole: whether all tables were just made, so that what the code does not know is gone.
    """
    made = list(columns_made(tables))
    cursor.execute("SELECT star_table, column_name, type, nullable FROM etl.star_column")
    known = set(cursor.fetchall())
    if whole and known - set(made):
        cursor.execute("DELETE FROM etl.star_column")
        known = set()
    for row in made:
        if row not in known:
            cursor.execute(
                "INSERT INTO etl.star_column (star_table, column_name, type, nullable) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (star_table, column_name) DO UPDATE "
                "SET type = excluded.type, nullable = excluded.nullable",
                row,
            )


def _newer(cursor: Cursor, tables: Sequence[StarTable]) -> list[str]:
    known = {(name, column) for name, column, _, _ in columns_made(tables)}
    cursor.execute("SELECT star_table, column_name FROM etl.star_column ORDER BY 1, 2")
    return [f"{name}.{column}" for name, column in cursor.fetchall() if (name, column) not in known]


def _bring_in_place(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Mapping[str, _Held]], found: Found
) -> None:
    _drop_foreign_keys(cursor)
    for table in tables:
        actions: list[sql.Composable] = []
        for column in table.columns:
            action = _action(table, column, held[table.name].get(column.name), found)
            actions += [action] if action else []
        # Record ids alone can wait for a rebuild where somebody's view is in the way.
        optional = not actions
        if isinstance(table, Fact) and held[table.name][table.record_id].type == "integer":
            actions.append(_retyped(table.record_id, "bigint"))
        elif optional:
            continue
        _alter(cursor, table, actions, optional=optional)


def _action(table: StarTable, column: Column, held: _Held | None, found: Found) -> sql.Composable | None:
    """What brings a held column up to its definition; None: nothing does or need."""
    name, wanted = sql.Identifier(column.name), catalog_type(column)
    if held is None and column.nullable:
        return sql.SQL("ADD COLUMN {} {}").format(name, sql.SQL(column.sql_type))
    problem = _problem(table, column, held)
    if problem or held is None:
        found.other.append(problem)
        return None
    if held.type != wanted:
        return _retyped(column.name, column.sql_type)
    if not held.nullable and column.nullable:
        return sql.SQL("ALTER COLUMN {} DROP NOT NULL").format(name)
    return None


def _problem(table: StarTable, column: Column, held: _Held | None) -> str:
    """Why a column cannot be brought up to its definition in place; empty: it can."""
    wanted = catalog_type(column)
    if held is None:
        return f"{table.name} has no column {column.name}, which must have a value"
    if held.type != wanted and not _is_wider(held.type, wanted):
        return f"{table.name}.{column.name} is {held.type} and must be {wanted}"
    if held.nullable and not column.nullable:
        return f"{table.name}.{column.name} may be NULL and must not"
    return ""


def _retyped(column: str, sql_type: str) -> sql.Composable:
    return sql.SQL("ALTER COLUMN {} TYPE {}").format(sql.Identifier(column), sql.SQL(sql_type))


def _is_wider(held: str, wanted: str) -> bool:
    """Whether every value of one type is exactly one of another."""
    of_held, of_wanted = _NUMERIC.fullmatch(held), _NUMERIC.fullmatch(wanted)
    if of_wanted is None:
        return (held, wanted) == ("integer", "bigint")
    precision, scale = int(of_wanted[1]), int(of_wanted[2])
    if of_held is None:
        return held == "integer" and precision - scale >= 10  # noqa: PLR2004 - digits of a 32-bit integer
    return scale >= int(of_held[2]) and precision - scale >= int(of_held[1]) - int(of_held[2])


def _alter(cursor: Cursor, table: StarTable, actions: Sequence[sql.Composable], *, optional: bool) -> None:
    """Alter a star table, and make the views again that read it."""
    dependents = Dependents.of(cursor, [table])
    if optional and dependents.hinders:
        logger.warning("record ids of %s stay integer: %s", table.name, "; ".join(dependents.hinders))
        return
    dependents.must_not_hinder()
    with _shortly(cursor, optional=optional):
        dependents.drop(cursor)
        cursor.execute(sql.SQL("ALTER TABLE {} {}").format(LIVE.star(table.name), sql.SQL(", ").join(actions)))
        if isinstance(table, Fact):
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (f"public.{table.name}", table.record_id))
            [[sequence]] = cursor.fetchall()
            if sequence:
                cursor.execute(f"ALTER SEQUENCE {sequence} AS bigint")
        dependents.make_again(cursor)
        logger.info("altered %s to its definition", table.name)


def _drop_foreign_keys(cursor: Cursor) -> None:
    cursor.execute(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid = 'etl.batch'::regclass "
        "AND pg_has_role((SELECT relowner FROM pg_class WHERE oid = conrelid), 'USAGE')"
    )
    statements = [statement for (statement,) in cursor.fetchall()]
    if statements:
        with _shortly(cursor, optional=True):
            for statement in statements:
                cursor.execute(statement)


class _shortly:  # noqa: N801 - it reads as a word
    """A change of tables that waits for their readers only for a moment; one that is optional is left for later."""

    def __init__(self, cursor: Cursor, *, optional: bool) -> None:
        self._cursor = cursor
        self._optional = optional

    def __enter__(self) -> None:
        self._cursor.execute("SELECT current_setting('lock_timeout')")
        [[self._before]] = self._cursor.fetchall()
        self._cursor.execute("SAVEPOINT altering")
        self._cursor.execute("SELECT set_config('lock_timeout', %s, true)", (_SHORT,))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        in_use = isinstance(error, psycopg2.errors.LockNotAvailable)
        if error is not None and not (in_use and self._optional):
            return False
        if in_use:
            logger.warning("a table is in use; it is altered at a later load: %s", error)
            self._cursor.execute("ROLLBACK TO SAVEPOINT altering")
        else:
            self._cursor.execute("RELEASE SAVEPOINT altering")
        self._cursor.execute("SELECT set_config('lock_timeout', %s, true)", (self._before,))
        return in_use


def _must_speak_utf8(cursor: Cursor) -> None:
    cursor.execute("SELECT current_database(), current_setting('server_encoding')")
    [[database, encoding]] = cursor.fetchall()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the warehouse's database {database} has the encoding {encoding}, which cannot hold every text of the "
            "source; name one that was made WITH ENCODING 'UTF8' TEMPLATE template0"
        )


def _columns(cursor: Cursor, names: Sequence[str]) -> dict[str, dict[str, _Held]]:
    cursor.execute(
        "SELECT relname, attname, format_type(atttypid, atttypmod), NOT attnotnull "
        "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
        "WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) AND relkind IN ('r', 'p') "
        "AND attnum > 0 AND NOT attisdropped",
        (list(names),),
    )
    held: dict[str, dict[str, _Held]] = {}
    for table, column, sql_type, nullable in cursor.fetchall():
        held.setdefault(table, {})[column] = _Held(type=sql_type, nullable=nullable)
    return held


def _has_schema(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    return cursor.fetchone() is not None


def _exists(cursor: Cursor, schema: str, table: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s", (schema, table))
    return cursor.fetchone() is not None
