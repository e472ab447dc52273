"""Deployments of which only the runs are known."""

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

from command_line.deployment import Deployment
from totes.outcomes import ANOTHER_RUN, NO_LOGIN

CAUSE = json.dumps({"errorMessage": "the source cannot be reached: timeout"})


def ran(
    outcomes: dict[int, str],
    *,
    seen: str = "2024-01-01T08:00:00+00:00",
    newest: int = 2,
    failed: dict[int, str] | None = None,
) -> Deployment:
    """A deployment whose executions began at these minutes after 8:00, with these outcomes or statuses of failure.

    Each that succeeded has captured batch 2. They are listed as AWS does it: the newest first, and a page at a time.
    """
    client, failures = Mock(), failed or {}

    def listed(
        statusFilter: str,  # noqa: N803 - boto3's word
        maxResults: int = 100,  # noqa: N803 - boto3's word
        nextToken: str = "0",  # noqa: N803 - boto3's word
        **_: object,
    ) -> dict[str, object]:
        minutes = outcomes if statusFilter == "SUCCEEDED" else [m for m, how in failures.items() if how == statusFilter]
        newest_first, first = sorted(minutes, reverse=True), int(nextToken)
        page = [
            {
                "executionArn": str(minute),
                "startDate": datetime(2024, 1, 1, 8, tzinfo=UTC) + timedelta(minutes=minute),
                "status": statusFilter,
            }
            for minute in newest_first[first : first + maxResults]
        ]
        more = {"nextToken": str(first + maxResults)} if len(newest_first) > first + maxResults else {}
        return {"executions": page, **more}

    def described(executionArn: str) -> dict[str, object]:  # noqa: N803 - boto3's word
        minute = int(executionArn)
        if minute in failures:
            status = failures[minute]
            return {"status": status, **({"error": "SourceUnavailable", "cause": CAUSE} if status == "FAILED" else {})}
        output: dict[str, object] = {"outcome": outcomes[minute]}
        if outcomes[minute] == NO_LOGIN:
            output["login"] = "source"
        elif outcomes[minute] != ANOTHER_RUN:
            output |= {"capture": {"newest": 2, "seen": seen}, "load": {"newest": newest}}
        return {"status": "SUCCEEDED", "output": json.dumps(output)}

    client.list_executions.side_effect = listed
    client.describe_execution.side_effect = described
    return Mock(spec=Deployment, step_functions=client, outputs={"StateMachineArn": "arn"}, options="--env dev")
