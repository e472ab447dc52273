"""An event that nobody waits for is tried again, and kept where it failed at each attempt.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local_cloud.account import ACCOUNT, REGION
from tests.integration.local_cloud.test_endpoint import Stack

Clients = Callable[[str], Any]

HANDLER = """
def handler(event, context):
    print("attempt", event["number"])
    raise ValueError("the database sleeps")
"""


class Sleepy:
    """A function that fails, and a queue for what has failed."""

    def __init__(self, client: Clients, stack: Stack) -> None:
        self._client, self.name = client, stack.name
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", HANDLER)
        s3 = client("s3")
        s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=self.name, Key="code.zip", Body=buffer.getvalue())
        self._stack = stack

    def deploy(self, *, allowed: bool = True, **configuration: Any) -> None:
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
        policy = {"PolicyName": "work", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        resources: dict[str, Any] = {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": self.name}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                    "Policies": [policy] if allowed else [],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": self.name,
                    "Code": {"S3Bucket": self.name, "S3Key": "code.zip"},
                    "Handler": "handler.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.13",
                },
            },
            "Events": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Qualifier": "$LATEST",
                    "DestinationConfig": {"OnFailure": {"Destination": queue}},
                    **configuration,
                },
            },
        }
        self._stack.deploy(resources)

    def hand(self, number: int) -> None:
        answer = self._client("lambda").invoke(
            FunctionName=self.name, InvocationType="Event", Payload=json.dumps({"number": number})
        )
        assert answer["StatusCode"] == 202
        assert answer["Payload"].read() == b"", "nobody learns what came of it"

    def attempts(self, count: int) -> int:
        """How often it was tried, once that is so many times or half a minute is over."""
        logs, group, found = self._client("logs"), f"/aws/lambda/{self.name}", 0
        deadline = time.monotonic() + 30
        while found < count and time.monotonic() < deadline:
            time.sleep(0.2)
            if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
                events = logs.filter_log_events(logGroupName=group)["events"]
                found = sum("attempt" in event["message"] for event in events)
        return found

    def kept(self) -> list[dict[str, Any]]:
        sqs = self._client("sqs")
        url = sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def sleepy(client: Clients) -> Any:
    stack = Stack(client("cloudformation"))
    stack.name = f"sleepy-{stack.name}"
    yield Sleepy(client, stack)
    stack.delete()


def test_what_fails_is_tried_twice_more_and_kept_with_its_error(sleepy: Sleepy) -> None:
    sleepy.deploy()
    sleepy.hand(7)
    assert sleepy.attempts(3) == 3
    [record] = sleepy.kept()
    assert record["requestPayload"] == {"number": 7}
    assert record["requestContext"]["functionArn"].endswith(sleepy.name)
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "the database sleeps"


def test_it_is_tried_as_often_as_the_configuration_says(sleepy: Sleepy) -> None:
    sleepy.deploy(MaximumRetryAttempts=0)
    sleepy.hand(1)
    [record] = sleepy.kept() or sleepy.kept()
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert sleepy.attempts(1) == 1


def test_a_role_that_may_not_send_keeps_nothing(sleepy: Sleepy) -> None:
    sleepy.deploy(allowed=False)
    sleepy.hand(1)
    assert sleepy.attempts(3) == 3
    assert sleepy.kept() == []
