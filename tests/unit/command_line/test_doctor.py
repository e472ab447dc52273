"""A look that fails, or is refused, hides no other look."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from typer.testing import CliRunner, Result

from command_line.commands import display
from command_line.commands.app import app
from command_line.deployment import Deployment, NotDeployedError
from command_line.doctor import Doubtful, examine
from totes.answers import Finding

TOPIC = "arn:aws:sns:eu-west-2:123456789012:totes-dev-alarms"
OUTPUTS = {
    "totes-dev-data": {"IngestionBucket": "lake", "ProcessedBucket": "stars"},
    "totes-dev-pipeline": {"AnswerFunction": "totes-dev-answer_questions"},
    "totes-dev-watch": {"AlarmTopicArn": TOPIC},
}
ADVICE = "; docs/deploying.md, Who may do what, lists the rights"


def refused(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


class Account:
    """An environment in which all is well, until a client or a stack of it is changed."""

    def __init__(self) -> None:
        self.outputs = dict(OUTPUTS)
        self.aws = Mock()
        findings = [{"subject": "source", "good": True, "sentence": "PostgreSQL 17"}]
        self.loaded = 0
        self.aws.invoke.side_effect = lambda **_: {
            "Payload": io.BytesIO(json.dumps({"findings": findings, "newest": self.loaded}).encode())
        }
        self.aws.describe_stacks.side_effect = self._stack
        self.newest = {"lake": 0, "stars": 0}
        self.aws.list_objects_v2.side_effect = self._list
        self.pages: dict[str, Any] = {
            "list_subscriptions_by_topic": [
                {"Subscriptions": [{"Endpoint": "ada@shop.example", "SubscriptionArn": f"{TOPIC}:1"}]}
            ],
            "list_stack_resources": [{"StackResourceSummaries": []}],
        }
        self.aws.get_paginator.side_effect = lambda name: Mock(paginate=Mock(side_effect=lambda **_: self._page(name)))

    def examined(self) -> dict[str, Finding]:
        session = Mock(client=Mock(return_value=self.aws))
        deployment = Deployment("environment dev", session, None, "dev", "--env dev")
        return {each.subject: each for each in examine(deployment, None)}

    def _stack(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        if StackName not in self.outputs:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no"}}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs[StackName].items()]
        return {"Stacks": [{"Outputs": outputs, "StackStatus": "CREATE_COMPLETE"}]}

    def _list(self, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's words
        newest = self.newest[Bucket]
        if not newest or "manifests/" not in Prefix:
            return {}
        return {"Contents": [{"Key": f"{Prefix}{10**10 - 1 - newest:010d}-batch-{newest:010d}.json"}]}

    def _page(self, name: str) -> Any:
        if isinstance(self.pages[name], Exception):
            raise self.pages[name]
        return self.pages[name]


@pytest.fixture
def account() -> Account:
    return Account()


def test_all_is_looked_at(account: Account) -> None:
    found = account.examined()
    assert [(subject, each.good) for subject, each in found.items()] == [
        ("source", True),
        ("lake", True),
        ("alarms", True),
    ]
    assert not any(isinstance(each, Doubtful) for each in found.values())


@pytest.mark.parametrize("left", [0, 1])
def test_an_ingestion_bucket_that_was_emptied_or_put_back_is_a_finding(account: Account, left: int) -> None:
    account.newest = {"lake": left, "stars": 9}
    found = account.examined()["lake"]
    assert not found.good
    assert f"s3://lake ends with batch {left}, and s3://stars was made of batches up to 9" in found.sentence
    assert "docs/disasters.md: a bucket was put back alone" in found.sentence


def test_a_batch_that_waits_to_be_transformed_is_none(account: Account) -> None:
    account.newest = {"lake": 1, "stars": 0}
    found = account.examined()["lake"]
    assert (found.good, found.sentence) == (True, "its newest batch is 1")


def test_a_warehouse_that_holds_batches_which_the_lake_has_lost_is_a_finding(account: Account) -> None:
    account.newest, account.loaded = {"lake": 4, "stars": 0}, 7
    found = account.examined()["lake"]
    assert not found.good
    assert "the manifests of batches 5 to 7 are restored in both buckets" in found.sentence


@pytest.mark.parametrize(("loaded", "good"), [(4, True), (5, False)])
def test_a_warehouse_that_is_a_single_batch_ahead_of_the_lake_is_a_finding(
    account: Account, loaded: int, *, good: bool
) -> None:
    account.newest, account.loaded = {"lake": 4, "stars": 0}, loaded
    assert account.examined()["lake"].good is good


def test_a_right_that_is_missing_for_the_alarms_is_a_finding(account: Account) -> None:
    account.pages["list_subscriptions_by_topic"] = refused("ListSubscriptionsByTopic")
    found = account.examined()
    assert found["source"].good
    assert found["lake"].good
    assert not found["alarms"].good
    assert "when calling the ListSubscriptionsByTopic operation" in found["alarms"].sentence
    assert found["alarms"].sentence.endswith(ADVICE)


def test_what_needs_no_function_is_looked_at_though_the_function_may_not_be_asked(account: Account) -> None:
    account.aws.invoke.side_effect = refused("Invoke")
    found = account.examined()
    assert {subject: each.good for subject, each in found.items()} == {"databases": False, "lake": True, "alarms": True}
    assert found["databases"].sentence.endswith(ADVICE)


def test_what_needs_no_function_is_looked_at_though_aws_is_silent_about_it(account: Account) -> None:
    account.aws.invoke.side_effect = ReadTimeoutError(endpoint_url="https://lambda.eu-west-2.amazonaws.com")
    account.aws.list_objects_v2.side_effect = EndpointConnectionError(endpoint_url="https://s3.amazonaws.com")
    account.pages["list_subscriptions_by_topic"] = ConnectTimeoutError(endpoint_url="https://sns.amazonaws.com")
    found = account.examined()
    assert {subject: each.good for subject, each in found.items()} == dict.fromkeys(
        ("databases", "lake", "alarms"), False
    )
    assert "https://lambda.eu-west-2.amazonaws.com" in found["databases"].sentence


def test_what_needs_no_function_is_looked_at_though_there_is_no_function_to_ask(account: Account) -> None:
    account.outputs["totes-dev-pipeline"] = {}
    found = account.examined()
    assert {subject: each.good for subject, each in found.items()} == {"databases": False, "lake": True, "alarms": True}
    assert "older than this totes" in found["databases"].sentence


def test_where_nothing_is_deployed_that_alone_is_said(account: Account) -> None:
    del account.outputs["totes-dev-pipeline"]
    with pytest.raises(NotDeployedError, match="there is no stack totes-dev-pipeline"):
        account.examined()


def test_who_may_see_no_stack_is_told_so_at_each_look(account: Account) -> None:
    account.aws.describe_stacks.side_effect = refused("DescribeStacks")
    found = account.examined()
    assert {subject: each.good for subject, each in found.items()} == dict.fromkeys(
        ("databases", "lake", "alarms"), False
    )
    assert all(each.sentence.endswith(ADVICE) for each in found.values())


def test_without_credentials_that_alone_is_said(account: Account) -> None:
    account.aws.describe_stacks.side_effect = NoCredentialsError()
    with pytest.raises(NoCredentialsError):
        account.examined()


def test_that_nobody_is_told_because_no_address_is_set_is_left_to_a_person(account: Account) -> None:
    account.pages["list_subscriptions_by_topic"] = [{"Subscriptions": []}]
    found = account.examined()["alarms"]
    assert isinstance(found, Doubtful)
    assert found.good
    assert found.sentence.startswith(
        "the alarms of environment dev reach nobody: the last deployment set no alarm_email"
    )


def test_the_document_says_what_is_left_to_a_person(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.pages["list_subscriptions_by_topic"] = [{"Subscriptions": []}]
    said = document(account, monkeypatch)
    found = {each["subject"]: (each["good"], each["doubtful"]) for each in json.loads(said.output)}
    assert said.exit_code == 0
    assert found == {"source": (True, False), "lake": (True, False), "alarms": (True, True)}


def document(account: Account, monkeypatch: pytest.MonkeyPatch) -> Result:
    session = Mock(client=Mock(return_value=account.aws))
    monkeypatch.setattr(
        Deployment, "in_account", lambda name: Deployment("environment dev", session, None, name, "--env dev")
    )
    return CliRunner().invoke(app, ["doctor", "--env", "dev", "--json"])


def test_the_document_is_printed_and_the_exit_code_is_1_whatever_is_refused(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.aws.invoke.side_effect = refused("Invoke")
    account.pages["list_subscriptions_by_topic"] = refused("ListSubscriptionsByTopic")
    said = document(account, monkeypatch)
    assert said.exit_code == 1
    assert {each["subject"]: each["good"] for each in json.loads(said.output)} == {
        "databases": False,
        "lake": True,
        "alarms": False,
    }


def test_what_is_left_to_a_person_has_a_mark_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    display.finding(Finding("lake", good=True, sentence="a"))
    display.finding(Doubtful("alarms", good=True, sentence="b"), doubtful=True)
    display.finding(Finding("disk", good=False, sentence="c"))
    assert capsys.readouterr().out.splitlines() == ["✓ lake: a", "? alarms: b", "✗ disk: c"]
