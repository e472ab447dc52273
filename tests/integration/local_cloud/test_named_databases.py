"""A database that a person names is looked at first, and what is wrong with it is one sentence."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from command_line.roles import make_roles
from local_cloud import lifecycle
from local_cloud.databases import identity, login
from local_cloud.folder import StateFolder
from local_cloud.named_databases import connect
from local_cloud.origin import CloudOrigin
from local_cloud.postgres import EmbeddedPostgres, free_port
from simulator import Shop
from tests.support.authorities import Authority
from tests.support.databases import execute
from tests.support.pooler import without_options
from tests.support.refusing_server import SEEN, refusing_server
from tests.support.servers import removal_of, run_alone
from tests.support.tls_server import TlsServer, tls_server
from totes.databases import open_session
from totes.errors import UserError
from totes.roles import prepare_source, role_of

ELSEWHERE = "shop.example.com"


def reached_as(uri: str, **others: str) -> str:
    """A URI of the same database, whose server claims to be another machine."""
    return make_dsn(uri, host=ELSEWHERE, hostaddr="127.0.0.1", **others)


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with tls_server() as running:
        yield running


def test_a_uri_becomes_what_the_functions_read(postgres: EmbeddedPostgres) -> None:
    document = login(postgres.uri("postgres") + "?sslmode=prefer&connect_timeout=3", "source")
    assert document.keys() == {
        *("engine", "host", "port", "username", "password", "dbname", "sslmode", "connect_timeout")
    }
    assert (document["host"], document["dbname"], document["sslmode"]) == ("127.0.0.1", "postgres", "prefer")


def test_libpqs_other_form_is_understood_too(postgres: EmbeddedPostgres) -> None:
    known = login(postgres.uri("postgres"), "source")
    words = " ".join(f"{name}={known[name]}" for name in ("host", "port", "password", "dbname"))
    assert login(f"{words} user={known['username']}", "source") == known


def test_what_is_no_uri_is_not_repeated() -> None:
    with pytest.raises(UserError, match="the source's URI is not understood") as refused:
        login("postgresql//me:secret@host/shop", "source")
    assert "secret" not in str(refused.value)


def test_nobody_answers() -> None:
    with pytest.raises(UserError, match=r"the warehouse cannot be reached: .*Connection refused"):
        login(f"postgresql://me:secret@127.0.0.1:{free_port()}/shop", "warehouse")


def test_the_password_is_wrong(postgres: EmbeddedPostgres) -> None:
    uri = postgres.uri("postgres")
    password = login(uri, "source")["password"]
    with pytest.raises(UserError, match="the source refused the login"):
        login(uri.replace(password, "wrong"), "source")


def test_a_refusal_in_another_language_and_encoding_is_called_an_answer() -> None:
    with refusing_server() as port:
        uri = f"postgresql://me:secret@127.0.0.1:{port}/shop"
        with pytest.raises(UserError, match="the source answered, and did not let the login in") as refused:
            login(uri, "source")
        with pytest.raises(UserError, match="the database cannot be reached") as of_simulator:
            Shop(uri, seed=1).live(1, 1, threading.Event(), 1)
        with pytest.raises(UserError, match="the roles of the warehouse were not made") as of_roles:
            make_roles(None, "warehouse", uri, confirm=lambda _: True)  # type: ignore[arg-type] # it is not asked yet
    assert all(SEEN in str(each.value) for each in (refused, of_simulator, of_roles))


def test_the_database_is_missing(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(UserError, match=r'the source has no such database or role: .*"nowhere" does not exist'):
        login(postgres.uri("nowhere"), "source")


def test_a_server_that_does_not_tell_which_it_is_is_one_sentence(postgres: EmbeddedPostgres) -> None:
    uri = postgres.uri("postgres")
    execute(
        uri,
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE reserved LOGIN PASSWORD 'reserved'",
    )
    try:
        known = login(uri, "source")
        reserved = f"postgresql://reserved:reserved@{known['host']}:{known['port']}/postgres"
        with pytest.raises(UserError, match="does not tell reserved which one it is"):
            identity(reserved, "source")
    finally:
        execute(uri, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC; DROP ROLE reserved")


def test_a_login_of_before_is_the_secrets_matter_when_its_cloud_is_continued(tmp_path: Path) -> None:
    changed = f"postgresql://clerk:of-before@127.0.0.1:{free_port()}/shop"
    kept = CloudOrigin(environment="local", named={"source": changed}, identities={"source": (1, 2)})
    origin, logins = lifecycle._looked_at(StateFolder(tmp_path), kept, {}, None, lambda _: None, persistent=True)
    assert (origin, logins) == (kept, {})


def test_a_server_elsewhere_that_speaks_no_tls_is_told_no_password(postgres: EmbeddedPostgres) -> None:
    uri = reached_as(postgres.uri("postgres"))
    refusal = "the source's server does not prove its name by TLS, and was told no password: .*does not support SSL"
    with pytest.raises(UserError, match=refusal):
        login(uri, "source")
    with pytest.raises(UserError, match=refusal):
        make_roles(None, "source", uri, confirm=lambda _: True)  # type: ignore[arg-type] # nothing of it is asked yet
    document = login(make_dsn(uri, sslmode="disable"), "source")
    assert (document["host"], document["sslmode"]) == (ELSEWHERE, "disable")


def test_a_persons_own_variable_says_how_a_server_is_verified(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "allow")
    assert login(reached_as(postgres.uri("postgres")), "source")["sslmode"] == "allow"


def test_a_server_elsewhere_proves_its_name_by_the_authority_that_a_person_names(
    server: TlsServer, tmp_path: Path
) -> None:
    authority, file = Authority("ours"), tmp_path / "ours.pem"
    file.write_text(authority.pem)
    server.show(authority.sign(ELSEWHERE))
    with pytest.raises(UserError, match="certificate verify failed"):
        login(reached_as(server.uri), "source")
    document = login(reached_as(server.uri, sslrootcert=str(file)), "source")
    assert document["sslrootcert"] == str(file)
    assert "sslmode" not in document, "what nobody says is verify-full"
    assert login(reached_as(server.uri, sslmode="require"), "source")["sslmode"] == "require"


def test_a_server_whose_certificate_names_another_is_proved_by_an_authority_of_its_own(
    server: TlsServer, tmp_path: Path
) -> None:
    authority, file = Authority("ours"), tmp_path / "ours.pem"
    file.write_text(authority.pem)
    server.show(authority.sign("project:instance"))
    with pytest.raises(UserError, match=r"does not match host name.*sslmode=verify-ca") as refused:
        login(reached_as(server.uri, sslrootcert=str(file)), "source")
    assert "sslmode=require" not in str(refused.value)
    document = login(reached_as(server.uri, sslrootcert=str(file), sslmode="verify-ca"), "source")
    assert (document["sslmode"], document["sslrootcert"]) == ("verify-ca", str(file))
    with pytest.raises(UserError, match=r"sslmode=verify-ca .*sslrootcert=FILE"):  # RDS signs for everybody's servers
        login(reached_as(server.uri, sslmode="verify-ca"), "source")


def test_functions_that_others_have_made_are_in_no_administrators_path(postgres: EmbeddedPostgres) -> None:
    with closing(connect(postgres.uri("postgres"), "source")) as connection, connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute("SHOW search_path")
            assert cursor.fetchall() == [("pg_catalog",)]
            connection.rollback()


def test_a_pooler_that_drops_a_sessions_settings_is_not_spoken_to(postgres: EmbeddedPostgres) -> None:
    """What is set in a session there would stay on a connection that others are given, as the shop itself."""
    uri = postgres.uri("postgres")
    with without_options(int(login(uri, "source")["port"])) as pooled:
        refusal = r"the source's URI leads to a pooler, .*search_path is .*name the database's own host.*nothing was"
        with pytest.raises(UserError, match=refusal):
            login(make_dsn(uri, host="127.0.0.1", port=pooled), "source")


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  Feature not supported: RDS Proxy currently doesn't support command-line options.",
        "FATAL:  unsupported startup parameter in options: search_path",
    ],
)
def test_a_pooler_that_refuses_a_sessions_settings_is_called_one(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    def refuse(**_: object) -> None:
        raise psycopg2.OperationalError(said)

    monkeypatch.setattr(psycopg2, "connect", refuse)
    with pytest.raises(UserError, match=r"leads to a pooler, .*name the database's own host"):
        login("postgresql://me:secret@127.0.0.1/shop", "source")


def test_what_a_person_says_of_their_session_holds_too(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = postgres.uri("postgres")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=6MB")
    for said, expected in ((uri, "6MB"), (make_dsn(uri, options="-c work_mem=5MB"), "5MB")):
        with closing(connect(said, "source")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('work_mem'), current_setting('search_path')")
            assert cursor.fetchall() == [(expected, "pg_catalog")]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_role_has_the_name_and_the_password_that_it_was_given_in_a_database_of_any_encoding(
    postgres: EmbeddedPostgres, encoding: str
) -> None:
    name, administration = f"admins_{encoding.lower()}", postgres.uri("postgres")
    made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    run_alone(administration, made)
    uri = f"{postgres.uri(name)}?client_encoding={encoding}"
    role = {"username": "ünï", "password": "crème brûlée"}
    try:
        for _ in range(2):
            with closing(connect(uri, "source")) as admin:
                prepare_source(admin, role, [])
                found = role_of(admin, "ünï")
            assert found is not None
            assert found.made_by_totes
        document = login(uri, "source") | role
        if encoding == "SQL_ASCII":  # another encoding has other bytes for the name, which a login does not find
            open_session(document, "source").close()
    finally:
        run_alone(f"{postgres.uri(name)}?client_encoding=UTF8", 'DROP OWNED BY "ünï"', 'DROP ROLE "ünï"')
        run_alone(administration, removal_of(name))


@pytest.mark.parametrize("uri", ["postgresql://admin:hunter2@[shop", "postgresql://admin:hun%ter2@shop/totesys"])
def test_a_password_in_an_administrators_uri_that_is_not_understood_is_not_repeated(uri: str) -> None:
    with pytest.raises(UserError, match="the source's URI is not understood") as refused:
        make_roles(None, "source", uri, confirm=lambda _: True)  # type: ignore[arg-type] # nothing of it is asked yet
    assert "hun" not in str(refused.value)
