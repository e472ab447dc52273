"""What the source renames is read by the name that it has there, and known by its first one.

A source that has not renamed it yet is read by the first name: so a renaming is deployed before the source's migration
or after it, and of two environments one may be ahead.

A table, a key or a column that totes would know by a new name has no history under it: rows that are gone would stay,
and a replay would lose what was. PostgreSQL keeps the numbers of what it renames, so these tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from psycopg2.extensions import connection as Connection

from totes.capture.source_schema import SourceTable
from totes.errors import ConfigurationError
from totes.lake import CapturedTable, CaptureManifest, TableIdentity

_COLUMNS = """
    SELECT class.relname, array_agg(attribute.attname::text)
    FROM pg_class AS class
    JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE namespace.nspname = 'public' AND class.relkind IN ('r', 'p') AND class.relname = ANY(%s)
      AND attribute.attname = ANY(%s) AND NOT attribute.attisdropped
    GROUP BY class.relname
"""

_NAME = """
    SELECT class.relname
    FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = 'public' AND class.oid = %s::oid
"""


def as_named_by(connection: Connection, tables: Sequence[SourceTable]) -> tuple[SourceTable, ...]:
    """Return the tables with those renamings alone that the source has made.

    Args:
        connection: the source, outside a transaction.
        tables: the tables as `capture/tables` has them.

    Raises:
        psycopg2.Error: the connection to the source was lost.
    """
    if not any(table.renamed or table.renamed_to for table in tables):
        return tuple(tables)
    names = [name for table in tables for name in (table.name, table.source_name)]
    columns = [name for table in tables for name in (table.key, table.source_key, *table.renamed.values())]
    with connection, connection.cursor() as cursor:
        cursor.execute(_COLUMNS, (names, columns))
        found = {name: {*there} for name, there in cursor.fetchall()}
    return tuple(_as_named_by(found, table) for table in tables)


def _as_named_by(found: Mapping[str, set[str]], table: SourceTable) -> SourceTable:
    """A table with the renamings that the source has made, by those of its columns that were looked for."""
    is_renamed = table.source_name in found or table.name not in found
    there = found.get(table.source_name if is_renamed else table.name, set())
    return replace(
        table,
        renamed_to=table.renamed_to if is_renamed else None,
        renamed={own: name for own, name in table.renamed.items() if name in there},
    )


def perhaps_renamed(table: SourceTable, others: Sequence[str], renaming: str) -> str:
    """Return what to do if something that is missing is what the source calls otherwise now, in parentheses.

    Args:
        table: the table that it is, or is of.
        others: the names that it may have; where there are none, nothing is said.
        renaming: what `capture/tables` is to say, with `{}` where the name stands.
    """
    if not others:
        return ""
    said = renaming.format(others[0] if len(others) == 1 else "NAME")
    return (
        f" (if it is called {' or '.join(others)} now, say so in capture/tables/{table.name}.py: {said}, "
        "docs/extending.md#changing-and-taking-out)"
    )


def check_names(
    connection: Connection,
    tables: Sequence[SourceTable],
    identities: Mapping[str, TableIdentity],
    last: CaptureManifest | None,
) -> None:
    """Refuse tables and columns that the last batch knows by another name.

    Args:
        connection: the source.
        tables: the tables that are captured.
        identities: what each of them is in the source.
        last: the last batch; None where there is none.

    Raises:
        ConfigurationError: one has another name there; the sentence says what to write in `capture/tables`.
    """
    before = last.tables if last else {}
    given_up = {name: captured for name, captured in before.items() if name not in identities}
    for table in tables:
        captured, identity = before.get(table.name), identities[table.name]
        if captured is None:
            _must_be_new(table, identity, given_up)
        else:
            _must_be_the_renamed(connection, table, identity, captured)
            _must_have_its_columns(table, identity, captured)


def _must_be_new(table: SourceTable, identity: TableIdentity, given_up: Mapping[str, CapturedTable]) -> None:
    for name, captured in given_up.items():
        if captured.identity is not None and captured.identity.table == identity.table:
            raise ConfigurationError(
                f"table {table.source_name} was captured as {name}, and would lose its history as {table.name}: in "
                f'capture/tables it keeps the name {name}, with renamed_to="{table.source_name}"'
            )


def _must_be_the_renamed(
    connection: Connection, table: SourceTable, identity: TableIdentity, captured: CapturedTable
) -> None:
    """Refuse another table, or column, in the place of one that the source has just given a third name."""
    before = captured.identity
    if before is None:
        return
    if identity.table == before.table:
        _must_be_the_renamed_columns(table, _names_by_number(identity), _numbers(before))
        return
    was = before.members[before.table].name
    if table.renamed_to is None or was == table.source_name:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NAME, (before.table,))
        names = [name for (name,) in cursor.fetchall() if name != was]
    if names:
        raise ConfigurationError(
            f"the table that was captured as {table.name} is called {names[0]} now, and not {table.source_name}: "
            f'say renamed_to="{names[0]}" in capture/tables/{table.name}.py'
        )


def _must_be_the_renamed_columns(table: SourceTable, names: Mapping[str, str], had: Mapping[str, str]) -> None:
    for own, source_column in table.renamed.items():
        name = names.get(had.get(own, ""), own)
        if name not in {own, source_column}:
            raise ConfigurationError(
                f"what was captured as column {table.name}.{own} is called {name} now, and not {source_column}: say "
                f'renamed={{"{own}": "{name}"}} in capture/tables/{table.name}.py'
            )


def _must_have_its_columns(table: SourceTable, identity: TableIdentity, captured: CapturedTable) -> None:
    known = {column.name for column in captured.columns}
    for name in table.columns:
        earlier = None if name in known else _earlier_name(table.source_column(name), identity, captured.identity)
        if earlier is not None or (name == table.key and known and name not in known):
            raise ConfigurationError(
                f"column {table.source_name}.{table.source_column(name)} was captured as "
                f"{earlier or 'another one, by which rows are known'}, and would lose its history as {name}: in "
                f"capture/tables/{table.name}.py it keeps that name, with "
                f'renamed={{"{earlier or "NAME"}": "{table.source_column(name)}"}}'
            )


def _earlier_name(source_column: str, identity: TableIdentity, before: TableIdentity | None) -> str | None:
    """What a column was called in the same table; None: it was not there, or has not been renamed."""
    if before is None or before.table != identity.table:
        return None
    earlier = _names_by_number(before).get(_numbers(identity).get(source_column, ""))
    return None if earlier == source_column else earlier


def _numbers(identity: TableIdentity) -> dict[str, str]:
    """The attribute number of each column of a table itself; what else the identity says of a column comes after it."""
    return {name: said.split()[0] for name, said in identity.members[identity.table].columns.items()}


def _names_by_number(identity: TableIdentity) -> dict[str, str]:
    return {number: name for name, number in _numbers(identity).items()}
