"""Whom the alarms tell; where it is nobody, the sentence says what makes it somebody."""

from unittest.mock import Mock

import pytest

from command_line.alarms import AlarmTest, NoAddressError
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
