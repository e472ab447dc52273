"""While a rotation is not complete, RotateSecret is refused, and so is a deployment that sets when a secret is rotated.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html: "If the AWSPENDING staging label
is present but not attached to the same version as AWSCURRENT, then any later invocation of RotateSecret assumes that a
previous rotation request is still in progress and returns an error."
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_cloud.test_endpoint import ROLE, Stack, function, put

Clients = Callable[[str], Any]

REFUSED = r"A previous rotation isn't complete\. That rotation will be reattempted\."


class Rotated:
    """A stack with a login, and with when and by which function that is rotated."""

    def __init__(self, client: Clients) -> None:
        self._client = client
        self.stack = Stack(client("cloudformation"))
        self.stack.name = f"rotated-{self.stack.name}"
        self._code = put(client, {"handler.py": "def handler(event, context): pass"})

    def deploy(self, *, days: int | None = 30, seconds: int = 20) -> None:
        """Deploy it: the login is rotated every so many days, or no schedule says when."""
        resources: dict[str, Any] = {
            "Role": ROLE,
            "Login": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "first"}},
            "Function": function(self._code, FunctionName=self.stack.name, Timeout=seconds),
        }
        if days is not None:
            properties = {
                "SecretId": {"Ref": "Login"},
                "RotationLambdaARN": {"Fn::GetAtt": ["Function", "Arn"]},
                "RotationRules": {"ScheduleExpression": f"rate({days} days)"},
                "RotateImmediatelyOnUpdate": False,
            }
            resources["Schedule"] = {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": properties}
        self.login = self.stack.deploy(resources, Outputs={"Login": {"Value": {"Ref": "Login"}}})["Login"]

    def begin(self, *labels: str) -> None:
        """Leave what a rotation leaves that stopped after its first step."""
        self._client("secretsmanager").put_secret_value(
            SecretId=self.login, SecretString="next", VersionStages=list(labels)
        )

    @property
    def labels(self) -> list[list[str]]:
        """Those of each version that has one."""
        stages = self._client("secretsmanager").describe_secret(SecretId=self.login)["VersionIdsToStages"]
        return sorted(sorted(each) for each in stages.values() if each)

    @property
    def status(self) -> str:
        [found] = self._client("cloudformation").describe_stacks(StackName=self.stack.name)["Stacks"]
        return str(found["StackStatus"])


@pytest.fixture
def rotated(client: Clients, store: str) -> Iterator[Rotated]:
    assert store
    rotated = Rotated(client)
    yield rotated
    rotated.stack.delete()


@pytest.mark.parametrize("immediately", [True, False])
def test_no_rotation_begins_and_none_is_scheduled_while_one_is_not_complete(
    client: Clients, rotated: Rotated, *, immediately: bool
) -> None:
    rotated.deploy()
    rotated.begin("AWSPENDING")
    secrets = client("secretsmanager")
    with pytest.raises(secrets.exceptions.InvalidRequestException, match=REFUSED):
        secrets.rotate_secret(SecretId=rotated.login, RotateImmediately=immediately)
    assert rotated.labels == [["AWSCURRENT"], ["AWSPENDING"]]


def test_a_deployment_that_schedules_rotations_fails_while_one_is_not_complete(rotated: Rotated) -> None:
    rotated.deploy(days=None)
    rotated.begin("AWSPENDING")
    with pytest.raises(ClientError, match=REFUSED):
        rotated.deploy()
    assert rotated.status == "UPDATE_ROLLBACK_COMPLETE"
    assert rotated.labels == [["AWSCURRENT"], ["AWSPENDING"]]


def test_a_deployment_that_changes_when_a_secret_is_rotated_fails_and_so_does_its_rollback(
    client: Clients, rotated: Rotated
) -> None:
    rotated.deploy()
    rotated.begin("AWSPENDING")
    with pytest.raises(ClientError, match=REFUSED):
        rotated.deploy(days=7, seconds=30)
    assert rotated.status == "UPDATE_ROLLBACK_FAILED", "to put the schedule back is refused as well"
    deployed = client("lambda").get_function_configuration(FunctionName=rotated.stack.name)
    assert deployed["Timeout"] == 20, "all else is as it was"


def test_a_deployment_that_leaves_the_schedule_as_it_is_goes_well(rotated: Rotated) -> None:
    rotated.deploy()
    rotated.begin("AWSPENDING")
    rotated.deploy(seconds=30)
    assert rotated.status == "UPDATE_COMPLETE", "though the function that it names has changed"
    assert rotated.labels == [["AWSCURRENT"], ["AWSPENDING"]]


def test_a_pending_label_on_the_current_version_stands_in_no_rotations_way(client: Clients, rotated: Rotated) -> None:
    rotated.deploy()
    rotated.begin("AWSCURRENT", "AWSPENDING")
    rotated.deploy(days=7)
    assert client("secretsmanager").get_secret_value(SecretId=rotated.login)["SecretString"] == "next"
