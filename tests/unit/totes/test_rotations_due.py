"""A password that is not rotated is counted, whatever keeps it from that; no value of a secret is read."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from totes.rotations_due import overdue

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

DAY = timedelta(days=1)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        for name in ("source", "warehouse"):
            client.create_secret(Name=name, SecretString="{}")
        monkeypatch.setattr(client, "get_secret_value", None)
        yield client


def begin(secrets: "SecretsManagerClient", secret: str) -> str:
    """Make a version pending, as a rotation does."""
    token = str(uuid.uuid4())
    secrets.put_secret_value(SecretId=secret, ClientRequestToken=token, SecretString="{}", VersionStages=["AWSPENDING"])
    return token


def rotate(secret: str, moment: datetime) -> None:
    """Have Secrets Manager say that it rotated a secret at some moment."""
    kept: Any = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].secrets[secret]
    kept.rotation_requested, kept.last_rotation_date = True, moment.timestamp()


def found(secrets: "SecretsManagerClient", later: timedelta = timedelta()) -> list[str]:
    return overdue(secrets, ["source", "warehouse"], days=30, now=datetime.now(UTC) + later)


def test_a_secret_that_was_just_made_is_not_overdue(secrets: "SecretsManagerClient") -> None:
    assert found(secrets) == []


def test_a_rotation_that_broke_off_is_overdue_after_an_hour_and_one_under_way_is_not(
    secrets: "SecretsManagerClient",
) -> None:
    begin(secrets, "warehouse")
    assert found(secrets, timedelta(minutes=50)) == []
    assert found(secrets, timedelta(minutes=70)) == ["warehouse"]


def test_what_a_rotation_has_finished_is_not_pending(secrets: "SecretsManagerClient") -> None:
    """Secrets Manager may leave the label of what was pending on the version that has become the current one."""
    secrets.put_secret_value(SecretId="source", SecretString="{}", VersionStages=["AWSCURRENT", "AWSPENDING"])
    assert found(secrets, DAY) == []


def test_a_password_that_was_never_rotated_is_overdue_two_days_after_it_should_have_been(
    secrets: "SecretsManagerClient",
) -> None:
    """A schedule that is switched off, or a function that cannot be started, leaves no other trace."""
    assert found(secrets, 31.9 * DAY) == []
    assert found(secrets, 32.1 * DAY) == ["source", "warehouse"]


def test_a_good_rotation_of_one_login_says_nothing_of_another(secrets: "SecretsManagerClient") -> None:
    rotate("warehouse", datetime.now(UTC) + 30 * DAY)
    assert found(secrets, 33 * DAY) == ["source"]
    assert found(secrets, 61 * DAY) == ["source"]
    assert found(secrets, 63 * DAY) == ["source", "warehouse"]


def test_a_try_that_failed_is_no_rotation(secrets: "SecretsManagerClient") -> None:
    """It changes the secret, and gives the pending version up."""
    token = begin(secrets, "source")
    secrets.update_secret_version_stage(SecretId="source", VersionStage="AWSPENDING", RemoveFromVersionId=token)
    kept: Any = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].secrets["source"]
    kept.last_changed_date = (datetime.now(UTC) + 30 * DAY).timestamp()
    assert found(secrets, 33 * DAY) == ["source", "warehouse"]


def test_a_login_that_begins_to_be_rotated_is_due_when_secrets_manager_says(secrets: "SecretsManagerClient") -> None:
    """A secret of last year is; and after a rotation that failed the moment is past."""
    kept: Any = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].secrets["source"]
    kept.rotation_requested, kept.rotation_enabled = True, True
    kept.next_rotation_date = (datetime.now(UTC) + 60 * DAY).timestamp()
    assert found(secrets, 61 * DAY) == ["warehouse"]
    assert found(secrets, 63 * DAY) == ["source", "warehouse"]


def test_what_secrets_manager_said_before_its_schedule_was_switched_off_counts_no_more(
    secrets: "SecretsManagerClient",
) -> None:
    kept: Any = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].secrets["source"]
    kept.rotation_requested, kept.rotation_enabled = True, False
    kept.next_rotation_date = (datetime.now(UTC) + 300 * DAY).timestamp()
    assert found(secrets, 33 * DAY) == ["source", "warehouse"]


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeSecret"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeSecret"),
        ConnectTimeoutError(endpoint_url="https://secretsmanager"),
    ],
)
def test_a_secret_that_cannot_be_looked_at_is_named_and_hides_no_other_and_no_comparison(
    secrets: "SecretsManagerClient",
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    asked = secrets.describe_secret

    def refuse(**which: Any) -> Any:
        if which["SecretId"] == "source":
            raise failure
        return asked(**which)

    monkeypatch.setattr(secrets, "describe_secret", refuse)
    assert found(secrets) == ["source"]
    assert "the password of source is not rotated: secret source cannot be read" in caplog.text
