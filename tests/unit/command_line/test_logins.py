"""A login is rotated where it is totes' own, and who stores or rotates one learns what came of it and nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from command_line.commands.app import app
from command_line.deployment import Deployment
from command_line.logins import Logins
from totes import payloads
from totes.errors import UserError
from totes.logins import login_tags

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


def versions(secrets: "SecretsManagerClient", label: str) -> list[str]:
    """The versions of the secret that have a label."""
    stages = secrets.describe_secret(SecretId="source")["VersionIdsToStages"]
    return [version for version, labels in stages.items() if label in labels]


def test_of_a_login_that_is_refused_no_trial_is_left(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    monkeypatch.setattr("command_line.logins.ask", Mock(return_value={payloads.REFUSED: "the database is closed"}))
    with pytest.raises(UserError, match="the database is closed"):
        Logins(deployed(SourceSecretArn="source")).store("source", LOGIN)
    assert versions(secrets, "TOTESTRIAL") == []


def pending(secrets: "SecretsManagerClient") -> str:
    """A version that an interrupted command has left pending."""
    left = json.dumps({**LOGIN, "password": "pending"})
    return secrets.put_secret_value(SecretId="source", SecretString=left, VersionStages=["AWSPENDING"])["VersionId"]


def test_a_pending_password_is_kept_while_the_database_takes_none(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    """It may be the only one that the database knows."""
    left = pending(secrets)
    monkeypatch.setattr("command_line.logins._ROTATION_SECONDS", 0.0)
    monkeypatch.setattr("command_line.logins.ask", Mock(return_value={payloads.REFUSED: "it cannot be reached"}))
    with pytest.raises(UserError, match="it cannot be reached"):
        Logins(deployed(SourceSecretArn="source", RotatedLogins="source")).rotate("source")
    assert versions(secrets, "AWSPENDING") == [left]


def test_what_was_pending_is_pending_again_after_a_login_that_the_database_has_not_learned(
    secrets: "SecretsManagerClient",
) -> None:
    left, logins = pending(secrets), Logins(deployed(SourceSecretArn="source"))
    with (
        pytest.raises(ZeroDivisionError),
        logins.replacing("source", {**LOGIN, "password": "after"}, is_known=lambda: False),
    ):
        assert versions(secrets, "AWSPENDING") != [left]
        raise ZeroDivisionError
    assert versions(secrets, "AWSPENDING") == [left]


def test_a_login_that_the_database_has_learned_stays_pending_whatever_ended_the_command(
    secrets: "SecretsManagerClient",
) -> None:
    """No password is in the database alone."""
    left, logins = pending(secrets), Logins(deployed(SourceSecretArn="source"))
    with (
        pytest.raises(ZeroDivisionError),
        logins.replacing("source", {**LOGIN, "password": "after"}, is_known=lambda: True),
    ):
        raise ZeroDivisionError
    assert versions(secrets, "AWSPENDING") != [left]
    assert logins.pending_password("source", "u") == "after"
    assert current(secrets) == "before"


@pytest.mark.usefixtures("secrets")
def test_what_is_shown_of_a_login_is_not_its_password() -> None:
    assert Logins(deployed(SourceSecretArn="source")).current("source") == {
        name: value for name, value in LOGIN.items() if name != "password"
    }


def test_a_password_that_is_pending_for_another_role_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    pending(secrets)
    monkeypatch.setattr("command_line.logins._ROTATION_SECONDS", 0.0)
    logins = Logins(deployed(SourceSecretArn="source"))
    assert logins.pending_password("source", "u") == "pending"
    assert logins.pending_password("source", "another") is None


@pytest.mark.usefixtures("secrets")
def test_a_login_that_is_deleted_can_be_taken_back_for_thirty_days() -> None:
    gone = Logins(deployed(SourceSecretArn="source")).delete("source")
    assert round((gone - datetime.now(UTC)).total_seconds() / 86_400) == 30


def test_of_the_secrets_that_stacks_have_left_only_this_environments_login_is_deleted(
    secrets: "SecretsManagerClient",
) -> None:
    for environment, login_name in (("dev", "source"), ("dev", "warehouse"), ("dev-alice", "source")):
        tags = login_tags(environment, login_name)
        secrets.create_secret(
            Name=f"{login_name} of {environment}",
            SecretString="{}",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    left = deployed()
    del left.__dict__["outputs"]
    Logins(left).delete("source")
    assert {each["Name"] for each in secrets.list_secrets()["SecretList"]} == {
        "source",
        "warehouse of dev",
        "source of dev-alice",
    }
    with pytest.raises(UserError, match="neither a stack nor a secret of the dashboard is left in environment dev"):
        Logins(left).delete("dashboard")


def test_for_a_new_host_nothing_is_taken_over_of_how_the_old_one_is_reached(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    secrets.put_secret_value(SecretId="source", SecretString=json.dumps({**LOGIN, "port": 6432, "sslmode": "disable"}))
    found = deployed(SourceSecretArn="source")
    monkeypatch.setattr("command_line.commands.secrets.deployment_of", Mock(return_value=found))
    monkeypatch.setattr("command_line.logins.ask", Mock(return_value={}))
    asked = ["secrets", "set", "source", "--host", "new", "--dbname", "d", "--username", "u"]
    said = CliRunner().invoke(app, asked, input="after\n")
    assert said.exit_code == 0, said.output
    stored = json.loads(secrets.get_secret_value(SecretId="source", VersionStage="AWSCURRENT")["SecretString"])
    assert (stored["host"], stored["port"], stored["password"]) == ("new", 5432, "after")
    assert "sslmode" not in stored


def typed(monkeypatch: pytest.MonkeyPatch, *options: str, password: str = "") -> Result:
    """What totes secrets set comes to, where the database takes every login."""
    found = deployed(SourceSecretArn="source")
    monkeypatch.setattr("command_line.commands.secrets.deployment_of", Mock(return_value=found))
    monkeypatch.setattr("command_line.logins.ask", Mock(return_value={}))
    return CliRunner().invoke(app, ["secrets", "set", "source", *options], input=password)


def test_how_a_server_is_reached_is_stored_without_a_password_that_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient"
) -> None:
    """totes init has made it."""
    said = typed(monkeypatch, "--sslmode", "require", "--port", "6432")
    assert said.exit_code == 0, said.output
    stored = json.loads(secrets.get_secret_value(SecretId="source", VersionStage="AWSCURRENT")["SecretString"])
    assert stored == {**LOGIN, "engine": "postgres", "port": 6432, "sslmode": "require"}


WHOLE = ("--dbname", "d", "--username", "u")


@pytest.mark.parametrize(
    "options",
    [
        (),
        WHOLE,
        ("--port", "6432", *WHOLE),
        ("--sslmode", "require", "--username", "another"),
        ("--sslmode", "require", "--host", "new", *WHOLE),
    ],
)
def test_a_password_is_kept_where_nothing_but_the_way_to_the_server_is_said(
    monkeypatch: pytest.MonkeyPatch, secrets: "SecretsManagerClient", options: tuple[str, ...]
) -> None:
    said = typed(monkeypatch, *options)
    assert isinstance(said.exception, UserError)
    assert "a password is needed" in str(said.exception)
    assert json.loads(secrets.get_secret_value(SecretId="source", VersionStage="AWSCURRENT")["SecretString"]) == LOGIN


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
