"""CloudWatch's alarms, evaluated as CloudWatch does: a metric's periods against a threshold."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_COMBINED: Mapping[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "SampleCount": sum,
    "Maximum": max,
    "Minimum": min,
}
_REMEMBERED = timedelta(days=2)
"""How far back the last value lies that an alarm may have kept its state from."""


def alarms_on(cloudwatch: Any, later: timedelta = timedelta()) -> set[str]:
    """The names of the alarms that are on, after some time in which nothing more happens."""
    now = datetime.now(UTC) + later
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"] for alarm in alarms if _is_on(cloudwatch, alarm, now)}


def _is_on(cloudwatch: Any, alarm: Mapping[str, Any], now: datetime) -> bool:
    period = timedelta(seconds=alarm["Period"])
    ends = [now - number * period for number in range(alarm["EvaluationPeriods"])]
    # Most metrics have nothing at all to say, and a period is a request.
    silent = not _points(cloudwatch, alarm, ends[-1] - period, now)
    values = [None if silent else _value(cloudwatch, alarm, end) for end in ends]
    if values == [None] and alarm["TreatMissingData"] == "ignore":
        values = [_last_value(cloudwatch, alarm, now)]
    breaching = sum(_breaches(alarm, value) for value in values)
    return breaching >= int(alarm.get("DatapointsToAlarm", len(values)))


def _breaches(alarm: Mapping[str, Any], value: float | None) -> bool:
    if value is None:
        return bool({"breaching": True, "notBreaching": False, "ignore": False}[alarm["TreatMissingData"]])
    return _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])


def _value(cloudwatch: Any, alarm: Mapping[str, Any], end: datetime) -> float | None:
    points = _points(cloudwatch, alarm, end - timedelta(seconds=alarm["Period"]), end)
    return _COMBINED[alarm["Statistic"]]([point[alarm["Statistic"]] for point in points]) if points else None


def _last_value(cloudwatch: Any, alarm: Mapping[str, Any], end: datetime) -> float | None:
    points = _points(cloudwatch, alarm, end - _REMEMBERED, end)
    return max(points, key=lambda point: point["Timestamp"])[alarm["Statistic"]] if points else None


def _points(cloudwatch: Any, alarm: Mapping[str, Any], start: datetime, end: datetime) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=start,
        EndTime=end + timedelta(seconds=1),
        Period=alarm["Period"],
        Statistics=[alarm["Statistic"]],
    )["Datapoints"]
    return points
