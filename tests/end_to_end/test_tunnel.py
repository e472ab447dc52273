"""psql and BI tools get to a warehouse that is closed to the outside, and nothing is left of the way."""

import json
import os
import shlex
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

import local_cloud
from command_line.deployment import Deployment
from local_cloud.network import inside
from simulator import build
from tests.end_to_end.conftest import Deployed
from tests.end_to_end.test_interrupts import at_a_terminal
from tests.support.authorities import Authority
from tests.support.command_line import TOTES, Answer, totes
from tests.support.databases import execute, value
from tests.support.tls_server import tls_server
from totes.logins import login
from totes.star import READABLE
from totes.tls import PEM

HOST = "warehouse.network.internal"

READER = """
import json, psycopg2, sys

def refused(statement):
    try:
        with psycopg2.connect("") as connection, connection.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return True
    return False

with psycopg2.connect("") as connection, connection.cursor() as cursor:
    cursor.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    info = connection.info
    told = {"tls": cursor.fetchone(), "host": info.host, "user": info.user, "sslmode": info.dsn_parameters["sslmode"]}
    told["rows"] = {}
    for name in sys.argv[1:]:
        cursor.execute(f"SELECT count(*) FROM {name}")
        [told["rows"][name]] = cursor.fetchone()
    cursor.execute("SELECT obj_description('dim_design'::regclass), col_description('dim_design'::regclass, 1)")
    told["comments"] = cursor.fetchone()
told["refused"] = [refused(each) for each in (
    "INSERT INTO dim_payment_type VALUES (99, 'none')",
    "UPDATE fact_sales_order SET units_sold = 1",
    "CREATE TABLE public.mine (n int)",
    "CREATE TEMPORARY VIEW mine AS TABLE fact_payment",
    "SELECT * FROM etl.quarantine",
)]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stacks of dev over a warehouse that proves by TLS who it is, loaded, with a row in quarantine.

    To whoever reads it is where RDS's would be: under a name that leads nowhere from outside of the network.
    """
    state = tmp_path_factory.mktemp("cloud") / "tunnel"
    authority = Authority("ours")
    with tls_server() as server:
        server.show(authority.sign(HOST))
        server.postgres.create_database("numbers")
        uri = server.postgres.uri("numbers")
        running = local_cloud.up(state, source=None, warehouse=uri, say=lambda _: None, environment="dev")
        try:
            build(running.source_uri, orders=30, seed=4)
            execute(running.source_uri, "UPDATE sales_order SET agreed_delivery_date = 'TBC' WHERE sales_order_id = 4")
            shop = Deployed(running, state)
            shop.run()
            execute(
                uri,
                "COMMENT ON TABLE dim_design IS 'What is printed'; COMMENT ON COLUMN dim_design.design_id IS 'Its key'",
            )
            deployment = Deployment.local(state)
            secret = deployment.outputs["DashboardSecretArn"]
            told = {**inside(login(deployment.secrets, secret), "warehouse"), "sslmode": "verify-full"}
            deployment.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({**told, PEM: authority.pem}))
            yield shop
        finally:
            local_cloud.down(state)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what stands for AWS's plugin, under that one's name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    install(folder, f'exec {shlex.quote(sys.executable)} -m local_cloud.session_plugin "$@"')
    return folder


def install(folder: Path, does: str) -> None:
    program = folder / "session-manager-plugin"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


def typed(shop: Deployed, programs: Path, *arguments: str | Path) -> Answer:
    """The command as it is typed for an AWS account, of which there are credentials and an address."""
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    credentials = {name: each for name, each in shop.cloud.variables().items() if name in names}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return totes("tunnel", "--env", "dev", *arguments, credentials={**credentials, "PATH": path})


def instances(shop: Deployed) -> list[str]:
    """The state of each tunnel's instance that there is or was."""
    tunnels = [{"Name": "tag:Name", "Values": ["totes-dev-tunnel"]}]
    reservations = shop.cloud.client("ec2").describe_instances(Filters=tunnels)["Reservations"]
    return [each["State"]["Name"] for reservation in reservations for each in reservation["Instances"]]


@pytest.fixture(autouse=True)
def _nothing_is_left(shop: Deployed) -> Iterator[None]:
    yield
    assert set(instances(shop)) <= {"terminated"}


def test_a_reader_sees_the_whole_star_verified_in_full_and_changes_nothing(shop: Deployed, programs: Path) -> None:
    answer = typed(shop, programs, "--", sys.executable, "-c", READER, *READABLE, "etl.batch", "etl.batch_table")
    assert answer.code == 0, answer.err
    told = answer.json()
    assert told["tls"] == [True, "TLSv1.3"]
    assert (told["host"], told["sslmode"], told["user"]) == (HOST, "verify-full", "totes_dashboard")
    for name in READABLE:
        assert told["rows"][name] == value(shop.cloud.warehouse_uri, f"SELECT count(*) FROM {name}"), name
    assert told["rows"]["current_sales_order"] == 29
    assert told["comments"] == ["What is printed", "Its key"]
    assert told["refused"] == [True] * 5
    assert instances(shop), "it went through an instance"


def test_the_warehouse_is_refused_where_its_group_does_not_let_the_tunnels_in(shop: Deployed, programs: Path) -> None:
    ec2 = shop.cloud.client("ec2")
    groups = {group["Description"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
    of_tunnel = groups["totes dev: The tunnel"]["GroupId"]
    warehouse = groups["totes dev: The warehouse"]
    lets_in = [
        rule
        for rule in warehouse["IpPermissions"]
        if any(pair["GroupId"] == of_tunnel for pair in rule["UserIdGroupPairs"])
    ]
    only = [{**rule, "UserIdGroupPairs": [{"GroupId": of_tunnel}]} for rule in lets_in]
    ec2.revoke_security_group_ingress(GroupId=warehouse["GroupId"], IpPermissions=only)
    try:
        refused = typed(shop, programs, "--", "true")
    finally:
        ec2.authorize_security_group_ingress(GroupId=warehouse["GroupId"], IpPermissions=only)
    assert refused.code == 1
    assert "its security group lets the tunnel's in" in refused.err
    assert typed(shop, programs, "--", "true").code == 0


def test_another_who_answers_at_the_other_end_learns_nothing(shop: Deployed, programs: Path) -> None:
    deployment = Deployment.local(shop.state)
    secret = deployment.outputs["DashboardSecretArn"]
    right = deployment.secrets.get_secret_value(SecretId=secret)["SecretString"]
    wrong = {**json.loads(right), PEM: Authority("theirs").pem}
    deployment.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(wrong))
    try:
        refused = typed(shop, programs, "--", "true")
    finally:
        deployment.secrets.put_secret_value(SecretId=secret, SecretString=right)
    assert refused.code == 1
    assert "does not prove that it is the warehouse" in refused.err


def test_two_are_open_at_once_and_the_commands_code_is_the_tunnels(shop: Deployed, programs: Path) -> None:
    before = len(instances(shop))
    answer = typed(shop, programs, "--", TOTES, "tunnel", "--env", "dev", "--", "sh", "-c", "exit 7")
    assert answer.code == 7, answer.err
    assert len(instances(shop)) == before + 2


def test_ctrl_c_closes_it_and_what_it_prints_holds_no_password(shop: Deployed) -> None:
    terminal = at_a_terminal("tunnel", "--state", shop.state)
    terminal.wait_for("psql '")
    terminal.wait_for("pgpass'")
    [line] = [line.strip() for line in terminal.seen.splitlines() if line.startswith("psql '")]
    deployment = Deployment.local(shop.state)
    password = login(deployment.secrets, deployment.outputs["DashboardSecretArn"])["password"]
    assert password not in terminal.seen
    [_, conninfo] = shlex.split(line)
    file = Path(conninfo.rpartition("passfile=")[2])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    psycopg2.connect(conninfo).close()
    assert not any(password in " ".join(words) for words in arguments_of_all())
    assert instances(shop)[-1] == "running"
    assert terminal.press_ctrl_c() == 0
    assert not file.parent.exists()
    with pytest.raises(psycopg2.OperationalError, match="Connection refused"):
        psycopg2.connect(conninfo.rpartition(" passfile=")[0]).close()


def arguments_of_all() -> list[list[str]]:
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in shown.splitlines()]


def test_a_plugin_that_is_missing_or_too_old_is_a_sentence_and_starts_nothing(
    shop: Deployed, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(instances(shop))
    install(programs, "echo 1.2.497.0")
    old = typed(shop, programs, "--", "true")
    assert old.code == 1
    assert "is of version 1.2.497.0, and one newer than 1.2.497.0 is needed" in old.err
    (programs / "session-manager-plugin").unlink()
    monkeypatch.setenv("PATH", str(programs))
    missing = typed(shop, programs, "--", sys.executable)
    assert missing.code == 1
    assert "says how to install it" in missing.err
    assert len(instances(shop)) == before


def test_a_port_that_is_in_use_is_a_sentence_and_starts_nothing(shop: Deployed, programs: Path) -> None:
    before = len(instances(shop))
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        answer = typed(shop, programs, "--port", str(port), "--", "true")
    assert answer.code == 1
    assert f"port {port} of this machine cannot be used" in answer.err
    assert len(instances(shop)) == before


def test_a_command_that_there_is_not_is_a_sentence(shop: Deployed, programs: Path) -> None:
    answer = typed(shop, programs, "--", "no-such-program")
    assert answer.code == 1
    assert "there is no program 'no-such-program'" in answer.err
