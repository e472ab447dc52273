"""A person keeps the databases' logins, and the functions' logs say whose they are."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from command_line.deployment import Deployment
from command_line.logins import Logins
from local_cloud.alarm_states import alarms_on
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.support.authorities import Authority
from tests.support.command_line import Answer
from tests.support.databases import execute, rows
from totes.errors import UserError
from totes.roles import MARK
from totes.settings import PLACEHOLDER


@pytest.fixture(scope="module")
def shop(development: Deployed) -> Deployed:
    """The stacks of dev with a shop, which a person has made a role for."""
    source = development.cloud.source_uri
    build(source, orders=20, seed=2)
    execute(
        source,
        "CREATE ROLE totes_shop LOGIN PASSWORD 'right'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO totes_shop; "
        f"COMMENT ON ROLE totes_shop IS '{MARK}'",
    )
    return development


def store(shop: Deployed, password: str) -> Answer:
    """Pipe a password into totes secrets set."""
    dsn = parse_dsn(shop.cloud.source_uri)
    place = ("--host", dsn["host"], "--port", dsn["port"], "--dbname", dsn["dbname"], "--username", "totes_shop")
    return shop.totes("secrets", "set", "source", *place, answers=f"{password}\n")


def secret_of(shop: Deployed, role: str) -> str:
    return Deployment.local(shop.state).outputs[f"{role.capitalize()}SecretArn"]


def current(shop: Deployed) -> str:
    secrets = shop.cloud.client("secretsmanager")
    source = secret_of(shop, "source")
    found = secrets.get_secret_value(SecretId=source, VersionStage="AWSCURRENT")
    return str(json.loads(found["SecretString"])["username"])


def test_a_login_that_the_database_refuses_is_not_stored(shop: Deployed) -> None:
    before = current(shop)
    answer = store(shop, "wrong")
    assert answer.code == 1
    assert "password authentication failed" in answer.err
    assert "wrong" not in answer.err
    assert current(shop) == before
    assert shop.run()["status"] == "SUCCEEDED"


def test_a_login_that_it_takes_is_the_one_from_then_on(shop: Deployed) -> None:
    answer = store(shop, "right")
    assert answer.code == 0, answer.err
    assert "right" not in answer.out
    assert current(shop) == "totes_shop"
    assert shop.totes("secrets", "test", "source").code == 0
    assert shop.run()["status"] == "SUCCEEDED"


def test_the_certificates_of_an_authority_are_stored_with_the_login_and_shown_nowhere(
    shop: Deployed, tmp_path: Path
) -> None:
    file, authority = tmp_path / "ca.pem", Authority("of the shop").pem
    file.write_text(authority)
    dsn = parse_dsn(shop.cloud.source_uri)
    place = ("--host", dsn["host"], "--port", dsn["port"], "--dbname", dsn["dbname"], "--username", "totes_shop")
    answer = shop.totes("secrets", "set", "source", *place, "--sslrootcert", str(file), answers="right\n")
    assert answer.code == 0, answer.err
    assert "CERTIFICATE" not in answer.out + answer.err
    assert Logins(Deployment.local(shop.state)).current("source")["sslrootcert_pem"] == authority
    file.write_text("no certificate")
    answer = shop.totes("secrets", "set", "source", *place, "--sslrootcert", str(file), answers="right\n")
    assert answer.code == 1
    assert "ca.pem holds no certificate in PEM" in answer.err
    assert shop.run()["status"] == "SUCCEEDED"


def test_no_password_is_no_login(shop: Deployed) -> None:
    answer = store(shop, "")
    assert answer.code == 1
    assert "a password is needed" in answer.err


def test_the_list_has_names_and_dates(shop: Deployed) -> None:
    listed = shop.totes("secrets", "list", "--json").json()
    assert [each["login_name"] for each in listed] == ["source", "warehouse", "dashboard"]
    outputs = Deployment.local(shop.state).outputs
    assert all(each["name"] in outputs[f"{each['login_name'].capitalize()}SecretArn"] for each in listed)
    assert all(each["next_rotation"] for each in listed)
    assert shop.totes("secrets", "rotate", "dashboard").code == 0
    assert [bool(each["rotated"]) for each in shop.totes("secrets", "list", "--json").json()] == [False, False, True]


def test_a_password_changed_by_hand_is_reported_and_set_right(shop: Deployed) -> None:
    store(shop, "right")
    execute(shop.cloud.source_uri, "ALTER ROLE totes_shop PASSWORD 'by hand'")
    assert "refuses the login" in shop.totes("secrets", "test", "source").err
    answer = shop.totes("secrets", "rotate", "source")
    assert answer.code == 1, "nobody knows the password"
    assert f"store one that it knows (totes secrets set --state {shop.state} LOGIN)" in answer.err
    assert "still holds" not in answer.err
    answer = store(shop, "by hand")
    assert answer.code == 0, answer.err
    assert shop.totes("secrets", "test", "source").code == 0
    assert shop.totes("secrets", "rotate", "source").code == 0
    assert shop.run()["status"] == "SUCCEEDED"


def begin_to_rotate(shop: Deployed, password: str) -> None:
    """Leave what a rotation leaves that stopped after its first step."""
    secrets = shop.cloud.client("secretsmanager")
    values = json.loads(secrets.get_secret_value(SecretId=secret_of(shop, "source"))["SecretString"])
    secrets.put_secret_value(
        SecretId=secret_of(shop, "source"),
        SecretString=json.dumps({**values, "password": password}),
        VersionStages=["AWSPENDING"],
    )


def pending(shop: Deployed) -> list[str]:
    stages = shop.cloud.client("secretsmanager").describe_secret(SecretId=secret_of(shop, "source"))[
        "VersionIdsToStages"
    ]
    return [version for version, labels in stages.items() if "AWSPENDING" in labels]


def test_a_rotation_that_broke_off_does_not_stand_in_the_way_of_its_remedies(
    shop: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command_line.logins._ROTATION_SECONDS", 2.0)
    logins = Logins(Deployment.local(shop.state))
    execute(shop.cloud.source_uri, "ALTER ROLE totes_shop PASSWORD 'by hand'")
    begin_to_rotate(shop, "never told to the database")
    logins.store("source", {**logins.current("source"), "password": "by hand"})
    assert pending(shop) == []

    begin_to_rotate(shop, "never told to the database")
    logins.rotate("source")
    assert pending(shop) == []
    logins.test("source")


def test_a_rotation_that_broke_off_after_the_database_had_the_password_is_finished(
    shop: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command_line.logins._ROTATION_SECONDS", 2.0)
    logins = Logins(Deployment.local(shop.state))
    begin_to_rotate(shop, "told to the database")
    execute(shop.cloud.source_uri, "ALTER ROLE totes_shop PASSWORD 'told to the database'")
    with pytest.raises(UserError, match="refuses the login"):
        logins.store("source", {**logins.current("source"), "password": "wrong"})
    assert len(pending(shop)) == 1, "it is the only one that the database knows"
    assert shop.run()["status"] == "SUCCEEDED"
    logins.rotate("source")
    assert pending(shop) == []
    logins.test("source")


def test_a_secret_that_is_read_without_a_stage_is_the_current_one(shop: Deployed) -> None:
    secrets = shop.cloud.client("secretsmanager")
    assert shop.totes("secrets", "rotate", "dashboard").code == 0
    read = secrets.get_secret_value(SecretId=secret_of(shop, "dashboard"))
    assert read["VersionStages"] == ["AWSCURRENT"]


def test_init_makes_the_warehouses_roles_by_the_function_and_the_sources_by_an_administrator(shop: Deployed) -> None:
    assert "totes_warehouse, totes_dashboard" in shop.totes("init", "warehouse").out
    logs = shop.cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/rds/instance/")["logGroups"]
    assert [log["retentionInDays"] for log in logs] == [30], "RDS itself would keep the warehouse's log for ever"
    refused = shop.totes("init", "source").err
    assert 'say --admin "$TOTES_SOURCE"' in refused, refused  # the local cloud holds the administrator's address
    made = shop.totes("init", "source", "--admin", shop.cloud.source_uri)  # its password stays what it is
    assert made.code == 0, made.err
    granted = rows(
        shop.cloud.source_uri,
        "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants WHERE grantee = 'totes_shop'",
    )
    assert granted == [("SELECT",)]


def test_a_login_that_is_not_filled_in_yet_wakes_nobody_and_every_command_says_what_to_do(shop: Deployed) -> None:
    secrets, source = shop.cloud.client("secretsmanager"), secret_of(shop, "source")
    stored = secrets.get_secret_value(SecretId=source)["SecretString"]
    secrets.put_secret_value(SecretId=source, SecretString=json.dumps({**json.loads(stored), "host": PLACEHOLDER}))
    ran, status, verified = shop.totes("run"), shop.totes("status"), shop.totes("verify")
    secrets.put_secret_value(SecretId=source, SecretString=stored)
    assert (ran.code, status.code, verified.code) == (1, 1, 1)
    assert "stepped back" in ran.out
    assert "Capture.NotFilledInYet" in ran.out
    for said in (ran.out, status.out, verified.err):
        assert "totes init" in said, said
        assert "totes secrets set" in " ".join(said.split()), said
    assert "totes-dev-run-failed" not in alarms_on(shop.cloud.client("cloudwatch"), timedelta())
    shop.run()
    assert shop.totes("status").code == 0


def test_a_line_of_a_log_names_its_execution_and_its_batch(shop: Deployed) -> None:
    execute(shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    run = shop.run()
    lines = shop.totes("local", "logs", "processed_bucket_to_warehouse", "--json").out.splitlines()
    loaded = [json.loads(line) for line in lines if '"loaded batch' in line]
    assert loaded[-1]["batch"] == run["batch"]
    assert loaded[-1]["execution"].startswith("arn:aws:states:")
    assert loaded[-1]["service"] == "totes-dev"
    told = shop.totes("local", "logs", "processed_bucket_to_warehouse", "--since", "10").out.splitlines()
    assert any(f"INFO    loaded batch {run['batch']} (" in line for line in told), told
    assert not any("_aws" in line for line in told), "metrics are for machines"
    assert shop.totes("local", "logs", "processed_bucket_to_warehouse", "--since", "0").out == ""


def test_a_login_given_up_for_deletion_is_listed_as_such(shop: Deployed) -> None:
    assert shop.totes("secrets", "delete", "dashboard", "--yes").code == 0
    assert shop.totes("secrets", "list", "--json").json()[2]["deleted"]
    nobody = shop.totes("secrets", "set", "dashboard", answers="a-password\n")
    assert nobody.code != 0
    assert "no host is known: say --host, --dbname and --username" in nobody.err
