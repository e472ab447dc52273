"""What totes init stores is where the functions reach a database, whichever way its administrator takes there."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from psycopg2.extensions import parse_dsn

from command_line.deployment import Deployment
from command_line.roles import make_roles
from tests.support.databases import execute, value
from totes.errors import UserError
from totes.settings import PLACEHOLDER

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ROLE = "totes_tunnelled"


@pytest.fixture
def secrets(source: str) -> Iterator["SecretsManagerClient"]:
    """A deployment's secret as its stack has made it; the shop is reached at an address of this machine."""
    made = {"engine": "postgres", "host": PLACEHOLDER, "port": 6432, "username": ROLE, "dbname": "totesys"}
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        client.create_secret(Name="source", SecretString=json.dumps({**made, "password": "of the role"}))
        yield client
    execute(source, f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}" if has_role(source) else "SELECT 1")


def has_role(uri: str) -> bool:
    return bool(value(uri, f"SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}'"))


def deployed() -> Deployment:
    deployment = Deployment("environment dev", boto3.Session(region_name="eu-west-2"), None, "dev")
    deployment.__dict__["outputs"] = {"SourceSecretArn": "source"}
    return deployment


def init(uri: str, **place: Any) -> list[str]:
    return make_roles(deployed(), "source", uri, confirm=lambda _: False, **place)


def stored(secrets: "SecretsManagerClient") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(secrets.get_secret_value(SecretId="source")["SecretString"])
    return found


def test_an_address_of_this_machine_is_not_stored_for_functions_that_are_elsewhere(
    source: str, secrets: "SecretsManagerClient"
) -> None:
    with pytest.raises(UserError, match=r"no function would reach it there; nothing was changed.*--host HOST"):
        init(source)
    assert stored(secrets)["host"] == PLACEHOLDER
    assert not has_role(source)


def test_the_host_that_is_said_is_stored_with_the_configured_port(source: str, secrets: "SecretsManagerClient") -> None:
    assert init(source, host="shop.example.com") == [ROLE]
    found = stored(secrets)
    assert (found["host"], found["port"]) == ("shop.example.com", 6432), "the tunnel's port is nobody else's"
    assert found["dbname"] == parse_dsn(source)["dbname"]
    assert has_role(source)


def test_who_says_no_changes_nothing(source: str, secrets: "SecretsManagerClient") -> None:
    execute(source, f"CREATE ROLE {ROLE} LOGIN PASSWORD 'somebody else'")
    with pytest.raises(UserError, match="nothing was changed"):
        init(source, host="shop.example.com")
    assert stored(secrets)["host"] == PLACEHOLDER


def test_another_place_that_is_said_later_is_stored_too(source: str, secrets: "SecretsManagerClient") -> None:
    init(source, host="shop.example.com")
    init(source, host="new.example.com", port=5433)
    assert (stored(secrets)["host"], stored(secrets)["port"]) == ("new.example.com", 5433)


def test_a_place_is_said_to_an_administrators_login_alone() -> None:
    with pytest.raises(UserError, match="add --admin URI"):
        make_roles(deployed(), "warehouse", None, host="w.example.com", confirm=lambda _: False)
