"""What totes init stores is where the functions reach a database, whichever way its administrator takes there."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import psycopg2
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from psycopg2.extensions import make_dsn, parse_dsn

from command_line.deployment import Deployment
from command_line.roles import _LOCK, make_roles
from simulator import build
from tests.support.authorities import Authority
from tests.support.databases import execute, session, value
from tests.support.plaintext_only import plaintext_only
from tests.support.pooler import without_options
from tests.support.tls_server import TlsServer, tls_server
from tests.support.waiting import until
from totes.databases import open_session
from totes.errors import ConfigurationError, UserError
from totes.settings import PLACEHOLDER
from totes.tls import PEM

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
    found: dict[str, Any] = json.loads(
        secrets.get_secret_value(SecretId="source", VersionStage="AWSCURRENT")["SecretString"]
    )
    return found


def test_an_address_of_this_machine_is_not_stored_for_functions_that_are_elsewhere(
    source: str, secrets: "SecretsManagerClient"
) -> None:
    with pytest.raises(UserError, match=r"no function would reach it there; nothing was changed.*--host HOST"):
        init(source)
    assert stored(secrets)["host"] == PLACEHOLDER
    assert not has_role(source)


@pytest.mark.parametrize("name", [None, ROLE])
def test_a_providers_pooler_is_refused_and_not_stored(
    source: str, secrets: "SecretsManagerClient", name: str | None
) -> None:
    made = stored(secrets)
    with (
        without_options(int(parse_dsn(source).get("port", 5432))) as pooled,
        pytest.raises(UserError, match=r"leads to a pooler, .*own host"),
    ):
        init(make_dsn(source, host="127.0.0.1", port=pooled), host="shop-pooler.example.com", name=name)
    assert stored(secrets) == made
    assert not has_role(source)


@pytest.mark.parametrize("name", [None, ROLE])
def test_a_server_that_takes_passwords_as_plain_text_alone_gets_none_and_a_person_is_told_what_to_do(
    source: str, secrets: "SecretsManagerClient", name: str | None
) -> None:
    """As Neon's and Databricks Lakebase's do."""
    made = stored(secrets)
    remedy = r"plain text alone.*nothing was changed.*totes secrets set LOGIN.*rotates_secret=False"
    with plaintext_only(int(parse_dsn(source).get("port", 5432))) as way:
        admin = make_dsn(source, host="127.0.0.1", port=way)
        with pytest.raises(ConfigurationError, match=remedy) as refused:
            init(admin, host="ep-x.neon.tech", name=name)
    assert made["password"] not in str(refused.value)
    assert stored(secrets) == made
    assert labels(secrets) == ["AWSCURRENT"]
    assert not has_role(source)


@pytest.mark.parametrize("name", [None, ROLE])
def test_an_administrator_who_may_not_grant_leaves_the_secret_as_it_was(
    source: str, secrets: "SecretsManagerClient", name: str | None
) -> None:
    made = stored(secrets)
    execute(source, "CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'm'; GRANT pg_read_all_data TO maker")
    try:
        with pytest.raises(ConfigurationError, match="maker may not grant what a role of totes needs"):
            init(make_dsn(source, user="maker", password="m"), host="shop.example.com", name=name)
    finally:
        execute(source, "DROP OWNED BY maker; DROP ROLE maker")
    assert stored(secrets) == made
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


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with tls_server() as running:
        build(running.uri, orders=5, seed=1)
        yield running


@pytest.fixture
def elsewhere(server: TlsServer) -> Iterator[TlsServer]:
    """A server with a shop, which shows a certificate of another authority than RDS's."""
    yield server
    if has_role(server.uri):
        execute(server.uri, f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


def reached_as(server: TlsServer, **others: str) -> str:
    """A URI of the shop by a name, in the place of DNS."""
    return make_dsn(server.uri, host="shop.example.com", hostaddr="127.0.0.1", **others)


def tls_stored(secrets: "SecretsManagerClient") -> dict[str, str]:
    return {name: said for name, said in stored(secrets).items() if name.startswith("ssl")}


@pytest.mark.parametrize("tls", [{}, {"sslmode": "verify-ca"}], ids=["verify-full", "verify-ca"])
def test_the_functions_prove_the_server_by_the_authority_that_the_administrator_has_named(
    elsewhere: TlsServer, secrets: "SecretsManagerClient", tmp_path: Path, tls: dict[str, str]
) -> None:
    """Nobody else could store it: totes has made the password, and no person knows it."""
    authority, file = Authority("of a provider"), tmp_path / "ca.pem"
    file.write_text(f"A comment of theirs\n{authority.pem}")
    elsewhere.show(authority.sign("project:instance" if tls else "shop.example.com"))
    init(reached_as(elsewhere, sslrootcert=str(file), **tls))
    assert tls_stored(secrets) == {**tls, PEM: authority.pem}
    open_session({**stored(secrets), "hostaddr": "127.0.0.1"}, "source").close()


@pytest.mark.parametrize("by_tunnel", [False, True])
def test_a_mode_that_libpq_makes_stricter_beside_a_file_is_stored_as_that_stricter_one(
    elsewhere: TlsServer, secrets: "SecretsManagerClient", tmp_path: Path, *, by_tunnel: bool
) -> None:
    """The administrator's server was proved by it, at the end of a tunnel too; so is the functions'."""
    authority, file = Authority("of a provider"), tmp_path / "ca.pem"
    file.write_text(authority.pem)
    elsewhere.show(authority.sign("project:instance"))
    uri = reached_as(elsewhere, sslmode="require", sslrootcert=str(file))
    if by_tunnel:
        init(make_dsn(uri, host="127.0.0.1"), host="shop.example.com")
    else:
        init(uri)
    assert tls_stored(secrets) == {"sslmode": "verify-ca", PEM: authority.pem}
    elsewhere.show(Authority("of somebody else").sign("project:instance"))
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        open_session({**stored(secrets), "hostaddr": "127.0.0.1", "port": parse_dsn(uri)["port"]}, "source")


@pytest.mark.parametrize(
    ("place", "tls"), [({}, {"sslmode": "require"}), ({"host": "db.example.com"}, {})], ids=["there", "another way"]
)
def test_what_the_administrator_does_without_is_stored_for_the_same_host_alone(
    elsewhere: TlsServer, secrets: "SecretsManagerClient", place: dict[str, str], tls: dict[str, str]
) -> None:
    """Nobody has said that another way of the functions' is to be trusted."""
    elsewhere.show(Authority("of a provider").sign("shop.example.com"))
    init(reached_as(elsewhere, sslmode="require"), **place)
    assert tls_stored(secrets) == tls


def test_authorities_that_only_the_administrators_machine_has_are_to_be_named_by_a_file(
    elsewhere: TlsServer, secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, file = Authority("that the machine trusts"), tmp_path / "ca.pem"
    file.write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    elsewhere.show(authority.sign("shop.example.com"))
    made = stored(secrets)
    with pytest.raises(UserError, match=r"sslrootcert=system .*name a file.*nothing was changed"):
        init(reached_as(elsewhere, sslrootcert="system"))
    assert stored(secrets) == made
    assert not has_role(elsewhere.uri)


def refused(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "it has expired"}}, "PutSecretValue")


def lets_in(uri: str, values: Mapping[str, Any]) -> bool:
    try:
        psycopg2.connect(uri, user=values["username"], password=values["password"]).close()
    except psycopg2.OperationalError:
        return False
    return True


def labels(secrets: "SecretsManagerClient") -> list[str]:
    return sorted(
        label
        for each in secrets.describe_secret(SecretId="source")["VersionIdsToStages"].values()
        for label in each
        if label != "AWSPREVIOUS"
    )


def renamed(uri: str, deployment: Deployment, host: str) -> list[str]:
    return make_roles(deployment, "source", uri, name=ROLE, host=host, confirm=lambda _: True)


@pytest.mark.parametrize("call", ["put_secret_value", "get_random_password"])
def test_a_role_keeps_its_password_where_the_secret_does_not_take_another_one(
    source: str, secrets: "SecretsManagerClient", call: str
) -> None:
    init(source, host=parse_dsn(source)["host"])
    deployment = deployed()
    setattr(deployment.secrets, call, refused)
    with pytest.raises(ClientError, match="it has expired"):
        renamed(source, deployment, parse_dsn(source)["host"])
    assert lets_in(source, stored(secrets))


def test_a_password_that_the_database_has_learned_is_pending_and_the_same_command_makes_it_the_current_one(
    source: str, secrets: "SecretsManagerClient"
) -> None:
    host = parse_dsn(source)["host"]
    init(source, host=host)
    deployment = deployed()
    setattr(deployment.secrets, "update_secret_version_stage", refused)  # noqa: B010 - boto3's stubs
    with pytest.raises(UserError, match=r"which is pending in the secret, .*type the same command again"):
        renamed(source, deployment, host)
    assert not lets_in(source, stored(secrets))
    pending = json.loads(secrets.get_secret_value(SecretId="source", VersionStage="AWSPENDING")["SecretString"])
    assert lets_in(source, pending), "no password is in the database alone"
    assert renamed(source, deployed(), host) == [ROLE]
    assert lets_in(source, stored(secrets))
    assert stored(secrets)["password"] == pending["password"], "a killed command is completed, not begun again"
    assert labels(secrets) == ["AWSCURRENT"]


def test_nothing_is_pending_after_a_role_that_could_not_be_made(
    source: str, secrets: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command_line.roles.prepare_source", Mock(side_effect=psycopg2.ProgrammingError("no table")))
    with pytest.raises(UserError, match="the roles of the source were not made: no table"):
        renamed(source, deployed(), "shop.example.com")
    assert labels(secrets) == ["AWSCURRENT"]
    assert stored(secrets)["host"] == PLACEHOLDER


def test_a_command_waits_for_the_end_of_the_session_of_the_one_before(
    source: str, secrets: "SecretsManagerClient"
) -> None:
    with session(source) as before, before.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        waiting = pool.submit(init, source, host="shop.example.com")
        until(lambda: value(source, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 1)
        before.close()
        assert waiting.result() == [ROLE]
    assert lets_in(source, stored(secrets))


def test_of_two_who_make_a_role_at_once_the_second_is_sent_away(source: str, secrets: "SecretsManagerClient") -> None:
    """Else the database would have the password of one, and the secret that of the other."""
    said: list[str] = []

    def meanwhile(_: str) -> bool:
        with pytest.raises(UserError) as second:
            renamed(source, deployed(), "shop.example.com")
        said.append(str(second.value))
        return True

    execute(source, f"CREATE ROLE {ROLE} LOGIN PASSWORD 'somebody else'")
    make_roles(deployed(), "source", source, name=ROLE, host="shop.example.com", confirm=meanwhile)
    assert [each.startswith("somebody else is making the roles of this database just now") for each in said] == [True]
    assert lets_in(source, stored(secrets))
