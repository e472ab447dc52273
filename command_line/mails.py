"""The mails that a local cloud has sent, which nobody gets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from command_line.deployment import Deployment
from local_cloud.account import MAIL

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail, and when it was sent."""

    sent_at: datetime
    to: str
    subject: str
    text: str


def mails_of(deployment: Deployment) -> list[Mail]:
    """Return the mails of a local cloud, oldest first."""
    client: CloudWatchLogsClient = deployment.session.client("logs", endpoint_url=deployment.endpoint)
    if not client.describe_log_groups(logGroupNamePrefix=MAIL)["logGroups"]:
        return []  # the first mail makes it
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=MAIL)
    return [
        Mail(sent_at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC), **json.loads(event["message"]))
        for page in pages
        for event in page["events"]
    ]
