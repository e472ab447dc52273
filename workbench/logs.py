"""What a function has logged, read through the logs API."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.deployment import Deployment
from workbench.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_GROUP = "/aws/lambda/totes-{environment}-{function}"


def log_lines(deployment: Deployment, function: str) -> Iterator[str]:
    """Yield a function's lines, oldest first.

    Args:
        deployment: where it runs.
        function: its name, without the environment before it.

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
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield event["message"].rstrip("\n")
