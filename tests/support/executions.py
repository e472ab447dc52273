"""Executions of a state machine, as a test asks for them that has started one itself."""

import time
from typing import Any

from command_line.execution import has_ended


def ended(step_functions: Any, arn: str) -> dict[str, Any]:
    """Wait for an execution's end; return what it came to. An answer may be a moment old, as in AWS."""
    deadline = time.monotonic() + 30
    while True:
        try:
            found: dict[str, Any] = step_functions.describe_execution(executionArn=arn)
        except step_functions.exceptions.ExecutionDoesNotExist:
            found = {"status": "RUNNING"}
        if has_ended(found):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)
