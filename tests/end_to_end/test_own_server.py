"""A person's own PostgreSQL is connected to, read, written to where that was asked for, and otherwise left as it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

import local_cloud
from command_line.deployment import Deployment
from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import totes
from tests.support.databases import execute, rows, value
from totes.roles import MARK


def logins_of(uri: str) -> list[Any]:
    """Every role of the server, with its password's verifier, its rights and its comment."""
    return rows(uri, "SELECT *, shobj_description(oid, 'pg_authid') FROM pg_authid ORDER BY rolname")


@pytest.fixture(scope="module")
def shop_uri(databases: EmbeddedPostgres) -> str:
    """The shop on the person's server, who is its superuser; a colleague logs in there too."""
    databases.create_database("shop")
    databases.create_database("numbers")
    uri = databases.uri("shop")
    build(uri, orders=20, seed=5)
    execute(uri, "CREATE ROLE ann LOGIN PASSWORD 'of ann'; COMMENT ON ROLE ann IS 'from accounting'")
    return uri


@pytest.fixture(scope="module")
def own(shop_uri: str, databases: EmbeddedPostgres, folder: Path) -> Iterator[Deployed]:
    """A local cloud over that server, whose logins are at the end what they were, but for totes' own."""
    before = logins_of(shop_uri)
    state = folder / "own"
    running = local_cloud.up(state, source=shop_uri, warehouse=databases.uri("numbers"), say=lambda _: None)
    try:
        yield Deployed(running, state)
    finally:
        local_cloud.down(state)
    after = [login for login in logins_of(shop_uri) if not str(login[1]).startswith("totes_")]
    assert after == before


def test_the_password_of_a_persons_own_login_is_not_rotated(own: Deployed, shop_uri: str) -> None:
    before = logins_of(shop_uri)
    for role in ("source", "warehouse"):
        for more in ([], ["--yes"]):
            answer = own.totes("secrets", "rotate", role, *more)
            assert answer.code == 1
            assert "totes did not make the role postgres" in answer.err
            assert "Traceback" not in answer.err
    assert logins_of(shop_uri) == before
    assert own.run()["status"] == "SUCCEEDED"


def test_init_leaves_its_administrator_alone(own: Deployed, shop_uri: str) -> None:
    before = logins_of(shop_uri)
    answer = own.totes("init", "source", "--admin", shop_uri, "--yes")
    assert answer.code == 1
    assert "postgres is the administrator's own login" in answer.err
    assert f"totes init --state {own.state} source --role totes_source" in answer.err
    assert logins_of(shop_uri) == before


def test_init_asks_before_it_changes_a_login_that_is_there(own: Deployed, shop_uri: str) -> None:
    before = logins_of(shop_uri)
    answer = own.totes("init", "source", "--admin", shop_uri, "--role", "ann")
    assert answer.code == 1
    assert "has a role ann, which is not totes' own" in answer.err
    assert "nothing was changed, add --yes to go on" in answer.err
    assert logins_of(shop_uri) == before
    assert value(shop_uri.replace(parse_dsn(shop_uri)["password"], "of ann").replace("postgres:", "ann:"), "SELECT 1")


def test_a_role_of_totes_own_is_made_used_and_rotated(own: Deployed, shop_uri: str) -> None:
    made = own.totes("init", "source", "--admin", shop_uri, "--role", "totes_reader")
    assert made.code == 0, made.err
    secrets, secret = own.cloud.client("secretsmanager"), Deployment.local(own.state).outputs["SourceSecretArn"]
    assert json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])["username"] == "totes_reader"
    assert own.run()["status"] == "SUCCEEDED"
    assert own.totes("init", "source", "--admin", shop_uri).code == 0, "nothing changes, so nobody is asked"

    before = logins_of(shop_uri)
    answer = own.totes("secrets", "rotate", "source")
    assert answer.code == 1
    assert "the password of totes_reader on 127.0.0.1, a server that is not totes' own" in answer.err
    assert logins_of(shop_uri) == before
    assert own.totes("secrets", "rotate", "source", "--yes").code == 0
    assert own.run()["status"] == "SUCCEEDED"

    execute(shop_uri, "ALTER ROLE totes_reader PASSWORD 'of another environment'")
    answer = own.totes("init", "source", "--admin", shop_uri)
    assert answer.code == 1
    assert "made by totes, perhaps for another environment" in answer.err
    assert own.totes("init", "source", "--admin", shop_uri, "--yes").code == 0
    assert own.run()["status"] == "SUCCEEDED"


def test_a_role_that_its_owner_hands_over_is_rotated(own: Deployed, shop_uri: str) -> None:
    assert own.totes("init", "source", "--admin", shop_uri, "--role", "totes_handed", "--yes").code == 0
    execute(shop_uri, "COMMENT ON ROLE totes_handed IS NULL")
    assert own.totes("secrets", "rotate", "source", "--yes").code == 1
    execute(shop_uri, f"COMMENT ON ROLE totes_handed IS '{MARK}'")
    assert own.totes("secrets", "rotate", "source", "--yes").code == 0


def test_a_warehouse_that_is_the_source_by_another_name_is_refused(shop_uri: str, tmp_path: Path) -> None:
    tables = rows(shop_uri, "SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2")
    by_name = shop_uri.replace("127.0.0.1", "localhost")
    answer = totes("local", "up", "--source", shop_uri, "--warehouse", by_name, "--state", tmp_path / "state")
    assert answer.code == 1
    assert "source and warehouse are the same database" in answer.err
    assert rows(shop_uri, "SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2") == tables
    assert not (tmp_path / "state").exists()


def test_a_warehouse_that_is_a_shop_is_refused(own: Deployed, shop_uri: str, tmp_path: Path) -> None:
    answer = totes("local", "up", "--warehouse", shop_uri, "--state", tmp_path / "state")
    assert answer.code == 1
    assert "the database shop is a shop" in answer.err
    answer = own.totes("init", "warehouse", "--admin", shop_uri, "--role", "totes_loader")
    assert answer.code == 1
    assert "the database shop is a shop" in answer.err
