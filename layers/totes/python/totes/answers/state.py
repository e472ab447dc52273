"""What the warehouse holds: its last batches, its star tables, what is in quarantine, how the source has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from totes.answers.quarantined_rows import rows_held
from totes.catalog import absent, count_rows, has_table, lacking
from totes.errors import ConfigurationError
from totes.star_schema import Fact, StarTable
from totes.warehouse.definitions import star_and_ledger
from totes.warehouse.places import LIVE

_LAST_BATCHES = 5
_REASONS = 5
_SHIFTS = 5


@dataclass(frozen=True, kw_only=True)
class TableState:
    """A star table: rows in its current state, versions (of a fact: all of them), its last batch."""

    rows: int
    versions: int
    last_batch: int | None
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class BatchState:
    """A loaded batch: when its snapshot was taken, when it was loaded, and its row counts."""

    batch: int
    captured_at: datetime
    loaded_at: datetime
    rows_in: int
    versions: int
    deleted: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A change of the source's shape, and the batch that saw it."""

    batch: int
    what: str


@dataclass(frozen=True, kw_only=True)
class OpenRow:
    """A row that could not become a star row."""

    batch: int
    star_table: str
    key: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class State:
    """What a warehouse holds.

    Attributes:
        newest: its newest batch; 0: none.
        batches: the last few that were loaded, newest first.
        tables: each star table.
        quarantine: the last few rows that are still in quarantine, newest first.
        drift: the last few changes of the source's shape, newest first.
    """

    newest: int = 0
    batches: Sequence[BatchState] = ()
    tables: Mapping[str, TableState]
    quarantine: Sequence[OpenRow] = ()
    drift: Sequence[Drift] = ()

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON has it."""
        batches = [
            {**asdict(each), "captured_at": each.captured_at.isoformat(), "loaded_at": each.loaded_at.isoformat()}
            for each in self.batches
        ]
        return {**asdict(self), "batches": batches}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "State":
        """The state that JSON tells."""
        return cls(
            newest=said["newest"],
            batches=[
                BatchState(
                    **{
                        **each,
                        "captured_at": datetime.fromisoformat(each["captured_at"]),
                        "loaded_at": datetime.fromisoformat(each["loaded_at"]),
                    }
                )
                for each in said["batches"]
            ],
            tables={name: TableState(**each) for name, each in said["tables"].items()},
            quarantine=[OpenRow(**each) for each in said["quarantine"]],
            drift=[Drift(**each) for each in said["drift"]],
        )


def state_of(warehouse: Connection, tables: Sequence[StarTable]) -> State:
    """Return what a warehouse holds.

    Args:
        warehouse: the warehouse, outside a transaction.
        tables: the star tables.

    Raises:
        ConfigurationError: the warehouse lacks one of them, or a table of the ledger.
        psycopg2.Error: the connection to the warehouse was lost.
    """
    with warehouse, warehouse.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        newest = newest_in_ledger(cursor)
        if not newest:
            return State(tables={})
        if missing := absent(cursor, star_and_ledger(tables)):
            raise ConfigurationError(lacking(missing))
        return State(
            newest=newest,
            batches=_batches(cursor),
            tables={table.name: _table(cursor, table) for table in tables},
            quarantine=_quarantine(cursor),
            drift=_drift(cursor),
        )


def newest_in_ledger(cursor: Cursor) -> int:
    """Return the ledger's newest batch; 0 where there is none, or no ledger yet."""
    if not has_table(cursor, "etl.batch"):
        return 0
    cursor.execute("SELECT coalesce(max(batch_id), 0) FROM etl.batch")
    return int(_only(cursor))


def _batches(cursor: Cursor) -> list[BatchState]:
    cursor.execute(
        "SELECT batch_id, captured_at, loaded_at, coalesce(sum(rows_in), 0)::bigint, "
        "coalesce(sum(versions), 0)::bigint, coalesce(sum(deleted), 0)::bigint, "
        "coalesce(sum(quarantined), 0)::bigint "
        "FROM etl.batch LEFT JOIN etl.batch_table USING (batch_id) "
        "GROUP BY batch_id ORDER BY batch_id DESC LIMIT %s",
        (_LAST_BATCHES,),
    )
    return [
        BatchState(
            batch=batch,
            captured_at=captured,
            loaded_at=loaded,
            rows_in=rows_in,
            versions=versions,
            deleted=deleted,
            quarantined=held,
        )
        for batch, captured, loaded, rows_in, versions, deleted, held in cursor.fetchall()
    ]


def _table(cursor: Cursor, table: StarTable) -> TableState:
    name = LIVE.star(table.name)
    cursor.execute(
        sql.SQL("SELECT count(*), count(*) FILTER (WHERE NOT is_deleted), max(batch_id) FROM {}").format(name)
    )
    versions, rows, last_batch = cursor.fetchone() or (0, 0, None)
    if isinstance(table, Fact):
        rows = count_rows(cursor, sql.Identifier("public", table.current_view))
    cursor.execute("SELECT count(*) FROM etl.quarantine WHERE star_table = %s AND resolved_by IS NULL", (table.name,))
    return TableState(rows=rows, versions=versions, last_batch=last_batch, quarantined=_only(cursor))


def _quarantine(cursor: Cursor) -> list[OpenRow]:
    held = rows_held(cursor)
    if held is None:
        return []
    cursor.execute(
        sql.SQL(
            "SELECT batch_id, star_table, key, reason FROM ({}) AS held WHERE resolved_by IS NULL "
            "ORDER BY batch_id DESC, star_table, key LIMIT %s"
        ).format(held),
        (_REASONS,),
    )
    return [
        OpenRow(batch=batch, star_table=table, key=key, reason=reason)
        for batch, table, key, reason in cursor.fetchall()
    ]


def _drift(cursor: Cursor) -> list[Drift]:
    cursor.execute("SELECT batch_id, what FROM etl.drift ORDER BY batch_id DESC, what LIMIT %s", (_SHIFTS,))
    return [Drift(batch=batch, what=what) for batch, what in cursor.fetchall()]


def _only(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
