"""Alarms that act when their state changes, and record the result in their history.

moto keeps an alarm's state and does nothing when it changes. An action that fails is seen nowhere in AWS but in the
alarm's history: https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
"""

import json
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import Alarm as MotoAlarm
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from local_cloud.endpoint.patches import add, patch
from local_cloud.endpoint.resources import Properties, Resource, with_types
from local_cloud.endpoint.topics import NotAllowed, publish_as

_SERVICE = "cloudwatch.amazonaws.com"

_moto_set_state = CloudWatchBackend.set_alarm_state


def install() -> None:
    """Let moto's alarms act."""
    patch(CloudWatchBackend, "set_alarm_state", _set_state, why="moto keeps an alarm's state and acts on none")
    add(CloudWatchResponse, "describe_alarm_history", _describe_history, why="moto has no history of alarms")


def _set_state(backend: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
    before = backend.alarms[alarm_name].state_value if alarm_name in backend.alarms else None
    _moto_set_state(backend, alarm_name, reason, reason_data, state_value)
    alarm: MotoAlarm = backend.alarms[alarm_name]
    if state_value == before:
        return  # an action is taken when the state changes, and only then
    _remember(alarm, "StateUpdate", f"Alarm updated from {before} to {state_value}")
    actions = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    if alarm.actions_enabled:
        for action in actions[state_value]:
            _act(alarm, action)


def _act(alarm: Any, action: str) -> None:
    subject = f'{alarm.state_value}: "{alarm.name}" in {alarm.region_name}'
    message = (
        f'The alarm "{alarm.name}" is in the state {alarm.state_value}: {alarm.state_reason}\n\n{alarm.description}'
    )
    try:
        publish_as(_SERVICE, alarm.alarm_arn, action, subject=subject, message=message)
    except NotAllowed as error:
        _remember(alarm, "Action", f'Failed to execute action {action}. Received error: "{error}"')
    else:
        _remember(alarm, "Action", f"Successfully executed action {action}")


def _remember(alarm: Any, kind: str, summary: str) -> None:
    _history(alarm).append((utcnow(), kind, summary))


def _history(alarm: Any) -> list[tuple[datetime, str, str]]:
    if not hasattr(alarm, "notified"):
        alarm.notified = []
    notified: list[tuple[datetime, str, str]] = alarm.notified
    return notified


def _describe_history(response: Any) -> ActionResult:
    wanted, kind = response._get_param("AlarmName"), response._get_param("HistoryItemType")  # noqa: SLF001 - moto's own
    items = [
        {
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": moment,
            "HistoryItemType": each,
            "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0"}),
        }
        for alarm in response.cloudwatch_backend.alarms.values()
        for moment, each, summary in _history(alarm)
        if wanted in {None, alarm.name} and kind in {None, each}
    ]
    newest_first = response._get_param("ScanBy") != "TimestampAscending"  # noqa: SLF001
    return ActionResult({"AlarmHistoryItems": sorted(items, key=lambda item: item["Timestamp"], reverse=newest_first)})


class Alarm(Resource):
    """An alarm."""

    cloudformation = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    name_property = "AlarmName"
    attribute_names = ("Arn",)

    def make(self) -> None:
        """Make it."""
        self.change(self.properties)
        [alarm] = self.client.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        self.attributes["Arn"] = alarm["AlarmArn"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        wanted = {**with_types(self.client, "PutMetricAlarm", properties), "AlarmName": self.name}
        self.client.put_metric_alarm(**{"ActionsEnabled": True, **wanted})

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_alarms(AlarmNames=[self.name])


MODELS: tuple[type[Resource], ...] = (Alarm,)
