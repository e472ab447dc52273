"""Whom the alarms tell; where it is nobody, the sentence says what makes it somebody."""

from unittest.mock import Mock

import pytest

from command_line.alarms import AlarmTest
from command_line.deployment import Deployment
from totes.errors import UserError

TOPIC = "arn:aws:sns:eu-west-2:123456789012:totes-dev-alarms"
SUBSCRIBE = f"aws sns subscribe --topic-arn {TOPIC} --protocol email --notification-endpoint "


def told_by(subscriptions: dict[str, str]) -> AlarmTest:
    """The alarms of a topic that has these subscriptions: addresses and what SNS calls each."""
    aws = Mock()
    listed = [{"Endpoint": address, "SubscriptionArn": name} for address, name in subscriptions.items()]
    aws.get_paginator.return_value.paginate.return_value = [{"Subscriptions": listed}]
    outputs = [{"OutputKey": "AlarmTopicArn", "OutputValue": TOPIC}]
    aws.describe_stacks.return_value = {"Stacks": [{"Outputs": outputs, "StackStatus": "CREATE_COMPLETE"}]}
    session = Mock(client=Mock(return_value=aws))
    return AlarmTest(Deployment("environment dev", session, None, "dev", "--env dev"))


def test_who_has_confirmed_is_told() -> None:
    assert told_by({"ada@shop.example": f"{TOPIC}:1", "bob@shop.example": "PendingConfirmation"}).addresses() == [
        "ada@shop.example"
    ]


def test_a_subscription_that_is_gone_is_made_again_by_hand_for_no_deployment_does() -> None:
    with pytest.raises(UserError) as caught:
        told_by({}).addresses()
    sentence = str(caught.value)
    assert "reach nobody" in sentence
    assert "where alarm_email is not set in stacks/config.py, set it and deploy (cdk deploy --all)" in sentence
    assert f"where it is, no deployment makes the subscription again: {SUBSCRIBE}ADDRESS" in sentence


def test_a_subscription_that_nobody_has_confirmed_is_asked_for_again_before_it_is_gone() -> None:
    with pytest.raises(UserError) as caught:
        told_by({"ada@shop.example": "PendingConfirmation"}).addresses()
    sentence = str(caught.value)
    assert "ada@shop.example has not confirmed the subscription" in sentence
    assert "48 hours" in sentence
    assert f"{SUBSCRIBE}ada@shop.example sends another" in sentence
