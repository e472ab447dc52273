"""DuckDB in the place of Athena: the tables as Glue is told of them, over copies of the files that the lists name."""

from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Any

import duckdb

from tests.support.databases import rows
from totes.athena import FOLDER, Kept, View, kept_of, views_of
from totes.lake import Bucket
from totes.star import READABLE, STAR_TABLES
from totes.star_schema import Fact

Row = tuple[Any, ...]

KEPT = [kept for table in STAR_TABLES for kept in kept_of(table)]
VIEWS = [view for table in STAR_TABLES for view in views_of(table)]
IN_WAREHOUSE = [view for view in VIEWS if view.name in READABLE]
"""Those that the warehouse has a table or a view of; it has no versions of a dimension."""


class Reader:
    """What would be read of a processed bucket."""

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self._folder = folder
        self._bucket = bucket

    def read(self, tables: Sequence[Kept] = KEPT, views: Sequence[View] = IN_WAREHOUSE) -> Mapping[str, list[Row]]:
        """The rows of each view."""
        with duckdb.connect() as connection:
            for kept in tables:
                connection.execute(self._over_files(connection, kept))
            return {view.name: self._rows(connection, view) for view in views}

    def named(self) -> list[str]:
        """The keys that the lists name."""
        return [key for each in self._lists("") for key in self._keys(each)]

    def _rows(self, connection: duckdb.DuckDBPyConnection, view: View) -> list[Row]:
        names = ", ".join(field.name for field in view.fields)
        return ordered(connection.sql(f"SELECT {names} FROM ({view.sql})").fetchall())

    def _over_files(self, connection: duckdb.DuckDBPyConnection, kept: Kept) -> str:
        files = [str(self._copy(key)) for each in self._lists(f"{kept.folder}/") for key in self._keys(each)]
        if not files:
            names = ", ".join(f"CAST(NULL AS {field.type}) AS {field.name}" for field in kept.fields)
            return f"CREATE VIEW {kept.name} AS SELECT {names}, '' AS \"$path\" WHERE false"
        read = f"read_parquet({files!r}, filename = true, union_by_name = true)"
        types = {name: kind for name, kind, *_ in connection.sql(f"DESCRIBE SELECT * FROM {read}").fetchall()}
        # Athena reads a time as what it is stored as.
        columns = ", ".join(
            f"epoch_ns({field.name}) AS {field.name}" if types[field.name].startswith("TIME") else field.name
            for field in kept.fields
        )
        return f'CREATE VIEW {kept.name} AS SELECT {columns}, filename AS "$path" FROM {read}'

    def _copy(self, key: str) -> Path:
        file = self._folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self._bucket.get(key))
        return file

    def _lists(self, prefix: str) -> list[str]:
        found = [each.key for each in self._bucket.listed(f"{FOLDER}/{prefix}")]
        return [key for key in found if not key.endswith(".json")]

    def _keys(self, key: str) -> list[str]:
        lines = self._bucket.get(key).decode().splitlines()
        return [line.removeprefix(f"s3://{self._bucket.name}/") for line in lines]


def in_warehouse(warehouse: str) -> Mapping[str, list[Row]]:
    """What the warehouse's tables and views of the same names hold."""
    current = {table.current_view for table in STAR_TABLES if isinstance(table, Fact)}
    found = {}
    for view in IN_WAREHOUSE:
        columns = [field.name for field in view.fields if field.name != "is_deleted"]
        deleted = "false" if view.name in current else "is_deleted"
        held = rows(warehouse, f"SELECT {', '.join(columns)}, {deleted} FROM {view.name}")
        found[view.name] = ordered(held)
    return found


def ordered(held: Sequence[Row]) -> list[Row]:
    """Rows in an order of their own."""
    return sorted((tuple(map(_plain, row)) for row in held), key=repr)


def _plain(value: object) -> object:
    if isinstance(value, time):
        return (value.hour * 3600 + value.minute * 60 + value.second) * 10**9 + value.microsecond * 1000
    return value
