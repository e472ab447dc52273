"""A person sees that alarms reach somebody: they are set off, and their mails are there to be read."""

import json
from typing import Any

import pytest

from tests.end_to_end.conftest import Deployed


@pytest.fixture(scope="module")
def deployed(production: Deployed) -> Deployed:
    return production


def mails(deployed: Deployed) -> list[dict[str, Any]]:
    answer = deployed.totes("local", "mail", "--json")
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = answer.json()
    return found


def states(deployed: Deployed) -> dict[str, str]:
    """The states of the alarms that tell the topic, and so somebody."""
    [topic] = [each["TopicArn"] for each in deployed.cloud.client("sns").list_topics()["Topics"]]
    alarms = deployed.cloud.client("cloudwatch").describe_alarms(ActionPrefix=topic)["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("totes-prod-"): alarm["StateValue"] for alarm in alarms}


def test_every_alarm_is_set_off_and_back_and_its_mails_arrive(deployed: Deployed) -> None:
    assert mails(deployed) == []
    before = states(deployed)

    answer = deployed.totes("alarms", "test")
    assert answer.code == 0, answer.out + answer.err
    assert f"{len(before)} of {len(before)} alarms went off and back; the mails go to you@localhost" in answer.out

    sent = mails(deployed)
    for name in before:
        of_alarm = [mail for mail in sent if f'"totes-prod-{name}"' in mail["subject"]]
        assert [mail["subject"].split(":")[0] for mail in of_alarm] == ["ALARM", "OK"]
        assert "docs/runbook.md#" in of_alarm[0]["text"]
        assert "a test by totes alarms test" in of_alarm[0]["text"]
    assert states(deployed) == before
    assert "a test by totes alarms test" in deployed.totes("local", "mail").out


def test_one_alarm_is_set_off_by_its_name(deployed: Deployed) -> None:
    before = len(mails(deployed))
    assert deployed.totes("alarms", "test", "run-failed").code == 0
    assert len(mails(deployed)) == before + 2
    unknown = deployed.totes("alarms", "test", "fire")
    assert unknown.code == 1
    assert "there is no alarm fire" in unknown.err
    assert "run-failed" in unknown.err


def test_an_alarm_that_is_on_stays_as_it_is(deployed: Deployed) -> None:
    cloudwatch = deployed.cloud.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="totes-prod-lag", StateValue="ALARM", StateReason="the warehouse is late")
    answer = deployed.totes("alarms", "test", "lag", "--json")
    assert answer.code == 1
    assert answer.json()["alarms"] == [{"name": "lag", "failure": "it is on already, and not by a test"}]
    assert states(deployed)["lag"] == "ALARM"


def test_alarms_that_cannot_publish_and_alarms_that_nobody_hears_are_reported(deployed: Deployed) -> None:
    sns = deployed.cloud.client("sns")
    [topic] = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    denial = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": denial}))
    refused = deployed.totes("alarms", "test", "run-failed")
    assert refused.code == 1
    assert "is not authorized to perform: SNS:Publish" in " ".join(refused.out.split())

    doctor = deployed.totes("doctor")
    assert "✓ alarms: the mails go to you@localhost" in " ".join(doctor.out.split())
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    unheard = deployed.totes("alarms", "test")
    assert unheard.code == 1
    why = "reach nobody: alarm_email is set, but its subscription is gone, and no deployment makes it again"
    subscribe = f"aws sns subscribe --topic-arn {topic} --protocol email"
    assert f"{why}: {subscribe}" in unheard.err
    doctor = deployed.totes("doctor", "--json")
    assert doctor.code == 1
    [found] = [each for each in doctor.json() if each["subject"] == "alarms"]
    assert not found["good"]
    assert f"{why}: {subscribe}" in found["sentence"]
