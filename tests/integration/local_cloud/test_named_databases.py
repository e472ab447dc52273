"""A database that a person names is looked at first, and what is wrong with it is one sentence."""

from pathlib import Path

import pytest

from local_cloud import lifecycle
from local_cloud.databases import identity, login
from local_cloud.folder import StateFolder
from local_cloud.origin import CloudOrigin
from local_cloud.postgres import EmbeddedPostgres, free_port
from tests.support.databases import execute
from totes.errors import UserError


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
            identity(reserved)
    finally:
        execute(uri, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC; DROP ROLE reserved")


def test_a_login_of_before_is_the_secrets_matter_when_its_cloud_is_continued(tmp_path: Path) -> None:
    changed = f"postgresql://clerk:of-before@127.0.0.1:{free_port()}/shop"
    kept = CloudOrigin(environment="local", named={"source": changed}, identities={"source": (1, 2)})
    origin, logins = lifecycle._looked_at(StateFolder(tmp_path), kept, {}, None, lambda _: None, persistent=True)
    assert (origin, logins) == (kept, {})
