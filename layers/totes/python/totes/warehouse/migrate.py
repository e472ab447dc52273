"""The warehouse's tables are compared with their definitions at every load, and changed to them where that is exact."""

import logging
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.roles import RATES_TABLE
from totes.star_schema import Calendar, Column, Fact, StarTable
from totes.warehouse import ledger
from totes.warehouse.database_errors import sentence
from totes.warehouse.definitions import (
    LEDGER,
    add_keys,
    catalog_type,
    columns_known_by,
    columns_made,
    create_ledger,
    create_rate_ledger,
    create_rates,
    create_star,
    create_state,
    create_verification,
    grant_ledger,
    grant_select,
    serial_of,
)
from totes.warehouse.dependents import Dependents
from totes.warehouse.grants import oid_of
from totes.warehouse.keys import ensure_keys
from totes.warehouse.lock_timeout import IN_USE, short_lock_timeout
from totes.warehouse.own_tables import OWN, must_be_own
from totes.warehouse.places import LIVE
from totes.warehouse.table_settings import of_another
from totes.warehouse.views import create_current_view, create_first_current_view, ensure_current_views

logger = logging.getLogger(__name__)

# A partial or deferred unique index does not keep the rows unique that are being loaded. A table that somebody has
# partitioned cannot have every key; that is its owner's decision.
_COLUMNS_AND_KEYS = """
    WITH star AS MATERIALIZED (
        SELECT oid, relname, CASE WHEN relkind = 'r' THEN ARRAY(
            SELECT concat_ws(' ', indnkeyatts, indkey) FROM pg_index
            WHERE indrelid = pg_class.oid AND indisunique AND indisvalid AND indimmediate
            AND indpred IS NULL AND indexprs IS NULL
        ) END AS keys
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) AND relkind IN ('r', 'p')
    )
    SELECT relname, attname, attnum::text, format_type(atttypid, atttypmod), NOT attnotnull,
        attcollation = ANY(ARRAY(SELECT oid FROM pg_collation WHERE NOT collisdeterministic)), keys
    FROM star JOIN pg_attribute ON attrelid = star.oid WHERE attnum > 0 AND NOT attisdropped
"""

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
        gone: the star tables that totes had made and somebody has dropped; they are there again, without rows.
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
                "the warehouse was made by a newer totes, or columns were taken out of the star since: this totes does "
                f"not know {', '.join(self.newer)}; deploy the newer one, or make the tables again without them "
                "(totes replay --from 1)"
            )
        if self.other:
            return (
                f"the warehouse's tables are not what this totes makes: {'; '.join(self.other)}; make them again "
                "(totes replay --from 1)"
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
    unblurred: list[str] = field(default_factory=list)
    adds: bool = False

    def retype(self, column: str, sql_type: str) -> None:
        """Give a column another type."""
        self.actions.append(sql.SQL("ALTER COLUMN {} TYPE {}").format(sql.Identifier(column), sql.SQL(sql_type)))
        self.retyped.add(column)


@dataclass(frozen=True, kw_only=True)
class _ExistingColumn:
    """A column as it is; `blurred`: its collation takes different texts for equal, such as "a" and "A"."""

    type: str
    nullable: bool
    blurred: bool


def ensure_tables(cursor: Cursor, tables: Sequence[StarTable], *, all_of_it: bool = True) -> SchemaCheck:
    """Create what is missing of the ledger and the star tables, and make in place the changes that are exact.

    Columns that may be NULL are added, NOT NULL is dropped, types are widened. Of a warehouse of an earlier totes the
    foreign keys to the ledger are dropped and record ids become bigint, where nobody uses the tables at the moment.

    Args:
        cursor: the warehouse.
        tables: the star tables.
        all_of_it: whether to try the last two as well, and to make views again that somebody has replaced. Each try
            waits for locks, and readers wait for it meanwhile, so one try in a run is enough.

    Returns:
        What cannot be changed in place.

    Raises:
        ConfigurationError: a star table is there and no ledger, so totes did not make it; something of others has the
            name of a table or view of totes; the database is the source, or its encoding is not UTF8; or something that
            somebody made hinders a change of a table.
        psycopg2.Error: the warehouse broke off, or a table is in use.
    """
    has_ledger = _ensure_ledger(cursor, tables)
    held, keys = _columns_and_keys(cursor, [table.name for table in tables])
    strangers = [table.name for table in tables if table.name in held and not has_ledger]
    if strangers:
        raise ConfigurationError(
            f"the warehouse has a table {strangers[0]} that totes did not make (there is no ledger etl.batch); "
            "name an empty database"
        )
    missing = [table.name for table in tables if table.name not in held]
    check = SchemaCheck(newer=_newer(cursor, tables), gone=_made_before(cursor, missing))
    for table in tables:
        if table.name not in held:
            _create(cursor, table)
    if not check.newer:
        ensure_current_views(cursor, tables, replace=all_of_it)
        known = [table for table in tables if table.name in held]
        _bring_in_place(cursor, known, held, check)
        whole = [table for table in known if held[table.name].keys() >= set(columns_known_by(table))]
        check.keyless += ensure_keys(cursor, whole, keys)
        if all_of_it:
            _bring_what_can_wait(cursor, known, held)
    return check


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
    there = _tables_there(cursor)
    must_be_own(there)
    has_ledger = "etl.batch" in there
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
        grant_ledger(cursor)
    if "etl.star_column" not in there:
        _must_know_editions(cursor)
        create_state(cursor)
        entry = ledger.newest_entry(cursor)
        if entry is not None:  # made by a totes that kept the edition in the ledger alone
            ledger.write_content(cursor, ledger.Content(edition=entry.edition, rebuild=False))
    if "etl.verification" not in there:
        create_verification(cursor)
    _ensure_rates(cursor, there)
    return has_ledger


def _must_know_editions(cursor: Cursor) -> None:
    cursor.execute("SELECT FROM pg_attribute WHERE attrelid = 'etl.batch'::regclass AND attname = 'edition'")
    if cursor.fetchone() is None:
        raise ConfigurationError(
            "the warehouse was made by a totes from before 24 November 2026, 09:00 UTC, which this one does not "
            "continue; name an empty database (docs/disasters.md, as if it were lost): it is filled from the lake"
        )


def _ensure_rates(cursor: Cursor, there: Container[str]) -> None:
    if "etl.rate_day" not in there:
        create_rate_ledger(cursor)
    if f"public.{RATES_TABLE}" not in there:
        create_rates(cursor)


def _create(cursor: Cursor, table: StarTable) -> None:
    create_star(cursor, LIVE, table)
    add_keys(cursor, LIVE, table)
    grant_select(cursor, LIVE.star(table.name))
    if isinstance(table, Fact):
        create_first_current_view(cursor, table)


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
    others = [row for row in made if row not in known]
    if others:
        names, columns, types, nullable = (list(values) for values in zip(*others, strict=True))
        cursor.execute(
            "INSERT INTO etl.star_column (star_table, column_name, type, nullable) "
            "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::boolean[]) "
            "ON CONFLICT (star_table, column_name) DO UPDATE SET type = excluded.type, nullable = excluded.nullable",
            (names, columns, types, nullable),
        )


def _newer(cursor: Cursor, tables: Sequence[StarTable]) -> list[str]:
    known = {(name, column) for name, column, _, _ in columns_made(tables)}
    cursor.execute("SELECT star_table, column_name FROM etl.star_column ORDER BY 1, 2")
    return [f"{name}.{column}" for name, column in cursor.fetchall() if (name, column) not in known]


def _made_before(cursor: Cursor, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    cursor.execute("SELECT DISTINCT star_table FROM etl.star_column WHERE star_table = ANY(%s) ORDER BY 1", ([*names],))
    return [name for (name,) in cursor.fetchall()]


def _bring_in_place(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Mapping[str, _ExistingColumn]], check: SchemaCheck
) -> None:
    for table in tables:
        changes = _Changes()
        for column in table.columns:
            _plan(table, column, held[table.name].get(column.name), changes, check)
        if changes.actions:
            _alter(cursor, table, changes)


def _plan(
    table: StarTable, column: Column, held: _ExistingColumn | None, changes: _Changes, check: SchemaCheck
) -> None:
    """Add the changes that make an existing column what its definition says, or why that is not possible."""
    name, wanted = sql.Identifier(column.name), catalog_type(column)
    if held is None and column.nullable:
        changes.actions.append(sql.SQL("ADD COLUMN {} {}").format(name, sql.SQL(column.sql_type)))
        changes.adds = True
        return
    problem = _problem(table, column, held)
    if problem or held is None:
        check.other.append(problem)
        return
    if held.blurred:
        changes.retype(column.name, f'{column.sql_type} COLLATE "default"')
        changes.unblurred.append(column.name)
    elif held.type != wanted:
        changes.retype(column.name, column.sql_type)
    if not held.nullable and column.nullable:
        changes.actions.append(sql.SQL("ALTER COLUMN {} DROP NOT NULL").format(name))


def _problem(table: StarTable, column: Column, held: _ExistingColumn | None) -> str:
    """Why a column cannot be brought up to its definition in place; empty: it can."""
    wanted = catalog_type(column)
    if held is None:
        return f"{table.name} has no column {column.name}, which must have a value"
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
        raise ConfigurationError(f"{table.name} cannot be altered: {sentence(error)}; {remedy}") from error
    logger.info("altered %s to its definition", table.name)
    for column in changes.unblurred:
        logger.warning(
            "%s.%s has the default collation again: to the one that somebody gave it different texts were equal, and "
            "edits may have been lost, which totes verify --repair finds",
            table.name,
            column,
        )


def _bring_what_can_wait(
    cursor: Cursor, tables: Sequence[StarTable], held: Mapping[str, Mapping[str, _ExistingColumn]]
) -> None:
    """Drop the foreign keys of the first totes and widen its record ids, unless somebody's work is in the way."""
    try:
        _drop_foreign_keys(cursor, tables)
        for table in tables:
            if isinstance(table, Fact) and held[table.name][table.record_id].type == "integer":
                _widen_record_id(cursor, table)
    except IN_USE as error:
        logger.warning("a table is in use; it is altered in a later run: %s", sentence(error))


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


def _must_speak_utf8(cursor: Cursor) -> None:
    cursor.execute("SELECT current_database(), current_setting('server_encoding')")
    [[database, encoding]] = cursor.fetchall()
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the warehouse's database {database} has the encoding {encoding}, which cannot hold every text of the "
            "source; name one that was made WITH ENCODING 'UTF8' TEMPLATE template0"
        )


def _columns_and_keys(
    cursor: Cursor, names: Sequence[str]
) -> tuple[dict[str, dict[str, _ExistingColumn]], dict[str, set[frozenset[str]]]]:
    """Return the columns of the tables that are there, and of each of their keys and unique indexes."""
    cursor.execute(_COLUMNS_AND_KEYS, (list(names),))
    held: dict[str, dict[str, _ExistingColumn]] = {}
    of_keys: dict[str, list[str] | None] = {}
    numbers: dict[str, dict[str, str]] = {}
    for table, column, number, sql_type, nullable, blurred, keys in cursor.fetchall():
        held.setdefault(table, {})[column] = _ExistingColumn(type=sql_type, nullable=nullable, blurred=blurred)
        numbers.setdefault(table, {})[number] = column
        of_keys[table] = keys
    return held, {
        table: {_names(key, numbers[table]) for key in keys} for table, keys in of_keys.items() if keys is not None
    }


def _names(key: str, columns: Mapping[str, str]) -> frozenset[str]:
    """The columns of a key: its text is their count, their numbers, and the numbers of columns that it includes."""
    count, *numbers = key.split()
    return frozenset(columns[number] for number in numbers[: int(count)])


def _has_schema(cursor: Cursor, schema: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    return cursor.fetchone() is not None


def _tables_there(cursor: Cursor) -> dict[str, frozenset[str]]:
    """Return the columns of the ledger's tables and of those of exchange rates that are there, with their schemas."""
    cursor.execute(
        "SELECT format('%%s.%%s', relnamespace::regnamespace, relname), ARRAY("
        "SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) "
        "FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND ("
        "relnamespace = to_regnamespace('etl') AND relname = ANY(%s) "
        "OR relnamespace = 'public'::regnamespace AND relname = %s)",
        (list(OWN), RATES_TABLE),
    )
    return {name: frozenset(columns) for name, columns in cursor.fetchall()}
