"""How long the log of a warehouse of totes' own is kept.

RDS makes the log group itself, when the instance starts to log, and for ever; a template cannot make it before or after
(https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/190).
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from command_line.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


def limit_log(deployment: Deployment) -> None:
    """Keep the warehouse's log as long as those of the functions; one that is not totes' own is left alone."""
    log, function = (deployment.outputs.get(word) for word in ("WarehouseLogGroup", "PrepareFunction"))
    if log is None or function is None:
        return
    client: CloudWatchLogsClient = deployment.session.client("logs", endpoint_url=deployment.endpoint)
    [like] = client.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}", limit=1)["logGroups"]
    with suppress(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName=log)
    if (days := like.get("retentionInDays")) is None:  # for ever
        client.delete_retention_policy(logGroupName=log)
    else:
        client.put_retention_policy(logGroupName=log, retentionInDays=days)
