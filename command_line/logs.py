"""What a function has logged, read through the logs API, as a person reads it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from command_line.deployment import Deployment
from command_line.visible import visible
from totes.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_GROUP = "/aws/lambda/totes-{environment}-{function}"

_LOOK_SECONDS = 1.0

_PLATFORM = "platform."

_OF_NO_INTEREST = ("cold_start", "function_", "location", "service", "xray_trace_id", "timestamp", "level", "message")
"""What every line says, by the beginnings of its keys, and what has its own place in a line that is shown."""


def log_lines(
    deployment: Deployment, function: str, *, since: timedelta | None = None, follow: bool = False
) -> Iterator[str]:
    """Yield a function's lines, oldest first.

    Args:
        deployment: where it runs.
        function: its name, without the environment before it.
        since: how long ago the oldest line was written; None: whenever.
        follow: whether to go on without end with what is logged from now on.

    Raises:
        UserError: there is no such function.
    """
    client: CloudWatchLogsClient = deployment.session.client("logs", endpoint_url=deployment.endpoint)
    group = _GROUP.format(environment=deployment.environment, function=function)
    prefix = _GROUP.format(environment=deployment.environment, function="")
    known = [found["logGroupName"] for found in client.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]]
    if group not in known:
        names = ", ".join(sorted(name.removeprefix(prefix) for name in known))
        raise UserError(f"there is no function {function} in {deployment.name}; there are {names}")
    start = 0 if since is None else int((datetime.now(UTC) - since).timestamp() * 1000)
    printed: dict[str, int] = {}  # events of the newest moment, which may come to hold more
    while True:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
            for event in page["events"]:
                if event["eventId"] not in printed:
                    printed[event["eventId"]] = event["timestamp"]
                    yield event["message"].rstrip("\n")
        if not follow:
            return
        start = max([start, *printed.values()])
        printed = {event: moment for event, moment in printed.items() if moment == start}
        time.sleep(_LOOK_SECONDS)


def readable(line: str) -> str | None:
    """A logged line as a person reads it: time, level, message and its subject; None: it is for machines only."""
    told = _read(line)
    return None if told is None else visible(told)


def _read(line: str) -> str | None:
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        return line
    if isinstance(said, dict) and str(said.get("type", "")).startswith(_PLATFORM):
        return _of_platform(said)
    if not isinstance(said, dict) or "message" not in said:
        return None if isinstance(said, dict) and "_aws" in said else line
    about = {name: value for name, value in said.items() if not name.startswith(_OF_NO_INTEREST) and value is not None}
    traceback = about.pop("exception", "")
    ends = "".join(f"\n    {each}" for each in str(traceback).splitlines())
    return f"{str(said.get('timestamp', ''))[:23]} {said.get('level', ''):<8}{said['message']}{_told(about)}{ends}"


def _of_platform(event: dict[str, Any]) -> str | None:
    """What Lambda itself says of an invocation that has ended.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """
    if event["type"] != f"{_PLATFORM}report":
        return None
    record = event["record"]
    metrics, failed = record["metrics"], record.get("errorType")
    return (
        f"{event['time']} {'ERROR' if failed else 'INFO':<8}took {metrics['durationMs'] / 1000:.1f} s and "
        f"{metrics['maxMemoryUsedMB']} of {metrics['memorySizeMB']} MB{f', and failed: {failed}' if failed else ''}"
    )


def _told(about: dict[str, Any]) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in about.items())})" if about else ""
