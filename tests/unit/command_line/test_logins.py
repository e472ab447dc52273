"""A login is rotated where it is totes' own, and who stores or rotates one learns what came of it and nothing else."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from command_line.deployment import Deployment
from command_line.logins import Logins
from totes import payloads
from totes.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LOGIN = {"host": "h", "port": 5432, "username": "u", "dbname": "d", "password": "before"}


def deployed(**outputs: str) -> Deployment:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="eu-west-2")
    deployment = Deployment("environment dev", session, None, "dev")
    deployment.__dict__["outputs"] = outputs
    return deployment


def test_a_login_in_a_secret_of_somebody_elses_is_not_rotated_and_nobody_is_asked_anything() -> None:
    deployment = deployed(SourceSecretArn="arn:aws:secretsmanager:...:shop", RotatedLogins="warehouse,dashboard")
    with pytest.raises(
        UserError,
        match=r"the password of the source is left alone: its secret is not totes' own, .* rotates_secret=True",
    ):
        Logins(deployment).rotate("source")


@pytest.fixture
def secrets() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        client.create_secret(Name="source", SecretString=json.dumps(LOGIN))
        yield client


def current(secrets: "SecretsManagerClient") -> str:
    found = secrets.get_secret_value(SecretId="source", VersionStage="AWSCURRENT")
    return str(json.loads(found["SecretString"])["password"])


def of_two(monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient", answer: dict[str, str]) -> Logins:
    """Logins of which another one is tried while the function answers."""

    def ask(_deployment: Any, _function: str, question: dict[str, str]) -> dict[str, str]:
        assert question["Step"] == payloads.TEST_VERSION
        secrets.put_secret_value(SecretId="source", SecretString=json.dumps(LOGIN), VersionStages=["TOTESTRIAL"])
        return answer

    monkeypatch.setattr("command_line.logins.ask", ask)
    return Logins(deployed(SourceSecretArn="source"))


def test_a_login_is_stored_though_somebody_tries_another_one_at_once(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    of_two(monkeypatch, secrets, {}).store("source", {**LOGIN, "password": "after"})
    assert current(secrets) == "after"


def test_why_a_login_is_refused_is_said_though_somebody_tries_another_one_at_once(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    with pytest.raises(UserError, match="the database does not know it"):
        of_two(monkeypatch, secrets, {payloads.REFUSED: "the database does not know it"}).store("source", LOGIN)
    assert current(secrets) == "before"


EXPIRED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "it has expired"}}, "DescribeSecret")


@pytest.mark.parametrize("why", [KeyboardInterrupt(), EXPIRED])
def test_who_no_longer_waits_for_a_rotation_learns_that_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, why: BaseException
) -> None:
    deployment = deployed(SourceSecretArn="source", RotatedLogins="source")
    described = Mock(side_effect=[{}, {}, why])  # nothing is pending before; then the new version is looked for
    begun = Mock(return_value={"VersionId": "v"})
    deployment.__dict__["secrets"] = Mock(describe_secret=described, rotate_secret=begun)
    monkeypatch.setattr("command_line.logins.ask", Mock(return_value={}))
    with pytest.raises(UserError, match=r"the rotation goes on by itself; totes secrets list says when it was done$"):
        Logins(deployment).rotate("source")
    begun.assert_called_once()
