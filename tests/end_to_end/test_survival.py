"""A local cloud goes on where it was when the machine is started again."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from command_line.deployment import Deployment
from local_cloud import LocalCloud
from local_cloud.folder import StateFolder
from local_cloud.postgres import EmbeddedPostgres
from local_cloud.processes import lives, still_alive
from tests.end_to_end.conftest import Deployed
from tests.support.command_line import totes
from tests.support.databases import execute, rows
from tests.support.waiting import until


def processes_of(state: Path) -> list[psutil.Process]:
    """The daemon, the functions and PostgreSQL with all its processes."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(state) in " ".join([*process.cmdline(), process.cwd()]):
                found.append(process)
    return found


def cut_the_power(state: Path) -> None:
    """End everything at once, as a machine does that goes out; nothing is asked and nothing is closed."""
    while alive := [process for process in processes_of(state) if lives(process)]:
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        still_alive(alive, 10)
    until(lambda: not StateFolder(state).is_running)  # whoever is about to end has a file still, and no command line


def up(state: Path, *options: str) -> Deployed:
    answer = totes("local", "up", "--detach", "--state", state, *options)
    assert answer.code == 0, answer.err + answer.out
    return Deployed(LocalCloud.attach(state), state)


def lake_of(cloud: LocalCloud) -> dict[str, dict[str, Any]]:
    """Each object of the lake, by bucket and key: its content and its moment."""
    client, deployment = cloud.client("s3"), Deployment.local(cloud.state)
    found: dict[str, dict[str, Any]] = {}
    for output in ("IngestionBucket", "ProcessedBucket"):
        bucket = deployment.outputs[output]
        listed = client.list_objects_v2(Bucket=bucket)
        assert not listed["IsTruncated"]
        found[output] = {
            each["Key"]: (client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read(), each["LastModified"])
            for each in listed.get("Contents", [])
        }
    return found


def password_of(running: Deployed, role: str) -> Any:
    secret = Deployment.local(running.state).outputs[f"{role.capitalize()}SecretArn"]
    stored = running.cloud.client("secretsmanager").get_secret_value(SecretId=secret)
    return json.loads(stored["SecretString"])["password"]


@pytest.fixture(scope="module")
def state(folder: Path) -> Iterator[Path]:
    state = folder / "state"
    yield state
    if state.exists():
        totes("local", "down", "--state", state)


def test_a_cloud_whose_machine_went_out_goes_on_where_it_was(state: Path) -> None:
    before = up(state)
    assert before.totes("simulate", "--orders", "30", "--for", "0").code == 0
    assert before.run()["batch"] == 1
    execute(before.cloud.source_uri, "UPDATE staff SET first_name = 'Anna' WHERE staff_id = 1")
    assert before.run()["batch"] == 2
    assert before.totes("secrets", "rotate", "source").code == 0
    lake, password = lake_of(before.cloud), password_of(before, "source")
    in_the_warehouse = rows(before.cloud.warehouse_uri, "SELECT * FROM fact_sales_order ORDER BY 1")
    cut_the_power(state)
    assert f"totes local up --state {state} continues it" in totes("status", "--state", state).err

    after = up(state)
    assert lake_of(after.cloud) == lake
    assert password_of(after, "source") == password
    assert rows(after.cloud.warehouse_uri, "SELECT * FROM fact_sales_order ORDER BY 1") == in_the_warehouse
    assert after.totes("status", "--json").json()["fresh_as_of"] is not None, "the ledger says it, where no run does"
    first = after.run()
    assert not any(table["rows_in"] for table in first["tables"].values()), "nothing has changed meanwhile"
    assert after.run()["batch"] is None
    execute(after.cloud.source_uri, "UPDATE staff SET first_name = 'Berta' WHERE staff_id = 1")
    assert after.run()["batch"] == (first["batch"] or 2) + 1
    assert after.run()["batch"] is None
    assert rows(after.cloud.warehouse_uri, "SELECT first_name FROM dim_staff WHERE staff_id = 1") == [("Berta",)]
    assert after.totes("verify").code == 0
    for role in ("source", "warehouse"):
        assert after.totes("secrets", "test", role).code == 0
    assert after.totes("secrets", "rotate", "source").code == 0
    assert after.run()["batch"] is None


def test_what_it_was_not_made_for_is_refused_and_nothing_is_touched(state: Path) -> None:
    running = up_again(state)
    assert running.totes("local", "down", "--keep").code == 0
    other = f"has the stacks of local, not those of dev; totes local down --state {state} removes"
    assert_refused(state, other, "--env", "dev")


def test_a_login_leads_to_its_database_wherever_that_listens_now(state: Path) -> None:
    port = int(up_again(state).cloud.source_uri.rpartition(":")[2].partition("/")[0])
    assert totes("local", "down", "--keep", "--state", state).code == 0
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        moved = up(state)
    assert f":{port}/" not in moved.cloud.source_uri
    moved.run()
    assert moved.run()["batch"] is None
    for role in ("source", "warehouse"):
        assert moved.totes("secrets", "test", role).code == 0


def test_down_removes_all_that_was_kept(state: Path) -> None:
    up_again(state)
    assert totes("local", "down", "--state", state).code == 0
    assert not state.exists()
    assert not processes_of(state)


def test_databases_of_a_persons_own_are_those_of_before(databases: EmbeddedPostgres, folder: Path) -> None:
    state = folder / "named"
    for name in ("numbers", "others"):
        databases.create_database(name)
    execute(databases.uri("numbers"), "CREATE ROLE clerk LOGIN PASSWORD 'one'; ALTER DATABASE numbers OWNER TO clerk")
    place = f"{databases.port}/numbers"
    try:
        running = up(state, "--warehouse", f"postgresql://clerk:one@127.0.0.1:{place}")
        assert running.totes("simulate", "--orders", "3", "--for", "0").code == 0
        running.run()
        assert running.totes("local", "down", "--keep").code == 0
        assert_refused(state, "has another database for its warehouse", "--warehouse", databases.uri("others"))
        assert_refused(state, "has a database of its own for its source", "--source", databases.uri("others"))
        execute(databases.uri("numbers"), "ALTER ROLE clerk PASSWORD 'two'")
        again = up(state, "--warehouse", f"postgresql://clerk:two@localhost:{place}")
        again.run()
        assert again.totes("secrets", "test", "warehouse").code == 0
        assert again.run()["batch"] is None
    finally:
        totes("local", "down", "--state", state)
    assert rows(databases.uri("numbers"), "SELECT count(*) FROM current_sales_order") == [(3,)]


def assert_refused(state: Path, words: str, *options: str) -> None:
    answer = totes("local", "up", "--detach", "--state", state, *options)
    assert answer.code == 1
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1


def up_again(state: Path) -> Deployed:
    """The cloud of the folder, which may run already."""
    return Deployed(LocalCloud.attach(state), state) if StateFolder(state).is_running else up(state)
