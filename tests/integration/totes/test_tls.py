"""A server elsewhere proves who it is, or nothing is said to it; against a PostgreSQL with certificates."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from cryptography import x509
from moto import mock_aws
from psycopg2.extensions import parse_dsn

from tests.support.authorities import Authority
from tests.support.databases import value
from tests.support.tls_server import TlsServer, tls_server
from totes.databases import connected
from totes.errors import ConfigurationError, DatabaseUnavailable, WarehouseUnavailable
from totes.rotation import try_current
from totes.tls import PEM, with_tls

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with tls_server() as running:
        yield running


def login_to(server: TlsServer, **others: Any) -> str:
    dsn = parse_dsn(server.uri)
    values = {"host": dsn["host"], "port": dsn["port"], "dbname": dsn["dbname"], "username": dsn["user"]}
    return json.dumps({**values, "password": dsn["password"], "sslmode": "verify-full", **others})


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("ours")


@pytest.fixture
def secrets() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-2")
        client.create_secret(Name="login", SecretString="{}")
        yield client


def connect(secrets: "SecretsManagerClient", login: str) -> str | None:
    """The TLS version of a session, as the server sees it."""
    secrets.put_secret_value(SecretId="login", SecretString=login)
    with (
        connected("login", login_name="warehouse", unavailable=WarehouseUnavailable, client=secrets) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        [[version]] = cursor.fetchall()
        return None if version is None else str(version)


def test_a_server_that_speaks_no_tls_learns_nothing(secrets: "SecretsManagerClient", server: TlsServer) -> None:
    server.reload("off")
    with pytest.raises(ConfigurationError, match=r"not trusted: .*server does not support SSL"):
        connect(secrets, login_to(server))


def test_the_right_host_and_authority_are_taken(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    server.show(authority.sign("127.0.0.1"))
    assert connect(secrets, login_to(server, **{PEM: authority.pem})) == "TLSv1.3"
    assert value(server.uri, "SHOW ssl") == "on"


def test_another_host_is_refused(secrets: "SecretsManagerClient", server: TlsServer, authority: Authority) -> None:
    server.show(authority.sign("warehouse.example.com"))
    with pytest.raises(ConfigurationError, match=r"not trusted: .*does not match host name"):
        connect(secrets, login_to(server, **{PEM: authority.pem}))


def test_an_authority_that_signs_for_one_server_alone_proves_it_under_another_name(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    """As Cloud SQL's does, whose certificates name the instance and not its address."""
    server.show(authority.sign("project:instance"))
    with pytest.raises(ConfigurationError, match=r"totes secrets set warehouse --sslrootcert FILE --sslmode verify-ca"):
        connect(secrets, login_to(server, **{PEM: authority.pem}))
    with pytest.raises(DatabaseUnavailable, match=r"totes secrets set LOGIN --sslrootcert FILE --sslmode verify-ca"):
        try_current(secrets, "login")
    assert connect(secrets, login_to(server, **{PEM: authority.pem, "sslmode": "verify-ca"})) == "TLSv1.3"
    server.show(Authority("theirs").sign("project:instance"))
    with pytest.raises(ConfigurationError, match="certificate verify failed") as refused:
        connect(secrets, login_to(server, **{PEM: authority.pem, "sslmode": "verify-ca"}))
    assert "verify-ca" not in str(refused.value), "it helps where the name alone is another"


def test_an_authority_that_signs_for_many_proves_no_server_without_its_name() -> None:
    with (
        pytest.raises(ConfigurationError, match=r"db.example.com .*sslmode=verify-ca .*--sslrootcert FILE"),
        with_tls({"host": "db.example.com", "sslmode": "verify-ca"}),
    ):
        pass


def test_an_unknown_authority_is_refused(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    server.show(Authority("theirs").sign("127.0.0.1"))
    with pytest.raises(ConfigurationError, match=r"not trusted: .*certificate verify failed"):
        connect(secrets, login_to(server, **{PEM: authority.pem}))


def test_an_authority_that_is_damaged_is_no_matter_of_the_network(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    server.show(authority.sign("127.0.0.1"))
    with pytest.raises(ConfigurationError, match=r"libpq rejects: .* could not read root certificate") as refused:
        connect(secrets, login_to(server, **{PEM: authority.pem[:200]}))
    assert authority.pem[30:190] not in str(refused.value)


def test_only_rdss_own_authorities_are_known_where_the_secret_names_none(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    server.show(authority.sign("127.0.0.1"))
    with pytest.raises(ConfigurationError, match="certificate verify failed"):
        connect(secrets, login_to(server))


def test_a_certificate_that_has_ended_is_refused(
    secrets: "SecretsManagerClient", server: TlsServer, authority: Authority
) -> None:
    server.show(authority.sign("127.0.0.1", days=-1))
    with pytest.raises(ConfigurationError, match="certificate verify failed"):
        connect(secrets, login_to(server, **{PEM: authority.pem}))


def test_the_certificates_are_in_a_file_for_as_long_as_it_takes_to_connect(authority: Authority) -> None:
    with with_tls({"host": "db.example.com", PEM: authority.pem}) as keywords:
        assert keywords.keys() == {"host", "sslmode", "sslrootcert"}
        file = Path(keywords["sslrootcert"])
        assert file.read_text() == authority.pem
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()


def test_a_server_elsewhere_is_verified_in_full_unless_its_secret_says_otherwise() -> None:
    with with_tls({"host": "db.example.com"}) as elsewhere:
        assert elsewhere["sslmode"] == "verify-full"
        assert Path(elsewhere["sslrootcert"]).name == "bundle.pem"
    with with_tls({"host": "db.example.com", "sslmode": "disable"}) as unverified:
        assert unverified == {"host": "db.example.com", "sslmode": "disable"}
    for here in ("/var/run/postgresql", "localhost", "127.0.0.1"):
        with with_tls({"host": here}) as keywords:
            assert keywords == {"host": here}


def test_the_bundle_has_rdss_authorities_of_every_kind_and_region() -> None:
    with with_tls({"host": "db.example.com"}) as keywords:
        bundle = Path(keywords["sslrootcert"]).read_bytes()
    certificates = x509.load_pem_x509_certificates(bundle)
    names = {certificate.subject.rfc4514_string() for certificate in certificates}
    for region in ("eu-west-2", "us-east-1"):
        for kind in ("RSA2048", "RSA4096", "ECC384"):
            assert any(f"Amazon RDS {region} Root CA {kind} G1" in name for name in names), (region, kind)
    lasting = [each for each in certificates if each.not_valid_after_utc > datetime.now(UTC)]
    assert len(lasting) > 80
