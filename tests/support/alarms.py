"""CloudWatch's alarms, evaluated as CloudWatch does: a metric's periods against a threshold, missing ones as told."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


def alarms_on(cloudwatch: Any, later: timedelta = timedelta()) -> set[str]:
    """The names of the alarms that are on, after some time in which nothing more happens."""
    now = datetime.now(UTC) + later
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"] for alarm in alarms if _is_on(cloudwatch, alarm, now)}


def _is_on(cloudwatch: Any, alarm: Mapping[str, Any], now: datetime) -> bool:
    breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    periods = []
    for number in range(alarm["EvaluationPeriods"]):
        value = _value(cloudwatch, alarm, now - number * timedelta(seconds=alarm["Period"]))
        missing = {"breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
        periods.append(missing if value is None else breaches(value, alarm["Threshold"]))
    return all(periods)


def _value(cloudwatch: Any, alarm: Mapping[str, Any], end: datetime) -> float | None:
    points = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=end - timedelta(seconds=alarm["Period"]),
        EndTime=end + timedelta(seconds=1),
        Period=alarm["Period"],
        Statistics=[alarm["Statistic"]],
    )["Datapoints"]
    values: list[float] = [point[alarm["Statistic"]] for point in points]
    if not values:
        return None
    return sum(values) if alarm["Statistic"] == "Sum" else max(values)
