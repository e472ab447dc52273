"""What the source has renamed is known by its old name, and not taken for something new.

A table, a key or a column that totes would know by a new name has no history under it: rows that are gone would stay,
and a replay would lose what was. PostgreSQL keeps the numbers of what it renames, so these tell.
"""

from collections.abc import Mapping, Sequence

from totes.capture.source_schema import SourceTable
from totes.errors import ConfigurationError
from totes.lake import CapturedTable, CaptureManifest, TableIdentity


def check_names(
    tables: Sequence[SourceTable], identities: Mapping[str, TableIdentity], last: CaptureManifest | None
) -> None:
    """Refuse tables and columns that the last batch knows by another name.

    Args:
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
            _must_have_its_columns(table, identity, captured)


def _must_be_new(table: SourceTable, identity: TableIdentity, given_up: Mapping[str, CapturedTable]) -> None:
    for name, captured in given_up.items():
        if captured.identity is not None and captured.identity.table == identity.table:
            raise ConfigurationError(
                f"table {table.source_name} was captured as {name}, and would lose its history as {table.name}: in "
                f'capture/tables it keeps the name {name}, with renamed_to="{table.source_name}"'
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
    now = identity.members[identity.table].columns
    if before is None or before.table != identity.table or source_column not in now:
        return None
    number = now[source_column].split()[0]
    was = before.members[before.table].columns
    return next((name for name, said in was.items() if said.split()[0] == number and name != source_column), None)
