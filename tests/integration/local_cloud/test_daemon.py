"""However a cloud ends, it leaves no process behind."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_cloud import LocalCloud
from local_cloud.folder import DATABASES, ENDPOINT, StateFolder
from local_cloud.launch import Daemon
from local_cloud.processes import still_alive
from tests.support.daemons import forks
from tests.support.databases import value
from tests.support.waiting import until
from totes.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    yield folder
    if folder.exists:
        folder.remove()


def started(folder: StateFolder) -> Daemon:
    lock = folder.claim()
    daemon = Daemon(folder, lock, ["source", "warehouse"])
    os.close(lock)
    daemon.await_document(ENDPOINT)
    daemon.await_document(DATABASES)
    return daemon


def processes_of(folder: StateFolder) -> list[psutil.Process]:
    """Those that live and name the folder: the daemon, PostgreSQL, the functions."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(folder.path) in word for word in words):
            found.append(process)
    return found


def test_a_daemon_that_is_asked_to_end_takes_everything_with_it(folder: StateFolder) -> None:
    daemon = started(folder)
    databases = daemon.await_document(DATABASES)
    assert value(databases["source"], "SELECT current_database()") == "totesys"
    assert value(databases["warehouse"], "SELECT current_database()") == "warehouse"
    assert len(processes_of(folder)) >= 2
    os.kill(daemon.pid, signal.SIGTERM)
    # Who is about to end has the lock still, and no command line.
    until(lambda: not processes_of(folder) and not folder.is_running, lambda: processes_of(folder), pause=0.05)


@pytest.mark.parametrize("successor", ["up", "down"])
def test_what_a_killed_daemon_leaves_is_ended_by_whoever_comes_next(folder: StateFolder, successor: str) -> None:
    with forks():
        daemon = started(folder)
    os.kill(daemon.pid, signal.SIGKILL)
    until(lambda: not folder.is_running)
    assert processes_of(folder), "PostgreSQL goes on without the daemon"
    if successor == "up":
        os.close(folder.claim())
    else:
        folder.remove()
    assert not processes_of(folder)


def test_a_worker_at_rest_does_not_outlive_a_killed_daemon(folder: StateFolder) -> None:
    with forks():
        daemon = started(folder)
    cloud = LocalCloud(
        state=folder.path,
        endpoint=daemon.await_document(ENDPOINT)["endpoint"],
        source_uri="unused",
        warehouse_uri="unused",
        environment="local",
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "import os\ndef handler(event, context): return os.getpid()")
    role = cloud.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="resting",
        Runtime="python3.13",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": content.getvalue()},
    )
    worker = psutil.Process(json.load(functions.invoke(FunctionName="resting")["Payload"]))
    os.kill(daemon.pid, signal.SIGKILL)
    assert not still_alive([worker], 30)


def test_a_running_daemon_keeps_others_out_of_its_folder(folder: StateFolder) -> None:
    started(folder)
    with pytest.raises(UserError, match="already up"):
        folder.claim()
    folder.remove()
    assert not folder.path.exists()
    assert not processes_of(folder)


def test_a_daemon_that_does_not_come_up_says_where_to_look(folder: StateFolder) -> None:
    lock = folder.claim()
    folder.postgres.touch()  # a file where PostgreSQL wants its folder
    with forks():
        daemon = Daemon(folder, lock, ["source"])
    os.close(lock)
    with pytest.raises(UserError, match="File exists"):
        daemon.await_document(DATABASES)
    os.kill(daemon.pid, signal.SIGKILL)
    with pytest.raises(UserError, match=r"did not start; what went wrong is in .*daemon\.log"):
        daemon.await_document("never said")


def test_the_endpoint_is_not_open_to_other_machines(folder: StateFolder) -> None:
    port = int(started(folder).await_document(ENDPOINT)["endpoint"].rpartition(":")[2])
    [listening] = [
        connection
        for process in processes_of(folder)
        if process.uids().real == os.geteuid()  # PostgreSQL's, where root runs it, may not be looked at in a container
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    ]
    assert listening.laddr.ip == "127.0.0.1"
    assert listening.family == socket.AF_INET


_STARTER = """
import os, sys
from pathlib import Path
from local_cloud.folder import ENDPOINT, StateFolder
from local_cloud.launch import Daemon

folder = StateFolder(Path(sys.argv[1]))
daemon = Daemon(folder, folder.claim(), [])
daemon.await_document(ENDPOINT)
if sys.argv[2] == "released":
    daemon.release()
"""


@pytest.mark.parametrize("end", ["released", "cut short"])
def test_a_daemon_outlives_who_started_it_only_once_it_is_released(folder: StateFolder, end: str) -> None:
    subprocess.run([sys.executable, "-c", _STARTER, str(folder.path), end], check=True, timeout=60)
    if end == "released":
        time.sleep(2)
        assert folder.is_running
    else:
        until(lambda: not folder.is_running)
