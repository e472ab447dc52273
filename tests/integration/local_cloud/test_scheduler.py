"""A schedule starts its target at its times, by its role, and nothing else does.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_cloud import LocalCloud
from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.scheduler import Scheduler
from local_cloud.folder import CLOUD, ENDPOINT, StateFolder
from local_cloud.launch import Daemon
from tests.integration.local_cloud.test_endpoint import Stack
from tests.support.daemons import forks
from tests.support.waiting import until

NOW = datetime(2026, 11, 26, 5, 7, 30, tzinfo=UTC)
INPUT = '{"due": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>"}'


@dataclass
class Written:
    """A schedule as moto has it."""

    schedule_expression: str = "rate(5 minutes)"
    state: str = "ENABLED"
    arn: str = "ticks"
    schedule_expression_timezone: str = "UTC"
    creation_date: float = 0.0


class Clock:
    """A clock that is put forward."""

    def __init__(self, *schedules: Written) -> None:
        self.now, self.fired = NOW, list[tuple[str, datetime]]()
        self._scheduler = Scheduler(
            lambda: list(schedules), lambda each, due: self.fired.append((each.arn, due)), lambda: self.now
        )

    def passes(self, **times: float) -> list[tuple[str, datetime]]:
        """What is fired when so much time has gone by."""
        self.now += timedelta(**times)
        self.fired.clear()
        self._scheduler.look()
        return self.fired


def test_a_rate_fires_at_once_and_then_at_its_times() -> None:
    clock = Clock(Written())
    assert clock.passes() == [("ticks", NOW)]
    assert clock.passes(minutes=4, seconds=59) == []
    assert clock.passes(seconds=2) == [("ticks", NOW + timedelta(minutes=5))]
    assert clock.passes() == []
    assert clock.passes(minutes=4, seconds=59) == [("ticks", NOW + timedelta(minutes=10))]


def test_a_night_with_the_lid_closed_is_made_good_by_one_start() -> None:
    clock = Clock(Written())
    clock.passes()
    assert len(clock.passes(hours=8, seconds=1)) == 1
    assert clock.passes(minutes=4, seconds=50) == []
    assert len(clock.passes(seconds=20)) == 1


def test_a_schedule_fires_only_while_it_is_enabled() -> None:
    ticks, nights = Written(state="DISABLED"), Written("cron(30 5 * * ? *)", arn="nights")
    clock = Clock(ticks, nights)
    assert clock.passes(minutes=10) == []
    assert clock.passes(minutes=13) == [("nights", datetime(2026, 11, 26, 5, 30, tzinfo=UTC))]
    ticks.state = "ENABLED"
    assert [name for name, _ in clock.passes()] == ["ticks"]
    ticks.state = "DISABLED"
    assert clock.passes(minutes=10) == []


def test_another_rate_counts_from_the_change_and_a_strange_one_never_fires() -> None:
    ticks, strange = Written(), Written("cron(0 0 L * ? *)", arn="strange")
    clock = Clock(ticks, strange)
    clock.passes()
    ticks.schedule_expression = "rate(1 minute)"
    assert [name for name, _ in clock.passes(seconds=10)] == ["ticks"]
    assert [name for name, _ in clock.passes(seconds=61)] == ["ticks"]


@dataclass
class Scheduled:
    """A daemon whose schedules fire."""

    folder: StateFolder
    client: Callable[[str], Any]

    def executions(self, machine: str) -> list[Any]:
        client = self.client("stepfunctions")
        return [
            client.describe_execution(executionArn=each["executionArn"])
            for each in client.list_executions(stateMachineArn=machine)["executions"]
        ]

    def dead_letters(self, queue: str) -> list[Any]:
        answer = self.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])
        messages: list[Any] = answer.get("Messages", [])
        return messages


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Scheduled]:
    folder = StateFolder(tmp_path / "state")
    lock = folder.claim()
    with forks():
        daemon = Daemon(folder, lock, [], scheduled=True)
    os.close(lock)
    endpoint = daemon.await_document(ENDPOINT)["endpoint"]
    cloud = LocalCloud(state=folder.path, endpoint=endpoint, source_uri="", warehouse_uri="", environment="local")
    yield Scheduled(folder, cloud.client)
    folder.remove()


def resources(*, may_start: bool, state: str = "ENABLED", text: str | None = INPUT) -> dict[str, Any]:
    """A state machine that passes its input on, a schedule for it that says a text or nothing, and its dead letters."""
    machine = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:machine"
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
    allowed = [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}]
    if may_start:
        allowed.append({"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine})
    policy = {"PolicyName": "start", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}
    trust = {"Version": "2012-10-17", "Statement": []}
    return {
        "Letters": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "letters"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [policy]}},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "machine",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "Definition": {"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}},
            },
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Name": "ticks",
                "ScheduleExpression": "rate(5 minutes)",
                "State": state,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": {"Ref": "Machine"},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    **({} if text is None else {"Input": text}),
                    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}},
                },
            },
        },
    }


OUTPUTS = {"Outputs": {name: {"Value": {"Ref": name}} for name in ("Machine", "Letters")}}


def test_a_deployed_schedule_starts_its_target_with_its_input_once_the_cloud_is_up(scheduled: Scheduled) -> None:
    names = Stack(scheduled.client("cloudformation")).deploy(resources(may_start=True), **OUTPUTS)
    time.sleep(1)
    assert scheduled.executions(names["Machine"]) == [], "before it is up, its secrets have no logins yet"
    scheduled.folder.write(CLOUD, {})
    [execution] = until(lambda: scheduled.executions(names["Machine"]), pause=0.2)
    told = json.loads(execution["input"])
    assert told["by"].endswith(":schedule/default/ticks")
    assert abs(datetime.fromisoformat(told["due"]) - datetime.now(UTC)) < timedelta(minutes=2)
    time.sleep(1)
    assert len(scheduled.executions(names["Machine"])) == 1
    assert scheduled.dead_letters(names["Letters"]) == []


def test_a_schedule_without_input_delivers_a_notification_of_itself(scheduled: Scheduled) -> None:
    stack = Stack(scheduled.client("cloudformation"))
    names = stack.deploy(resources(may_start=True, text=None), **OUTPUTS)
    scheduled.folder.write(CLOUD, {})
    [execution] = until(lambda: scheduled.executions(names["Machine"]), pause=0.2)
    told = json.loads(execution["input"])
    assert abs(datetime.fromisoformat(told.pop("time")) - datetime.now(UTC)) < timedelta(minutes=2)
    assert told.pop("id")
    assert told == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/ticks"],
        "detail": "{}",
    }


def test_what_its_role_may_not_start_is_among_the_dead_letters(scheduled: Scheduled) -> None:
    names = Stack(scheduled.client("cloudformation")).deploy(resources(may_start=False), **OUTPUTS)
    scheduled.folder.write(CLOUD, {})
    [letter] = until(lambda: scheduled.dead_letters(names["Letters"]), pause=0.2)
    assert json.loads(letter["Body"])["by"].endswith(":schedule/default/ticks")
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDenied"
    assert "states:StartExecution" in letter["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert scheduled.executions(names["Machine"]) == []


def test_a_disabled_schedule_starts_nothing(scheduled: Scheduled) -> None:
    stack = Stack(scheduled.client("cloudformation"))
    names = stack.deploy(resources(may_start=True, state="DISABLED"), **OUTPUTS)
    scheduled.folder.write(CLOUD, {})
    time.sleep(2)
    assert scheduled.executions(names["Machine"]) == []
    stack.deploy(resources(may_start=True), **OUTPUTS)
    until(lambda: scheduled.executions(names["Machine"]), pause=0.2)


def test_a_clock_that_is_put_back_stops_no_schedule() -> None:
    clock = Clock(Written())
    assert clock.passes() == [("ticks", NOW)]
    assert clock.passes(hours=-1) == [("ticks", NOW - timedelta(hours=1))]
    assert clock.passes(minutes=5) == [("ticks", NOW - timedelta(minutes=55))]


def test_one_that_cannot_be_started_takes_no_other_with_it() -> None:
    fired: list[str] = []

    def fire(schedule: Written, _due: datetime) -> None:
        fired.append(schedule.arn)
        if schedule.arn == "broken":
            raise TimeoutError("nobody answers")

    scheduler = Scheduler(lambda: [Written(arn="broken"), Written(arn="ticks")], fire, lambda: NOW)
    scheduler.look()
    assert fired == ["broken", "ticks"]
