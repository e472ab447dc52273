"""Pipelines that are weak on purpose, so that the machine is known to bite: each is a mistake that others make."""

import importlib
from collections.abc import Callable
from typing import Any

from psycopg2 import sql

from totes.capture.snapshot import Snapshot

# The package's own name `load` is the function.
load: Any = importlib.import_module("totes.warehouse.load")
batches: Any = importlib.import_module("totes.warehouse.batch")


def _watermark() -> None:
    """Ask the application's time stamps what is new, and not PostgreSQL."""

    def may_be_new(_snapshot: Snapshot, last: Any) -> sql.Composable:
        if last is None:
            return sql.SQL("true")
        return sql.SQL("last_updated > {}").format(sql.Literal(last.captured_at.replace(tzinfo=None)))

    snapshot: Any = Snapshot
    snapshot.may_be_new = may_be_new


def _commit_before_data() -> None:
    """Say that a batch is there, and bring its rows in a second transaction."""
    open_entry = batches.open_entry

    def open_and_commit(cursor: Any, *arguments: Any) -> None:
        open_entry(cursor, *arguments)
        cursor.connection.commit()

    batches.open_entry = open_and_commit


def _no_ledger() -> None:
    """Load what the lake has, without asking what the warehouse holds."""

    def append(cursor: Any, _place: Any, table: Any, _staging: Any, batch: int) -> int:
        cursor.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS {table.name}_{table.key}_batch_id_key")
        names = ", ".join(column.name for column in table.columns)
        cursor.execute(
            f"INSERT INTO {table.name} ({names}, batch_id) SELECT {names}, %s FROM pg_temp.staging_{table.name}",
            (batch,),
        )
        return int(cursor.rowcount)

    def forget(cursor: Any, manifest: Any, edition: int, _place: Any) -> None:
        cursor.execute("DELETE FROM etl.batch_table WHERE batch_id = %s", (manifest.batch,))
        cursor.execute(
            "INSERT INTO etl.batch (batch_id, edition, capture_sha256, horizon, captured_at) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (manifest.batch, edition, manifest.capture, manifest.horizon, manifest.captured_at),
        )

    def transaction(self: Any, *, rebuild: bool) -> Any:  # noqa: ARG001 - the method's signature
        with self._connection, self._connection.cursor() as cursor:
            lake = load.Processed(self._lake)
            load.ensure_tables(cursor, self._tables)
            if self._done or not lake.newest:
                return load._Loaded(batch=None, tables={}, wanted=False)
            self._done = True
            newest = lake.read(lake.newest)
            counted = batches.load_batch(cursor, load.LIVE, self._tables, newest, lake.edition, self._lake)
            return load._Loaded(batch=lake.newest, tables=counted, wanted=False)

    batches._append_versions = append
    batches.open_entry = forget
    load._Loader._done = False
    load._Loader._transaction = transaction


WEAKNESSES: dict[str, Callable[[], None]] = {
    "watermark": _watermark,
    "commit before data": _commit_before_data,
    "no ledger": _no_ledger,
}
