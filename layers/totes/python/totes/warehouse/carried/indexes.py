"""The indexes that others have made on the live tables: they are built on the new tables before the swap.

To build an index of a large table takes long, and nobody can read a table while it is being replaced. So the swap only
renames indexes that are there.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from string import digits
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.errors import ConfigurationError
from totes.savepoints import dry_run, savepoint
from totes.sqlstate import (
    DATA_EXCEPTION,
    DEPENDENT_OBJECTS_STILL_EXIST,
    FEATURE_NOT_SUPPORTED,
    INTEGRITY_CONSTRAINT_VIOLATION,
    PROGRAM_LIMIT_EXCEEDED,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
    is_of_class,
    primary_message,
)
from totes.star_schema import StarTable
from totes.warehouse.definitions import add_keys, replacements
from totes.warehouse.grants import oids_of
from totes.warehouse.places import BESIDE

_PREFIX = "index_beside_"
"""How the name of an index begins until its table is the live one."""

# PostgreSQL's definition of an index begins with names, which differ for the table that replaces the live one.
_INDEXES = """
    SELECT indrelid, index.relname, nspname, indisvalid, indisunique,
        substr(pg_get_indexdef(indexrelid), 1 + length(concat(
            'CREATE ', CASE WHEN indisunique THEN 'UNIQUE ' END, 'INDEX ',
            format('%%I ON %%I.%%I ', index.relname, nspname, indexed.relname)
        ))),
        obj_description(indexrelid, 'pg_class'),
        EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
    FROM pg_index
    JOIN pg_class AS index ON index.oid = indexrelid
    JOIN pg_class AS indexed ON indexed.oid = indrelid
    JOIN pg_namespace ON pg_namespace.oid = indexed.relnamespace
    WHERE indrelid = ANY(%s::oid[])
    ORDER BY nspname, index.relname
"""

_OF_THE_DEFINITION = (
    FEATURE_NOT_SUPPORTED,
    DEPENDENT_OBJECTS_STILL_EXIST,
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION,
)
"""SQLSTATE classes of the errors if the new table cannot have an index, whatever its rows are."""

_OF_THE_ROWS = (DATA_EXCEPTION, INTEGRITY_CONSTRAINT_VIOLATION, PROGRAM_LIMIT_EXCEEDED)
"""SQLSTATE classes of the errors if rows of the new table do not allow an index."""


class _CatalogIndex(NamedTuple):
    """An index as the catalog has it; `rest` is its definition behind the table's name."""

    table: int
    name: str
    schema: str
    valid: bool
    unique: bool
    rest: str
    meaning: str | None
    of_constraint: bool

    def is_like(self, other: "_CatalogIndex") -> bool:
        """Whether another one, of another table, keeps the same."""
        return (self.unique, self.rest) == (other.unique, other.rest)


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index that others have made on a live table.

    Attributes:
        entry: what the catalog says of it.
        table: the live table, in words.
        beside: the table that replaces it.
    """

    entry: _CatalogIndex
    table: str
    beside: sql.Identifier

    @property
    def name_beside(self) -> str:
        """Its name until the swap: a digest of its definition, so that a changed one has another name."""
        whole = f"{self.entry.schema}.{self.entry.name} {self.entry.unique} {self.table} {self.entry.rest}"
        return _PREFIX + hashlib.sha256(whole.encode()).hexdigest()[:16]

    def build(self, cursor: Cursor) -> None:
        """Build it on the table that replaces the live one.

        Raises:
            ConfigurationError: that table cannot have it.
        """
        if why := self._refused(cursor, (*_OF_THE_DEFINITION, *_OF_THE_ROWS)):
            raise ConfigurationError(f"the star tables cannot be replaced: {why}")

    def hindered(self, cursor: Cursor) -> str:
        """Return why the new table, which is empty, cannot have it; an empty text: it can."""
        with dry_run(cursor):
            return self._refused(cursor, _OF_THE_DEFINITION)

    def put_in_place(self, cursor: Cursor) -> None:
        """Give it its name and comment, when its table has replaced the live one."""
        name = sql.Identifier(self.entry.schema, self.entry.name)
        beside = sql.Identifier(self.entry.schema, self.name_beside)
        cursor.execute(sql.SQL("ALTER INDEX {} RENAME TO {}").format(beside, sql.Identifier(self.entry.name)))
        if self.entry.meaning is not None:
            cursor.execute(sql.SQL("COMMENT ON INDEX {} IS {}").format(name, sql.Literal(self.entry.meaning)))

    def _refused(self, cursor: Cursor, classes: Sequence[str]) -> str:
        """Build it, or return why that was refused with an error of one of these classes."""
        create = sql.SQL("CREATE UNIQUE INDEX {} ON {} {}" if self.entry.unique else "CREATE INDEX {} ON {} {}")
        try:
            with savepoint(cursor):
                cursor.execute(create.format(sql.Identifier(self.name_beside), self.beside, sql.SQL(self.entry.rest)))
        except psycopg2.Error as error:
            if not is_of_class(error, classes):
                raise
            return (
                f"the index {self.entry.name} of {self.table} cannot be made on the new one ({error.pgcode}): "
                f"{primary_message(error)}; drop it, and make another one afterwards"
            )
        return ""


@dataclass(frozen=True, kw_only=True)
class Indexes:
    """The indexes that others have made on the live tables.

    Attributes:
        wanted: all of them.
        missing: those that the new tables do not have yet.
        old: the names, in schema `etl`, of indexes of the new tables that nobody wants any more.
        hinders: why the new tables cannot have some, because another one has that name; a sentence each.
    """

    wanted: Sequence[Index]
    missing: Sequence[Index]
    old: Sequence[str]
    hinders: Sequence[str]

    @classmethod
    def of(cls, cursor: Cursor, tables: Sequence[StarTable]) -> "Indexes":
        """Return the indexes as they are now; both the live and the new tables must be there.

        Somebody may have made a key of totes again as an index of the same name, to cure bloat. That is no index of
        theirs: the new table has the key.
        """
        all_ = list(replacements(tables))
        live, beside = oids_of(cursor, [each.live for each in all_]), oids_of(cursor, [each.beside for each in all_])
        cursor.execute(_INDEXES, ([*live, *beside],))
        entries = [_CatalogIndex(*row) for row in cursor.fetchall()]
        there = {(index.table, index.name): index for index in entries}
        wanted, missing, hinders = [], [], []
        for each, oid, new in zip(all_, live, beside, strict=True):
            prefix = "" if each.star else BESIDE.ledger_prefix
            for one in entries:
                if one.table != oid or not one.valid or one.of_constraint:
                    continue  # it is another table's, or not done, or no index of its own
                if prefix and (own := there.get((new, prefix + one.name.rstrip(digits)))) and one.is_like(own):
                    continue  # totes' own, whose name has a number if an old table of somebody keeps the other
                if own := there.get((new, prefix + one.name)):
                    if not one.is_like(own):
                        hinders.append(_of_own_name(one, each.shown, own))
                    continue
                index = Index(entry=one, table=each.shown, beside=each.beside)
                wanted.append(index)
                if (new, index.name_beside) not in there:
                    missing.append(index)
        names = {index.name_beside for index in wanted}
        old = [one.name for one in entries if one.table in beside and _is_old(one.name, names)]
        return cls(wanted=wanted, missing=missing, old=old, hinders=hinders)

    def drop_old(self, cursor: Cursor) -> None:
        """Drop the indexes that nobody wants any more."""
        for name in self.old:
            cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("etl", name)))


def _is_old(name: str, wanted: Collection[str]) -> bool:
    return name.startswith(_PREFIX) and name not in wanted


def _of_own_name(one: _CatalogIndex, table: str, own: _CatalogIndex) -> str:
    unique = "a unique one " if own.unique else "one "
    return (
        f"the index {one.name} of {table} has the name of {unique}that totes makes ({own.rest}) and is not like it "
        f"({one.rest}); rename it (ALTER INDEX)"
    )


def must_be_possible(cursor: Cursor, tables: Sequence[StarTable]) -> None:
    """Check that the new tables, which are empty yet, can have the indexes of the live ones.

    Raises:
        ConfigurationError: they cannot; the sentence says which, and what to do.
    """
    indexes = Indexes.of(cursor, tables)
    if not indexes.wanted and not indexes.hinders:
        return
    with dry_run(cursor):
        for table in tables:  # the keys are built when the rows are there, and their names are taken then
            add_keys(cursor, BESIDE, table)
        indexes = Indexes.of(cursor, tables)
        must_not_hinder(indexes, [index.hindered(cursor) for index in indexes.wanted])


def must_not_hinder(indexes: Indexes, others: Sequence[str] = ()) -> None:
    """Check that no index of others hinders the swap.

    Raises:
        ConfigurationError: one does; the sentence says which, and what to do.
    """
    if hinders := list(filter(None, [*indexes.hinders, *others])):
        raise ConfigurationError(f"the star tables cannot be replaced: {'; '.join(hinders)}")
