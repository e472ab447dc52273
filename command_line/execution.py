"""Executions of the state machine: started or met, followed state by state, and shown as a result.

What Step Functions says of an execution may be a moment old: one that has just begun may not be there yet, and one that
has just ended may still run, or have succeeded without its output.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from command_line.deployment import Deployment
from command_line.following import Reached, Request
from command_line.typed_commands import completed
from totes import payloads
from totes.outcomes import ANOTHER_RUN, GOING_ON, NO_LOGIN

Follow = Callable[[str], None]

NOTHING_ASKED: Mapping[str, Any] = MappingProxyType({})

ASKED_AT_ONCE = 5_000
"""Rows that one run is asked to capture again; its input may have 256 KiB."""

_LOGS_IN = {"source": payloads.CAPTURE.capitalize(), "warehouse": payloads.LOAD.capitalize()}
"""Which step logs in to which database."""

_POLL_LOCAL, _POLL_AWS = 0.25, 1.0
_EVENTS_AT_ONCE = 10
"""A look at what is new in an execution's history; more pages are read where more is."""
_NOT_LISTED_YET = 1.0
_JUST_BEGUN: Mapping[str, Any] = MappingProxyType({"status": "RUNNING"})
_NOT_THERE_YET = 30.0
"""For how many seconds an execution that is followed need not be there; AWS says of no time that it is the longest."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What an execution came to.

    Attributes:
        status: as Step Functions says it, or STEPPED_BACK, where a login is not filled in yet; SUCCEEDED is the only
            good one.
        batch: the newest batch that it loaded; None: nothing changed.
        seconds: how long it took.
        tables: per star table rows_in, versions, unchanged, quarantined and deleted of what it loaded.
        newest: the newest batch in the warehouse; 0: none, or it came to no load.
        waiting: whether time ran out before all was done, so that the next run goes on.
        rebuilding: how many batches a rebuild that goes on has staged, and of how many; None where none goes on.
        error: the step with name and cause of the failure; None where it succeeded.
    """

    status: str
    batch: int | None
    seconds: float
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    newest: int = 0
    waiting: bool = False
    rebuilding: Mapping[str, int] | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the execution succeeded."""
        return self.status == "SUCCEEDED"

    def to_json(self) -> str:
        """The result as a JSON document."""
        document: dict[str, Any] = {
            "status": self.status,
            "batch": self.batch,
            "waiting": self.waiting,
            "seconds": round(self.seconds, 3),
            "tables": self.tables,
        }
        if self.error is not None:
            document["error"] = self.error
        return json.dumps(document, indent=2)


def run(
    deployment: Deployment,
    follow: Follow,
    asked: Mapping[str, Any] = NOTHING_ASKED,
    meanwhile: Callable[[], None] = lambda: None,
    *,
    request: Request | None = None,
) -> RunResult:
    """Start an execution and follow it to its end.

    Where another execution is under way, this one steps back; then follow that to its end and start again.

    Args:
        deployment: whose state machine.
        follow: called with the name of each state as it is entered.
        asked: what is asked of the run beyond what every run does; the execution's input.
        meanwhile: called again and again while an execution is followed.
        request: is told how far what is asked has come.
    """
    request = request or Request()
    request.reached = Reached.NOTHING  # whatever an earlier run of the same command has come to
    while True:
        result = _run_once(deployment, follow, asked, meanwhile, request)
        if result is not None:
            return result
        request.reached = Reached.WAITING
        _meet(deployment, follow, meanwhile)


def run_or_meet(
    deployment: Deployment,
    follow: Follow,
    asked: Mapping[str, Any] = NOTHING_ASKED,
    meanwhile: Callable[[], None] = lambda: None,
) -> RunResult:
    """Start an execution and follow it to its end; where another is under way, follow that instead. See `run`."""
    while True:
        result = _run_once(deployment, follow, asked, meanwhile, Request()) or _meet(deployment, follow, meanwhile)
        if result is not None:
            return result


def _run_once(
    deployment: Deployment, follow: Follow, asked: Mapping[str, Any], meanwhile: Callable[[], None], request: Request
) -> RunResult | None:
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(dict(asked)))["executionArn"]
    request.reached = Reached.BEGUN
    return _followed(deployment, arn, request.watched(follow), meanwhile)


def _meet(deployment: Deployment, follow: Follow, meanwhile: Callable[[], None]) -> RunResult | None:
    """Follow the execution that is under way to its end; None where it steps back itself, or there is none any more.

    The list may still have one that has ended, and may not have one that has begun.
    """
    follow(f"{ANOTHER_RUN}; following it to its end")
    client, machine = deployment.step_functions, deployment.outputs["StateMachineArn"]
    running = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)["executions"]
    if not running or _is_over(client, running[0]["executionArn"]):
        time.sleep(_NOT_LISTED_YET)
        return None
    return _followed(deployment, running[0]["executionArn"], follow, meanwhile)


def _is_over(client: Any, arn: str) -> bool:
    try:
        return has_ended(client.describe_execution(executionArn=arn))
    except client.exceptions.ExecutionDoesNotExist:
        return False  # it is listed, and so it is there soon


def _followed(deployment: Deployment, arn: str, follow: Follow, meanwhile: Callable[[], None]) -> RunResult | None:
    client, started, newest = deployment.step_functions, time.monotonic(), 0
    while True:
        execution, events = _looked(client, arn, newest, may_be_missing=time.monotonic() - started < _NOT_THERE_YET)
        for event in events:
            if entered := event.get("stateEnteredEventDetails"):
                follow(entered["name"])
            newest = event["id"]
        if has_ended(execution):
            break
        meanwhile()
        time.sleep(_POLL_AWS if deployment.endpoint is None else _POLL_LOCAL)
    seconds = time.monotonic() - started
    if execution["status"] != "SUCCEEDED":
        return RunResult(
            status=execution["status"], batch=None, seconds=seconds, error=failure_of(deployment, execution)
        )
    return _result_of(deployment, json.loads(execution["output"]), seconds)


def _looked(
    client: Any, arn: str, known: int, *, may_be_missing: bool
) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """An execution and what is new in it; one that may be missing, and is, has just begun."""
    try:
        return client.describe_execution(executionArn=arn), events_since(client, arn, known)
    except client.exceptions.ExecutionDoesNotExist:
        if not may_be_missing:
            raise
        return _JUST_BEGUN, []


def has_ended(execution: Mapping[str, Any]) -> bool:
    """Whether an execution, as Step Functions describes it, has ended and says what it came to."""
    return execution["status"] != "RUNNING" and (execution["status"] != "SUCCEEDED" or "output" in execution)


def events_since(step_functions: Any, arn: str, known: int) -> list[dict[str, Any]]:
    """What has happened in an execution, oldest first and without its data.

    Its history is read from its newest end: a run that goes on for long has thousands of events.

    Args:
        step_functions: the client.
        arn: the execution's.
        known: the newest event that the caller has seen; 0: none.
    """
    events: list[dict[str, Any]] = []
    pages = step_functions.get_paginator("get_execution_history").paginate(
        executionArn=arn, reverseOrder=True, includeExecutionData=False, PaginationConfig={"PageSize": _EVENTS_AT_ONCE}
    )
    for page in pages:
        new = [event for event in page["events"] if event["id"] > known]
        events += new
        if len(new) < len(page["events"]):
            break
    return events[::-1]


def failure_of(deployment: Deployment, execution: Mapping[str, Any]) -> str:
    """Why an execution did not succeed: the error's name, and its sentence where it has one.

    A function does not know how a person names its deployment: a command in its sentence is completed by that.
    """
    name, sentence = execution.get("error") or execution["status"], sentence_of(execution.get("cause") or "")
    sentence = completed(sentence, deployment.options)
    return f"{name}: {sentence}" if sentence else str(name)


def _result_of(deployment: Deployment, output: Mapping[str, Any], seconds: float) -> RunResult | None:
    if output[payloads.OUTCOME] == ANOTHER_RUN:
        return None
    if output[payloads.OUTCOME] == NO_LOGIN:
        failure = output["failure"]
        step = _LOGS_IN[output[payloads.LOGIN]]
        return RunResult(
            status="STEPPED_BACK",
            batch=None,
            seconds=seconds,
            error=f"{step}.{failure['Error']}: {completed(sentence_of(failure['Cause']), deployment.options)}",
        )
    load = output.get(payloads.LOAD, {})
    return RunResult(
        status="SUCCEEDED",
        batch=load.get(payloads.LOADED, {}).get("last"),
        seconds=seconds,
        tables=load.get(payloads.TABLES, {}),
        newest=load.get(payloads.NEWEST, 0),
        waiting=output[payloads.OUTCOME] == GOING_ON,
        rebuilding=load.get(payloads.REBUILDING),
    )


def sentence_of(cause: str) -> str:
    """A failed function's cause is a JSON document; a person wants its message."""
    try:
        document = json.loads(cause)
    except json.JSONDecodeError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
