"""The metrics that AWS itself makes: of invocations, of executions, and of the embedded metrics in a log.

moto keeps metrics, but makes none.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcnow
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.patches import patch

Metric = dict[str, Any]

_moto_terminated = BaseExecutionWorkerCommunication.terminated

_OF_EXECUTIONS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    """Let moto's executions be counted."""
    patch(BaseExecutionWorkerCommunication, "terminated", _terminated, why="moto counts no executions")


def of_invocation(function: str, *, failed: bool, milliseconds: float) -> None:
    """Count an invocation that has just ended, as namespace AWS/Lambda does: at the moment when it began.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    values = {"Invocations": 1, "Errors": int(failed), "Duration": milliseconds}
    began = utcnow() - timedelta(milliseconds=milliseconds)
    _put("AWS/Lambda", [_metric(name, value, {"FunctionName": function}, began) for name, value in values.items()])


def of_log(lines: Sequence[str]) -> None:
    """Take out of a log the metrics that are embedded in it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    for line in lines:
        if '"CloudWatchMetrics"' in line:
            for namespace, metric in _embedded(json.loads(line)):
                _put(namespace, [metric])


def _embedded(document: dict[str, Any]) -> Iterator[tuple[str, Metric]]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: document[name] for name in names}
            for declared in directive["Metrics"]:
                values = document[declared["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield directive["Namespace"], _metric(declared["Name"], value, dimensions)


def _terminated(communication: Any) -> None:
    _moto_terminated(communication)
    execution = communication.execution
    name = _OF_EXECUTIONS.get(str(getattr(execution.exec_status, "value", execution.exec_status)))
    if name is not None:
        arn = execution.state_machine.arn
        _put("AWS/States", [_metric(name, 1, {"StateMachineArn": arn})])


def _metric(name: str, value: float, dimensions: dict[str, str], moment: datetime | None = None) -> Metric:
    return {
        "MetricName": name,
        "Value": value,
        "Timestamp": moment or utcnow(),
        "Dimensions": [{"Name": each, "Value": said} for each, said in dimensions.items()],
    }


def _put(namespace: str, metrics: list[Metric]) -> None:
    cloudwatch_backends[ACCOUNT][REGION].put_metric_data(namespace, metrics)
