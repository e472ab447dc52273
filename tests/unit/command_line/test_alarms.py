"""Whom the alarms tell, and that a test of them leaves alone what is really wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest

from command_line.alarms import AlarmTest, NoAddressError, Tried
from command_line.deployment import Deployment
from totes.errors import UserError

TOPIC = "arn:aws:sns:eu-west-2:123456789012:totes-dev-alarms"
SUBSCRIBE = f"aws sns subscribe --topic-arn {TOPIC} --protocol email --notification-endpoint "


def told_by(subscriptions: dict[str, str], *, status: str | None = "CREATE_COMPLETE") -> AlarmTest:
    """The alarms of a topic that has these subscriptions: addresses and what SNS calls each.

    The status is that of the subscription in the stack that was deployed; None: the stack has none.
    """
    aws = Mock()
    listed = [{"Endpoint": address, "SubscriptionArn": name} for address, name in subscriptions.items()]
    resources = [{"ResourceType": "AWS::SNS::Topic", "ResourceStatus": "CREATE_COMPLETE"}]
    if status is not None:
        resources.append({"ResourceType": "AWS::SNS::Subscription", "ResourceStatus": status})
    pages = {
        "list_subscriptions_by_topic": [{"Subscriptions": listed}],
        "list_stack_resources": [{"StackResourceSummaries": resources}],
    }
    aws.get_paginator = lambda name: Mock(paginate=Mock(return_value=pages[name]))
    outputs = [{"OutputKey": "AlarmTopicArn", "OutputValue": TOPIC}]
    aws.describe_stacks.return_value = {"Stacks": [{"Outputs": outputs, "StackStatus": "CREATE_COMPLETE"}]}
    session = Mock(client=Mock(return_value=aws))
    return AlarmTest(Deployment("environment dev", session, None, "dev", "--env dev"))


def test_who_has_confirmed_is_told() -> None:
    assert told_by({"ada@shop.example": f"{TOPIC}:1", "bob@shop.example": "PendingConfirmation"}).addresses() == [
        "ada@shop.example"
    ]


@pytest.mark.parametrize("subscriptions", [{}, {"ada@shop.example": "Deleted"}])
def test_a_subscription_that_is_gone_is_made_again_by_hand_for_no_deployment_does(
    subscriptions: dict[str, str],
) -> None:
    """For some days SNS lists a subscription that somebody has ended, as deleted."""
    alarms = told_by(subscriptions)
    for ask in (alarms.addresses, alarms.told):
        with pytest.raises(UserError) as caught:
            ask()
        sentence = str(caught.value)
        assert "reach nobody" in sentence
        assert f"its subscription is gone, and no deployment makes it again: {SUBSCRIBE}ADDRESS" in sentence


def test_a_subscription_that_nobody_has_confirmed_is_asked_for_again_before_it_is_gone() -> None:
    alarms = told_by({"ada@shop.example": "PendingConfirmation"})
    for ask in (alarms.addresses, alarms.told):
        with pytest.raises(UserError) as caught:
            ask()
        sentence = str(caught.value)
        assert "ada@shop.example has not confirmed the subscription" in sentence
        assert "48 hours" in sentence
        assert f"{SUBSCRIBE}ada@shop.example sends another" in sentence


def test_who_has_not_confirmed_is_named_beside_those_who_are_told() -> None:
    told = told_by({"ada@shop.example": f"{TOPIC}:1", "bob@shop.example": "PendingConfirmation"}).told()
    assert told.startswith("the mails go to ada@shop.example; bob@shop.example has not confirmed the subscription")
    assert f"{SUBSCRIBE}bob@shop.example sends another" in told


@pytest.mark.parametrize("status", [None, "DELETE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
def test_where_no_address_is_set_all_ways_to_set_one_are_named(status: str | None) -> None:
    """A deployment without the option of the one before takes the subscription away; the stack may still list it."""
    alarms = told_by({}, status=status)
    for ask in (alarms.addresses, alarms.told):
        with pytest.raises(NoAddressError) as caught:
            ask()
        sentence = str(caught.value)
        assert "reach nobody: the last deployment set no alarm_email" in sentence
        for way in ("stacks/config.py", "-c alarm_email=ADDRESS", "variable ALARM_EMAIL"):
            assert way in sentence


def test_an_address_that_was_given_to_the_topic_by_hand_and_not_confirmed_is_named_where_none_is_set() -> None:
    with pytest.raises(UserError, match="has not confirmed the subscription"):
        told_by({"ada@shop.example": "PendingConfirmation"}, status=None).told()


REAL = ("ALARM", "Threshold Crossed: 3 differences")
OF_A_TEST = "a test by totes alarms test --env dev; nothing is wrong"


@dataclass
class CloudWatch:
    """Alarms with what can happen to them: `meanwhile` is called each time one was set to a state."""

    states: dict[str, tuple[str, str]]
    meanwhile: Callable[[str, str], None] = field(default=lambda _name, _state: None)
    told: list[tuple[str, str]] = field(default_factory=list)

    def get_paginator(self, _: str) -> Mock:
        return Mock(paginate=Mock(return_value=[self.describe_alarms(list(self.states))]))

    def describe_alarms(self, AlarmNames: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        found = {name: self.states[name] for name in AlarmNames if name in self.states}
        return {
            "MetricAlarms": [
                {"AlarmName": name, "StateValue": state, "StateReason": reason}
                for name, (state, reason) in found.items()
            ]
        }

    def set_alarm_state(self, AlarmName: str, StateValue: str, StateReason: str) -> None:  # noqa: N803 - likewise
        self.states[AlarmName] = (StateValue, StateReason)
        self.told.append((AlarmName, StateValue))
        self.meanwhile(AlarmName, StateValue)

    def describe_alarm_history(self, AlarmName: str, **_: str) -> dict[str, Any]:  # noqa: N803 - likewise
        summary = "Successfully executed action"
        items = [
            {"Timestamp": datetime.fromtimestamp(number, UTC), "HistorySummary": summary}
            for number, (name, _) in enumerate(self.told)
            if name == AlarmName
        ]
        return {"AlarmHistoryItems": items}


def tried(cloudwatch: CloudWatch) -> list[Tried]:
    """What a test of all the alarms found."""
    aws = Mock()
    outputs = [{"OutputKey": "AlarmTopicArn", "OutputValue": TOPIC}]
    aws.describe_stacks.return_value = {"Stacks": [{"Outputs": outputs, "StackStatus": "CREATE_COMPLETE"}]}
    session = Mock(client=lambda service, **_: cloudwatch if service == "cloudwatch" else aws)
    return AlarmTest(Deployment("environment dev", session, None, "dev", "--env dev")).run([], lambda *_: None)


def test_an_alarm_that_goes_off_while_another_is_tried_stays_on_and_nobody_is_told_that_nothing_is_wrong() -> None:
    cloudwatch = CloudWatch({"totes-dev-lag": ("OK", ""), "totes-dev-verify": ("OK", "")})

    def a_difference_is_found(name: str, state: str) -> None:
        if (name, state) == ("totes-dev-lag", "ALARM"):
            cloudwatch.states["totes-dev-verify"] = REAL

    cloudwatch.meanwhile = a_difference_is_found
    assert tried(cloudwatch) == [Tried(name="lag"), Tried(name="verify", failure="it is on already, and not by a test")]
    assert cloudwatch.states == {"totes-dev-lag": ("OK", OF_A_TEST), "totes-dev-verify": REAL}
    assert cloudwatch.told == [("totes-dev-lag", "ALARM"), ("totes-dev-lag", "OK")]


@pytest.mark.parametrize(("found", "is_real"), [(REAL, True), (("OK", "Threshold Crossed: no difference"), False)])
def test_what_cloudwatch_finds_during_an_alarms_own_test_is_left_as_it_is(
    found: tuple[str, str], *, is_real: bool
) -> None:
    cloudwatch = CloudWatch({"totes-dev-verify": ("INSUFFICIENT_DATA", "")})

    def evaluated(name: str, state: str) -> None:
        if state == "ALARM":
            cloudwatch.states[name] = found

    cloudwatch.meanwhile = evaluated
    [verify] = tried(cloudwatch)
    assert cloudwatch.states["totes-dev-verify"] == found
    assert ("went off for real" in (verify.failure or "")) is is_real


def test_an_alarm_that_a_killed_test_has_left_on_is_not_called_a_real_one() -> None:
    cloudwatch = CloudWatch({"totes-dev-lag": ("ALARM", "a test by totes alarms test --local; nothing is wrong")})
    [lag] = tried(cloudwatch)
    assert lag.failure is not None
    assert "by a test that still runs or was killed" in lag.failure
    assert "aws cloudwatch set-alarm-state --alarm-name totes-dev-lag --state-value OK" in lag.failure
    assert cloudwatch.told == []


def test_an_alarm_that_a_deployment_removes_meanwhile_is_said_to_be_gone() -> None:
    cloudwatch = CloudWatch({"totes-dev-lag": ("OK", ""), "totes-dev-verify": ("OK", "")})
    cloudwatch.meanwhile = lambda *_: cloudwatch.states.pop("totes-dev-verify", None) and None
    assert [each.failure for each in tried(cloudwatch)] == [None, "it is gone; somebody has removed it meanwhile"]
