"""A deployment's warehouse compared with its source by the function that reaches both, and repaired by runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from command_line.deployment import Deployment
from command_line.execution import ASKED_AT_ONCE, Follow, run
from command_line.following import Request
from command_line.functions import ask
from command_line.typed_commands import completed
from totes import payloads
from totes.errors import UserError

_REPAIRED_AT_ONCE = 50_000
"""Rows that are repaired after one comparison; an answer of Lambda's has six megabytes."""


@dataclass(frozen=True, kw_only=True)
class TableVerification:
    """What was found in one star table; see `totes.verify.TableVerdict`. Here rows are counted, and a few are named."""

    rows: int
    missing: int
    extra: int
    different: int
    in_flight: int
    quarantined: int
    columns: Sequence[str]
    examples: Mapping[str, Sequence[str]]

    @property
    def differences(self) -> int:
        """How many rows differ without an excuse."""
        return self.missing + self.extra + self.different


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found in each star table.

    Attributes:
        tables: what was found, by star table.
        document: the same as a JSON document.
        recapture: the source rows that repair it when a run captures them again, by source table.
        stopped: why a mass deletion would stop the next run, which then brings nothing; None: none would.
    """

    tables: Mapping[str, TableVerification]
    document: Mapping[str, Any]
    recapture: Mapping[str, Sequence[int]] = field(default_factory=dict)
    stopped: str | None = None

    @property
    def differences(self) -> int:
        """How many rows differ without an excuse."""
        return sum(table.differences for table in self.tables.values())

    @property
    def rows(self) -> int:
        """How many rows were compared."""
        return sum(table.rows for table in self.tables.values())


def verdict_on(deployment: Deployment, *, to_repair: bool = False) -> Verification:
    """Have the warehouse compared with the source; see `totes.verify`.

    Args:
        deployment: whose warehouse.
        to_repair: whether to ask, too, by which rows it is repaired.

    Raises:
        UserError: a database or the lake cannot be reached or read, a login is not filled in yet, or the warehouse
            holds nothing yet.
    """
    said = ask(deployment, "VerifyFunction", {payloads.REPAIRS: _REPAIRED_AT_ONCE} if to_repair else {})
    if payloads.NOT_COMPARED in said:
        raise UserError(said[payloads.NOT_COMPARED])
    recapture = said.pop(payloads.RECAPTURE)
    if stopped := said.get(payloads.STOPPED):
        said[payloads.STOPPED] = stopped = completed(stopped, deployment.options)
    tables = {name: TableVerification(**found) for name, found in said[payloads.TABLES].items()}
    return Verification(tables=tables, document=said, recapture=recapture, stopped=stopped)


def repair(deployment: Deployment, verdict: Verification, follow: Follow, request: Request | None = None) -> None:
    """Have runs capture again what differs, and load it.

    Args:
        deployment: whose warehouse.
        verdict: what differs.
        follow: called with the name of each state as it is entered.
        request: is told how far what is asked of a run has come.

    Raises:
        UserError: a run failed.
    """
    for recapture in _portions(verdict.recapture):
        result = run(deployment, follow, {payloads.RECAPTURE: recapture}, request=request)
        if not result.succeeded:
            raise UserError(
                f"the run that repairs failed: {result.error}; once that is fixed, type totes verify --repair again"
            )


def _portions(recapture: Mapping[str, Sequence[int]]) -> Iterator[dict[str, list[int]]]:
    """Split what is to be captured again into portions, each as large as one run takes."""
    rows = [(table, key) for table, keys in recapture.items() for key in keys]
    for start in range(0, len(rows), ASKED_AT_ONCE):
        portion: dict[str, list[int]] = {}
        for table, key in rows[start : start + ASKED_AT_ONCE]:
            portion.setdefault(table, []).append(key)
        yield portion
