"""An alarm reaches somebody only where its topic's policy lets CloudWatch publish.

In AWS the policy that a topic is given takes the place of its default one, by which the owner's account may publish:
https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html (aws:SourceAccount versus aws:SourceOwner)
https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from local_cloud.account import ACCOUNT, MAIL

Clients = Callable[[str], Any]

_numbers = itertools.count(1)


class Topic:
    """A topic that an address is subscribed to, and an alarm that tells it."""

    def __init__(self, client: Clients) -> None:
        self.address = f"somebody-{next(_numbers)}@shop.example"
        self.name = f"alarm-{next(_numbers)}"
        self._sns, self._cloudwatch, self._logs = client("sns"), client("cloudwatch"), client("logs")
        self.arn = self._sns.create_topic(Name=self.name)["TopicArn"]
        self._sns.subscribe(TopicArn=self.arn, Protocol="email", Endpoint=self.address)
        self._cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            AlarmDescription="Something is wrong.",
            AlarmActions=[self.arn],
            OKActions=[self.arn],
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Namespace="any",
            MetricName="any",
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )

    def let(self, *statements: dict[str, Any]) -> None:
        policy = {"Version": "2012-10-17", "Statement": [{"Resource": self.arn, **each} for each in statements]}
        self._sns.set_topic_attributes(TopicArn=self.arn, AttributeName="Policy", AttributeValue=json.dumps(policy))

    def set(self, state: str) -> None:
        self._cloudwatch.set_alarm_state(AlarmName=self.name, StateValue=state, StateReason="a test")

    def mails(self) -> list[dict[str, str]]:
        if not self._logs.describe_log_groups(logGroupNamePrefix=MAIL)["logGroups"]:
            return []
        events = self._logs.filter_log_events(logGroupName=MAIL)["events"]
        mails = [json.loads(event["message"]) for event in events]
        return [mail for mail in mails if mail["to"] == self.address]

    def history(self) -> list[str]:
        items = self._cloudwatch.describe_alarm_history(AlarmName=self.name, HistoryItemType="Action")
        return [item["HistorySummary"] for item in items["AlarmHistoryItems"]]


@pytest.fixture
def topic(client: Clients) -> Topic:
    return Topic(client)


ONLY_BY_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sns:Publish",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ALARMS = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}


def test_a_topic_without_a_policy_of_its_own_tells_of_its_accounts_alarms(topic: Topic) -> None:
    topic.set("ALARM")
    [mail] = topic.mails()
    assert mail["subject"].startswith(f'ALARM: "{topic.name}"')
    assert "Something is wrong." in mail["text"]
    assert topic.history() == [f"Successfully executed action {topic.arn}"]


def test_a_topic_whose_policy_is_a_denial_alone_tells_nobody(topic: Topic) -> None:
    topic.let(ONLY_BY_TLS)
    topic.set("ALARM")
    assert topic.mails() == []
    [told] = topic.history()
    assert told.startswith(f"Failed to execute action {topic.arn}. Received error: ")
    assert "is not authorized to perform: SNS:Publish" in told


@pytest.mark.parametrize(
    ("condition", "mails"),
    [
        ({}, 1),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}, 1),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}}, 0),
    ],
)
def test_a_policy_that_lets_alarms_publish_lets_those_of_its_condition(
    topic: Topic, condition: dict[str, Any], mails: int
) -> None:
    topic.let(ONLY_BY_TLS, {**ALARMS, **condition})
    topic.set("ALARM")
    assert len(topic.mails()) == mails


def test_an_alarm_acts_when_its_state_changes_and_only_then(topic: Topic) -> None:
    for state in ("OK", "ALARM", "ALARM", "OK"):
        topic.set(state)
    assert [mail["subject"].split(":")[0] for mail in topic.mails()] == ["ALARM", "OK"]
