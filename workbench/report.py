"""What a deployment holds and how fresh it is, asked of its lake, its warehouse and its state machine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from totes.outcomes import ANOTHER_RUN, GOING_ON
from totes.shapes import Fact, StarTable
from totes.star import STAR_TABLES, Replayed, how_far
from workbench.deployment import Deployment
from workbench.execution import failure_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType

_LAST_BATCHES = 5
_REASONS = 5
_SHIFTS = 5
_FAILURES: "tuple[ExecutionStatusType, ...]" = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """A star table: rows in its current state, versions (of a fact: all of them), its last batch."""

    rows: int
    versions: int
    last_batch: int | None
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class BatchReport:
    """A loaded batch: when its snapshot was taken, when it was loaded, what became of its rows."""

    batch: int
    captured_at: datetime
    loaded_at: datetime
    rows_in: int
    versions: int
    deleted: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """A change of the source's shape, and the batch that saw it."""

    batch: int
    what: str


@dataclass(frozen=True, kw_only=True)
class QuarantineReport:
    """A row that could not become a star row."""

    batch: int
    star_table: str
    key: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that failed, with the error's name and its sentence."""

    began: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The state of a deployment.

    Attributes:
        fresh_as_of: when the last successful run began; all that the source had committed by then is held.
        lag_seconds: how long ago that is.
        failure: the last run that failed, if none has succeeded since; None: all is well.
        pending: batches that are captured and not yet loaded.
        replaying: how far a replay has come that the next run goes on with; None where none is under way.
        rebuilding: how many batches a rebuild has staged that the next run goes on with, and of how many.
        batches: the last few that were loaded, newest first.
        tables: each star table.
        quarantine: the last few rows that are in quarantine still, newest first.
        drift: the last few changes of the source's shape, newest first.
    """

    fresh_as_of: datetime | None
    lag_seconds: float | None
    failure: FailedRun | None
    pending: Sequence[int]
    replaying: Replayed | None
    rebuilding: Mapping[str, int] | None
    batches: Sequence[BatchReport]
    tables: dict[str, TableReport]
    quarantine: Sequence[QuarantineReport]
    drift: Sequence[DriftReport]

    def is_later_than(self, seconds: float | None) -> bool:
        """Whether the warehouse is further behind than so many seconds; never where none are given."""
        return seconds is not None and (self.lag_seconds is None or self.lag_seconds > seconds)

    def to_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=2)


def report_on(deployment: Deployment) -> Report:
    """Ask a deployment for its state.

    Raises:
        RetryableError, ConfigurationError: the lake or the warehouse cannot be reached.
    """
    fresh_as_of = last_success(deployment)
    ingestion = deployment.ingestion
    with deployment.warehouse() as warehouse, warehouse.cursor() as cursor:
        held = _newest_batch(cursor)
        return Report(
            fresh_as_of=fresh_as_of,
            lag_seconds=(datetime.now(UTC) - fresh_as_of).total_seconds() if fresh_as_of else None,
            failure=last_failure(deployment),
            pending=[*range(held + 1, ingestion.newest() + 1)],
            replaying=how_far(ingestion.bucket, deployment.processed),
            rebuilding=_rebuilding(deployment),
            batches=_batches(cursor) if held else (),
            tables={table.name: _table(cursor, table) for table in STAR_TABLES} if held else {},
            quarantine=_quarantine(cursor) if held else (),
            drift=_drift(cursor) if held else (),
        )


def last_success(deployment: Deployment) -> datetime | None:
    """Return when the newest run began that brought all which the source had; one that stepped back brought nothing."""
    return next((began for began, output in _good_runs(deployment) if _brought_all(output)), None)


def last_failure(deployment: Deployment) -> FailedRun | None:
    """Return the last run that failed, unless one has succeeded since; one that stepped back has done nothing."""
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]
    failed = [
        execution
        for status in _FAILURES
        for execution in client.list_executions(stateMachineArn=machine, statusFilter=status)["executions"]
    ]
    newest = max(failed, key=lambda one: one["startDate"], default=None)
    if newest is None:
        return None
    good = next((began for began, output in _good_runs(deployment) if output["outcome"] != ANOTHER_RUN), None)
    if good is not None and good > newest["startDate"]:
        return None
    execution = client.describe_execution(executionArn=newest["executionArn"])
    return FailedRun(began=newest["startDate"], why=failure_of(deployment, execution))


def _good_runs(deployment: Deployment) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    """When each run began that succeeded, and what it came to, newest first."""
    client = deployment.step_functions
    executions = client.list_executions(stateMachineArn=deployment.outputs["StateMachineArn"], statusFilter="SUCCEEDED")
    for execution in sorted(executions["executions"], key=lambda one: one["startDate"], reverse=True):
        output = client.describe_execution(executionArn=execution["executionArn"])["output"]
        yield execution["startDate"], json.loads(output)


def _brought_all(output: Mapping[str, Any]) -> bool:
    if output["outcome"] == ANOTHER_RUN or not output["ingest"]["seen"]:  # of the lake alone
        return False
    return output["outcome"] != GOING_ON or bool(output["load"]["newest"] >= output["ingest"]["newest"])


def _rebuilding(deployment: Deployment) -> Mapping[str, int] | None:
    """How far the newest run that did something has left a rebuild."""
    newest = next((output for _, output in _good_runs(deployment) if output["outcome"] != ANOTHER_RUN), {})
    found: Mapping[str, int] | None = newest.get("load", {}).get("rebuilding")
    return found


def _newest_batch(cursor: Cursor) -> int:
    """The ledger's newest batch; 0 where there is none, or no ledger yet."""
    cursor.execute("SELECT to_regclass('etl.batch') IS NOT NULL")
    if not _only(cursor):
        return 0
    cursor.execute("SELECT coalesce(max(batch_id), 0) FROM etl.batch")
    return int(_only(cursor))


def _batches(cursor: Cursor) -> list[BatchReport]:
    cursor.execute(
        "SELECT batch_id, captured_at, loaded_at, coalesce(sum(rows_in), 0)::bigint, "
        "coalesce(sum(versions), 0)::bigint, coalesce(sum(deleted), 0)::bigint, "
        "coalesce(sum(quarantined), 0)::bigint "
        "FROM etl.batch LEFT JOIN etl.batch_table USING (batch_id) "
        "GROUP BY batch_id ORDER BY batch_id DESC LIMIT %s",
        (_LAST_BATCHES,),
    )
    return [
        BatchReport(
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


def _table(cursor: Cursor, table: StarTable) -> TableReport:
    name = sql.Identifier("public", table.name)
    cursor.execute(
        sql.SQL("SELECT count(*), count(*) FILTER (WHERE NOT is_deleted), max(batch_id) FROM {}").format(name)
    )
    versions, rows, last_batch = cursor.fetchone() or (0, 0, None)
    if isinstance(table, Fact):
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table.current_view)))
        rows = _only(cursor)
    cursor.execute("SELECT count(*) FROM etl.quarantine WHERE star_table = %s AND resolved_by IS NULL", (table.name,))
    return TableReport(rows=rows, versions=versions, last_batch=last_batch, quarantined=_only(cursor))


def _quarantine(cursor: Cursor) -> list[QuarantineReport]:
    cursor.execute(
        "SELECT batch_id, star_table, key, reason FROM etl.quarantine WHERE resolved_by IS NULL "
        "ORDER BY batch_id DESC, star_table, key LIMIT %s",
        (_REASONS,),
    )
    return [
        QuarantineReport(batch=batch, star_table=table, key=key, reason=reason)
        for batch, table, key, reason in cursor.fetchall()
    ]


def _drift(cursor: Cursor) -> list[DriftReport]:
    cursor.execute("SELECT batch_id, what FROM etl.drift ORDER BY batch_id DESC, what LIMIT %s", (_SHIFTS,))
    return [DriftReport(batch=batch, what=what) for batch, what in cursor.fetchall()]


def _only(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
