"""Executions of a state machine, as a test asks for them that has started one itself."""

from typing import Any

from command_line.execution import has_ended
from tests.support.waiting import until


def ended(step_functions: Any, arn: str) -> dict[str, Any]:
    """Wait for an execution's end; return what it came to. An answer may be a moment old, as in AWS."""

    def outcome() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = step_functions.describe_execution(executionArn=arn)
        except step_functions.exceptions.ExecutionDoesNotExist:
            return None
        return found if has_ended(found) else None

    return until(outcome, f"{arn} has not ended")
