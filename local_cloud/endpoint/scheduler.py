"""Schedules that fire.

moto keeps schedules and does not act on them. Here an enabled one starts its target at its times, with its input and
by its role, and what cannot be started goes to its dead-letter queue. It does not wait for earlier starts: as in AWS,
the target itself has to ensure that runs do not overlap.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
Where no input is said, "EventBridge Scheduler delivers a default notification to the target":
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
"""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError
from moto.scheduler.models import scheduler_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.authority import is_allowed
from local_cloud.endpoint.resources import Properties, Resource, client_of, some, with_types
from local_cloud.timetable import due_after

logger = logging.getLogger(__name__)

ENABLED = "ENABLED"

_LOOK_SECONDS = 0.2
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"

Fire = Callable[[Any, datetime], None]


class Scheduler:
    """What fires the schedules of an endpoint.

    Args:
        schedules: gives those that there are, as moto has them.
        fire: starts the target of one that was due at a moment.
        now: the clock.
    """

    def __init__(
        self,
        schedules: Callable[[], list[Any]],
        fire: Fire,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedules = schedules
        self._fire = fire
        self._now = now
        self._due: dict[tuple[str, ...], datetime | None] = {}
        self._looked: datetime | None = None

    def look(self) -> None:
        """Fire what is due."""
        now = self._now()
        if self._looked is not None and now < self._looked:  # the clock was set back: what was due is far away now
            self._due.clear()
        self._looked = now
        enabled = {_identity(each): each for each in self._schedules() if each.state == ENABLED}
        self._due = {identity: due for identity, due in self._due.items() if identity in enabled}
        for identity, schedule in enabled.items():
            if identity not in self._due:
                self._due[identity] = _next(schedule, now, None)
            due = self._due[identity]
            if due is not None and due <= now:
                self._due[identity] = _next(schedule, now, due)
                try:
                    self._fire(schedule, due)
                except Exception:
                    # One that cannot be started takes no other with it; it is tried again at its next time.
                    logger.exception("%s was not fired", schedule.arn)

    def run(self, begin: Callable[[], bool], end: threading.Event) -> None:
        """Look again and again, once it may begin, until the end."""
        while not end.wait(_LOOK_SECONDS):
            if begin():
                break
        while not end.wait(_LOOK_SECONDS):
            self.look()


def scheduler() -> Scheduler:
    """The scheduler of this endpoint."""
    return Scheduler(_there, start_target)


def start_target(schedule: Any, due: datetime) -> None:
    """Start what a schedule is for; it goes on by itself."""
    target = schedule.target
    execution = str(uuid.uuid4())
    text = _filled(target.get("Input") or _notification(schedule.arn, due), schedule.arn, due, execution)
    service = target["Arn"].split(":")[2]
    if service not in _STARTS:
        logger.error("%s: the local cloud starts no target such as %s", schedule.arn, target["Arn"])
        return
    action, start = _STARTS[service]
    if not is_allowed(target["RoleArn"], action, target["Arn"]):
        _bury(schedule, text, "AccessDenied", f"{target['RoleArn']} may not {action} on {target['Arn']}")
        return
    try:
        start(target["Arn"], text)
    except ClientError as error:
        _bury(schedule, text, error.response["Error"]["Code"], str(error))


def _start_execution(state_machine: str, text: str) -> None:
    client_of("stepfunctions", REGION).start_execution(stateMachineArn=state_machine, input=text)


def _invoke(function: str, text: str) -> None:
    client_of("lambda", REGION).invoke(FunctionName=function, InvocationType="Event", Payload=text)


_STARTS: Mapping[str, tuple[str, Callable[[str, str], None]]] = MappingProxyType(
    {"states": ("states:StartExecution", _start_execution), "lambda": ("lambda:InvokeFunction", _invoke)}
)


def _bury(schedule: Any, text: str, code: str, message: str) -> None:
    """Put what could not be started among the dead letters; in AWS it may have been tried again before."""
    queue = schedule.target.get("DeadLetterConfig", {}).get("Arn")
    if queue is None or not is_allowed(schedule.target["RoleArn"], "sqs:SendMessage", queue):
        logger.error("%s: %s, and there are no dead letters that it may be put among", schedule.arn, message)
        return
    attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": message, "SCHEDULE_ARN": schedule.arn}
    queues = client_of("sqs", REGION)
    queues.send_message(
        QueueUrl=queues.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"],
        MessageBody=text,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in {**attributes, "TARGET_ARN": schedule.target["Arn"]}.items()
        },
    )


def _notification(schedule: str, due: datetime) -> str:
    """The input where none is given; no document describes its form, and its detail is a text, not an object."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": due.strftime(_MOMENT),
            "region": REGION,
            "resources": [schedule],
            "detail": "{}",
        }
    )


def _filled(text: str, schedule: str, due: datetime, execution: str) -> str:
    """The input with what Scheduler puts into it."""
    words = {
        "<aws.scheduler.schedule-arn>": schedule,
        "<aws.scheduler.scheduled-time>": due.strftime(_MOMENT),
        "<aws.scheduler.execution-id>": execution,
        "<aws.scheduler.attempt-number>": "1",
    }
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _there() -> list[Any]:
    groups = list(scheduler_backends[ACCOUNT][REGION].schedule_groups.values())
    return [schedule for group in groups for schedule in list(group.schedules.values())]


def _identity(schedule: Any) -> tuple[str, ...]:
    """What decides a schedule's next time: when one of these changes, the schedule begins again."""
    return (
        schedule.arn,
        str(schedule.creation_date),
        schedule.schedule_expression,
        schedule.schedule_expression_timezone,
    )


def _next(schedule: Any, now: datetime, before: datetime | None) -> datetime | None:
    try:
        return due_after(schedule.schedule_expression, schedule.schedule_expression_timezone, now, before)
    except ValueError as error:
        logger.error("%s never fires: %s", schedule.arn, error)  # noqa: TRY400 - the sentence says it all
        return None


class Schedule(Resource):
    """A schedule. The endpoint keeps it, and fires it where the cloud was started with schedules; see `Scheduler`."""

    cloudformation = "AWS::Scheduler::Schedule"
    service = "scheduler"
    name_property = "Name"
    attribute_names = ("Arn",)

    def make(self) -> None:
        """Make it."""
        made = self.client.create_schedule(**self._request(self.properties))
        self.attributes["Arn"] = made["ScheduleArn"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.update_schedule(**self._request(properties))

    def remove(self) -> None:
        """Delete it, unless somebody has done so already."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_schedule(Name=self.name, **some(self.properties, "GroupName"))

    def _request(self, properties: Properties) -> dict[str, Any]:
        return {**with_types(self.client, "CreateSchedule", properties), "Name": self.name}


MODELS: tuple[type[Resource], ...] = (Schedule,)
