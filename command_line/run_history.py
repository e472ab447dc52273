"""What became of a deployment's runs, as Step Functions keeps it.

Its answers may be a moment old: one that is listed with its end may be described without it.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from command_line.deployment import Deployment
from command_line.execution import failure_of, has_ended
from totes import payloads
from totes.outcomes import GOING_ON, NO_LOGIN, STEPPED_BACK

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import ExecutionStatusType
    from mypy_boto3_stepfunctions.type_defs import (
        DescribeExecutionOutputTypeDef,
        ExecutionListItemTypeDef,
        ListExecutionsInputTypeDef,
    )

_FAILURES: "tuple[ExecutionStatusType, ...]" = ("FAILED", "TIMED_OUT", "ABORTED")

_PAGE = 100
_PAGES = 3

RUNS_LOOKED_AT = _PAGE * _PAGES
"""Of the runs that Step Functions counts as successes the newest so many are looked at, and no older ones.

A run that steps back is one of them, and only its description tells it from the others. Of ticks of five minutes these
are more than a day's: for no longer do runs step back for a login, and for another run that hangs for six hours.
"""

_SECOND_LOOK = 1.0
"""After how many seconds an execution is described again that is listed with its end and described without it."""


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that failed, with the error's name and its sentence."""

    began: datetime
    why: str


class RunHistory:
    """The last runs of a deployment; of those that succeeded each is asked for once, and none in vain.

    One that succeeded and does not say yet what it came to is passed over. Those before the last RUNS_LOOKED_AT are as
    if they had never been.

    Args:
        deployment: whose runs.

    Raises (each method):
        ClientError, BotoCoreError: Step Functions did not answer.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._outputs: dict[str, Mapping[str, Any] | None] = {}
        self._succeeded: list[ExecutionListItemTypeDef] = []
        self._older = islice(self._pages("SUCCEEDED"), _PAGES)

    def last_success(self) -> datetime | None:
        """Return when the newest run began that brought all that the source had; None: there is none on record.

        One that stepped back brought nothing.
        """
        return next((began for began, output in self._good() if _brought_all(output)), None)

    def last_look(self, held: int, *, since: datetime | None) -> datetime | None:
        """Return when the newest run began that saw the source and knew of no batch after `held`.

        A warehouse that holds this batch holds all that the source had committed by then, whatever became of the run's
        own load: it may have been put back since.

        Args:
            held: the newest batch that the warehouse holds.
            since: runs that did not begin after this are not looked at; None: all are.

        Returns:
            None if there is none.
        """
        looks = (
            began
            for began, output in self._good(since=since)
            if _saw_the_source(output) and output[payloads.CAPTURE][payloads.NEWEST] <= held
        )
        return next(looks, None)

    def last_failure(self) -> FailedRun | None:
        """Return the last run that failed, unless one has succeeded since; one that stepped back has done nothing."""
        failed = [execution for status in _FAILURES for execution in next(self._pages(status))]
        newest = max(failed, key=lambda one: one["startDate"], default=None)
        if newest is None:
            return None
        since = (output for _, output in self._good(since=newest["startDate"]))
        if any(output[payloads.OUTCOME] not in STEPPED_BACK for output in since):
            return None
        execution = {**self._ended(newest["executionArn"]), "status": newest["status"]}
        return FailedRun(began=newest["startDate"], why=failure_of(self._deployment, execution))

    def last_load(self) -> Mapping[str, Any]:
        """Return what the load answered in the newest run that did something; nothing where there is none."""
        newest = next((output for _, output in self._good() if output[payloads.OUTCOME] not in STEPPED_BACK), {})
        load: Mapping[str, Any] = newest.get(payloads.LOAD, {})
        return load

    def awaited_login(self) -> str | None:
        """Return the login that the newest run has found not to be filled in yet; None: it wanted none."""
        _, newest = next(self._good(), (None, {}))
        return newest[payloads.LOGIN] if newest.get(payloads.OUTCOME) == NO_LOGIN else None

    def under_way(self) -> datetime | None:
        """Return when the oldest run began that is under way; None: there is none."""
        return min((execution["startDate"] for execution in next(self._pages("RUNNING"))), default=None)

    def _good(self, *, since: datetime | None = None) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
        """When each run began that succeeded (and began after `since`), and what it came to, newest first."""
        for execution in self._newest_first():
            if since is not None and execution["startDate"] <= since:
                return
            output = self._output(execution["executionArn"])
            if output is not None:
                yield execution["startDate"], output

    def _newest_first(self) -> "Iterator[ExecutionListItemTypeDef]":
        """The runs that succeeded; a page of them is asked for once, and only if none before it is enough."""
        for place in count():
            if place == len(self._succeeded):
                self._succeeded += next(self._older, [])
            if place == len(self._succeeded):
                return
            yield self._succeeded[place]

    def _output(self, execution: str) -> Mapping[str, Any] | None:
        if execution not in self._outputs:
            output = self._ended(execution).get("output")
            self._outputs[execution] = None if output is None else json.loads(output)
        return self._outputs[execution]

    def _ended(self, execution: str) -> "DescribeExecutionOutputTypeDef":
        """An execution that is listed with its end; where it is described without it, as a second look finds it."""
        client = self._deployment.step_functions
        described = client.describe_execution(executionArn=execution)
        if has_ended(described):
            return described
        time.sleep(_SECOND_LOOK)
        return client.describe_execution(executionArn=execution)

    def _pages(self, status: "ExecutionStatusType") -> "Iterator[list[ExecutionListItemTypeDef]]":
        """The runs of a status by pages, newest first; of a page that nobody takes nobody is asked."""
        asked: ListExecutionsInputTypeDef = {
            "stateMachineArn": self._deployment.outputs["StateMachineArn"],
            "statusFilter": status,
            "maxResults": _PAGE,
        }
        while True:
            page = self._deployment.step_functions.list_executions(**asked)
            yield sorted(page["executions"], key=lambda one: one["startDate"], reverse=True)
            if "nextToken" not in page:
                return
            asked["nextToken"] = page["nextToken"]


def _brought_all(output: Mapping[str, Any]) -> bool:
    if not _saw_the_source(output):
        return False
    if output[payloads.OUTCOME] != GOING_ON:
        return True  # one that finds an empty lake does not even load
    captured, loaded = (output[step][payloads.NEWEST] for step in (payloads.CAPTURE, payloads.LOAD))
    return bool(loaded >= captured)


def _saw_the_source(output: Mapping[str, Any]) -> bool:
    """Whether the run looked at it; one that stepped back did not, nor one of the lake alone."""
    return output[payloads.OUTCOME] not in STEPPED_BACK and bool(output[payloads.CAPTURE][payloads.SEEN])
