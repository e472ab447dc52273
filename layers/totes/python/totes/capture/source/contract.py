"""The contract with the source: the tables and columns that the star needs, held against the source's catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql

from totes.capture.source import elsewhere
from totes.capture.source.heap import must_be_kept_by_heap
from totes.capture.source.renaming import perhaps_renamed
from totes.capture.source.snapshot import Snapshot
from totes.capture.source_schema import Family, SourceTable
from totes.catalog import written_type
from totes.errors import ConfigurationError, ContractError
from totes.lake import SourceColumn
from totes.sqlstate import first_line

_CATALOG = sql.SQL("""
    WITH RECURSIVE domain (oid, type, modifier) AS (
        SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
        UNION ALL
        SELECT domain.oid, below.typbasetype, below.typtypmod
        FROM domain JOIN pg_type AS below ON below.oid = domain.type AND below.typtype = 'd'
    )
    SELECT class.relname, class.relkind, attribute.attname, {whole_type}, {plain_type},
           CASE WHEN type.typtype = 'e' THEN 'enum' ELSE type.typname END,
           has_schema_privilege(namespace.oid, 'USAGE'), quote_ident(current_user),
           has_table_privilege(class.oid, 'SELECT'), row_security_active(class.oid),
           attribute.attgenerated = 'v',
           attribute.attnotnull AND EXISTS (
               SELECT FROM pg_index AS index
               WHERE index.indrelid = class.oid AND index.indisunique AND index.indisvalid AND index.indpred IS NULL
                 AND attribute.attnum = ANY ((index.indkey::int2[])[0:index.indnkeyatts - 1])
                 AND (index.indnkeyatts = 1 OR class.relkind = 'p')
           ),
           (
               SELECT quote_ident(proof.conname) FROM pg_constraint AS proof
               WHERE proof.conrelid = class.oid AND proof.contype = 'n' AND proof.conkey = ARRAY[attribute.attnum]
                 AND NOT proof.convalidated
           )
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    LEFT JOIN domain ON domain.oid = attribute.atttypid
    CROSS JOIN LATERAL (
        SELECT coalesce(domain.type, attribute.atttypid), coalesce(domain.modifier, attribute.atttypmod)
    ) AS base (type, modifier)
    JOIN pg_type AS type ON type.oid = base.type AND type.typtype <> 'd'
    WHERE namespace.nspname = 'public' AND class.relname = ANY(%s) AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND attribute.attnum > 0 AND NOT attribute.attisdropped
    ORDER BY class.relname, attribute.attnum
""").format(
    whole_type=written_type(sql.Identifier("attribute", "atttypid"), sql.Identifier("attribute", "atttypmod")),
    plain_type=written_type(sql.Identifier("base", "type"), sql.Identifier("base", "modifier")),
)

_UNTOLD_NAMES = (psycopg2.errors.CharacterNotInRepertoire, psycopg2.errors.UntranslatableCharacter)
"""What a server answers if it cannot send a name as UTF-8, because it has no encoding or another one."""

_ODD_NAMES = """
    SELECT DISTINCT class.relname
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE namespace.nspname = 'public' AND class.relname = ANY(%s) AND attribute.attname::text ~ '[^ -~]'
    ORDER BY 1
"""

_NO_TABLES = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
"""What may have a table's name without being a table, by its relkind."""

_FAMILIES = {
    Family.INTEGER: {"int2", "int4", "int8"},
    Family.NUMERIC: {"numeric"},
    Family.TEXT: {"text", "varchar", "bpchar", "enum", "date"},
    Family.BOOLEAN: {"bool"},
    Family.TIMESTAMP: {"timestamp", "timestamptz"},  # of either a session in UTC is told the same
}


@dataclass(frozen=True, kw_only=True)
class _CatalogColumn:
    """A column, and what the catalog says of it.

    Attributes:
        name: its name in the source.
        type: its type, in the source's words, under which the lake carries it.
        plain_type: the type below its domain, whose values are written in the same way, and as which totes reads it;
            without a domain, `type`.
        base_type: that type without its parameters; "enum" of every enum.
        virtual: whether PostgreSQL stores no value of it, and works it out whenever it is read.
        identifies: whether every row has a value of it, and no two rows the same. Unique indexes of a partitioned
            table also have the columns that it is partitioned by, so there `unique_keys` checks the latter.
        unproven: a NOT NULL (PostgreSQL 18) that is not validated: it holds for rows that were written since, and
            perhaps not for older ones; None: there is none.
    """

    name: str
    type: str
    plain_type: str
    base_type: str
    virtual: bool
    identifies: bool
    unproven: str | None


def columns_of(snapshot: Snapshot, tables: Sequence[SourceTable]) -> dict[str, tuple[SourceColumn, ...]]:
    """Return each table's columns as they are in the source, once they are found to keep the contract.

    Columns beyond the contract are returned too: the lake carries them. Virtual ones are not: they say nothing that the
    others do not say, and one row for which their expression fails would stop the reading of all.

    Raises:
        ContractError: tables or columns are missing or of another type; the sentence names all of them. Or rows of a
            table are not in PostgreSQL's own heap.
        ConfigurationError: the role may not use their schema, or not read a table, or not all of its rows.
        SourceUnavailable: tables appeared while the snapshot was taken, and could not be locked.
    """
    names = [table.source_name for table in tables]
    catalog, no_tables = _catalog(snapshot, names)
    if not catalog and not no_tables:
        raise ContractError(elsewhere.none_there(snapshot.connection, names))
    breaches = [
        f"{name} is {kind} now, of which PostgreSQL cannot tell what has changed: give the table its name back"
        for name, kind in no_tables.items()
    ]
    absent = [table for table in tables if table.source_name not in catalog and table.source_name not in no_tables]
    breaches += elsewhere.missing(snapshot.connection, absent, tables)
    present = (table for table in tables if table.source_name in catalog)
    breaches += [breach for table in present for breach in _breaches(table, catalog[table.source_name])]
    if breaches:
        raise ContractError(f"the source broke its contract: {'; '.join(breaches)}; fix the source, or the contract")
    must_be_kept_by_heap(snapshot, tables)
    snapshot.check_locked()
    return {table.name: tuple(_columns(table, catalog[table.source_name])) for table in tables}


def _columns(table: SourceTable, catalog: Sequence[_CatalogColumn]) -> Iterator[SourceColumn]:
    """The columns that are captured, by their names in the lake."""
    for found in catalog:
        name = table.own_name_of(found.name)
        if name is not None and (name in table.columns or not found.virtual):
            yield SourceColumn(name=name, type=found.plain_type if name in table.columns else found.type)


def _catalog(snapshot: Snapshot, names: list[str]) -> tuple[dict[str, list[_CatalogColumn]], dict[str, str]]:
    """The columns of each table that is there, and what has a table's name without being a table."""
    catalog: dict[str, list[_CatalogColumn]] = {}
    no_tables: dict[str, str] = {}
    unreadable, hidden = set(), set()
    for (
        table,
        kind,
        column,
        whole_type,
        plain_type,
        base_type,
        usable,
        role,
        readable,
        hides,
        virtual,
        identifies,
        unproven,
    ) in _described(snapshot, names):
        if not usable:
            raise ConfigurationError(
                "the source's role may not use the schema public: type totes init source, which lets it, or "
                f"GRANT USAGE ON SCHEMA public TO {role}"
            )
        if kind in _NO_TABLES:
            no_tables[table] = _NO_TABLES[kind]
            continue
        found = _CatalogColumn(
            name=column,
            type=whole_type,
            plain_type=plain_type,
            base_type=base_type,
            virtual=virtual,
            identifies=identifies,
            unproven=unproven,
        )
        catalog.setdefault(table, []).append(found)
        if not readable:
            unreadable.add(table)
        if hides:
            hidden.add(table)
    if unreadable:
        unread = ", ".join(sorted(unreadable))
        raise ConfigurationError(
            f"the source's role may not read {unread}: type totes init source, which lets it read all that "
            f"totes needs, or GRANT SELECT ON {unread} to it"
        )
    if hidden:
        raise ConfigurationError(
            f"row-level security hides rows of {', '.join(sorted(hidden))} from the source's role; give it BYPASSRLS, "
            f"or membership in the role that owns the tables"
        )
    return catalog, no_tables


def _described(snapshot: Snapshot, names: list[str]) -> list[tuple[Any, ...]]:
    """What the catalog says of the tables, a row for each column."""
    with snapshot.connection.cursor() as cursor:
        try:
            cursor.execute(_CATALOG, (names,))
        except _UNTOLD_NAMES as error:
            snapshot.connection.rollback()
            cursor.execute(_ODD_NAMES, (names,))
            odd = ", ".join(table for (table,) in cursor.fetchall()) or "the tables"
            raise ContractError(
                f"a column of {odd} has a name that is no UTF-8 ({first_line(error)}): give it another "
                f"(ALTER TABLE ... RENAME COLUMN)"
            ) from error
        return cursor.fetchall()


def _breaches(table: SourceTable, found: list[_CatalogColumn]) -> list[str]:
    catalog = {column.name: column for column in found}
    asked = {table.source_column(name) for name in table.columns}
    breaches = []
    for own_name, family in table.columns.items():
        source_column = table.source_column(own_name)
        column, name = catalog.get(source_column), f"{table.source_name}.{source_column}"
        if column is None:
            others = [each.name for each in found if each.name not in asked and each.base_type in _FAMILIES[family]]
            hint = perhaps_renamed(table, others, f'renamed={{{{"{own_name}": "{{}}"}}}}')
            breaches.append(f"column {name} is missing{hint}")
        elif column.base_type not in _FAMILIES[family]:
            breaches.append(f"column {name} is {column.type}, expected {family.value}")
        elif own_name == table.key and not column.identifies:
            breaches.append(
                f"column {name}, by which rows are known, needs NOT NULL and a valid unique index on it "
                "alone, without WHERE (of a partitioned table: on it and what that is partitioned by)"
            )
        elif own_name == table.key and column.unproven:
            breaches.append(
                f"column {name} may be NULL in rows older than its NOT NULL constraint: give these a key, "
                f"then ALTER TABLE {table.source_name} VALIDATE CONSTRAINT {column.unproven}"
            )
    return breaches
