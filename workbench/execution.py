"""One execution of the state machine: started, followed state by state, and told as a result."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from totes.outcomes import ANOTHER_RUN
from workbench.deployment import Deployment

Follow = Callable[[str], None]

NOTHING_ASKED: Mapping[str, Any] = MappingProxyType({})

_POLL_LOCAL, _POLL_AWS = 0.1, 1.0
_WAIT_FOR_ANOTHER = 5.0


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What an execution came to.

    Attributes:
        status: as Step Functions says it; SUCCEEDED is the only good one.
        batch: the newest batch that it loaded; None: nothing changed.
        seconds: how long it took.
        tables: per star table rows_in, versions, unchanged, quarantined and deleted of what it loaded.
        error: name and cause of the failure; None where it succeeded.
    """

    status: str
    batch: int | None
    seconds: float
    tables: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
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
            "seconds": round(self.seconds, 3),
            "tables": self.tables,
        }
        if self.error is not None:
            document["error"] = self.error
        return json.dumps(document, indent=2)


def run(deployment: Deployment, follow: Follow, asked: Mapping[str, Any] = NOTHING_ASKED) -> RunResult:
    """Start an execution and follow it to its end.

    Where another execution is under way, this one steps back; then wait for that to end and start anew.

    Args:
        deployment: where to.
        follow: called with the name of each state as it is entered.
        asked: what is asked of the run beyond what every run does; the execution's input.
    """
    while True:
        result = _run_once(deployment, follow, asked)
        if result is not None:
            return result
        follow(f"{ANOTHER_RUN}; waiting for it to end")
        time.sleep(_WAIT_FOR_ANOTHER if deployment.endpoint is None else 1.0)


def _run_once(deployment: Deployment, follow: Follow, asked: Mapping[str, Any]) -> RunResult | None:
    client = deployment.step_functions
    started = time.monotonic()
    arn = client.start_execution(stateMachineArn=deployment.outputs["StateMachineArn"], input=json.dumps(dict(asked)))[
        "executionArn"
    ]
    seen = 0
    while True:
        execution = client.describe_execution(executionArn=arn)
        events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        for event in events[seen:]:
            if entered := event.get("stateEnteredEventDetails"):
                follow(entered["name"])
        seen = len(events)
        if execution["status"] != "RUNNING":
            break
        time.sleep(_POLL_AWS if deployment.endpoint is None else _POLL_LOCAL)
    seconds = time.monotonic() - started
    if execution["status"] != "SUCCEEDED":
        failure = f"{execution.get('error', execution['status'])}: {_sentence(execution.get('cause', ''))}"
        return RunResult(status=execution["status"], batch=None, seconds=seconds, error=failure)
    return _result_of(json.loads(execution["output"]), seconds)


def _result_of(output: Mapping[str, Any], seconds: float) -> RunResult | None:
    if output["outcome"] == ANOTHER_RUN:
        return None
    load = output.get("load", {})
    loaded = load.get("loaded", {})
    return RunResult(status="SUCCEEDED", batch=loaded.get("last"), seconds=seconds, tables=load.get("tables", {}))


def _sentence(cause: str) -> str:
    """A failed function's cause is a JSON document; a person wants its message."""
    try:
        document = json.loads(cause)
    except json.JSONDecodeError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
