"""Ctrl-C ends whatever waits: a prompt, a shop that lives on, a cloud in the foreground."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_cloud import LocalCloud
from local_cloud.folder import StateFolder
from tests.support.command_line import TOTES, totes
from tests.support.databases import session
from tests.support.waiting import until


@dataclass
class Terminal:
    """A command at a terminal."""

    process: subprocess.Popen[bytes]
    screen: int
    seen: str = field(default="")

    def wait_for(self, words: str, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self.seen += os.read(self.screen, 4096).decode()

    def press_ctrl_c(self) -> int:
        time.sleep(0.5)
        os.write(self.screen, b"\x03")
        return self.process.wait(60)


def at_a_terminal(*arguments: str | Path) -> Terminal:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [TOTES, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_the_terminal,  # noqa: PLW1509 - no other thread is at work in these tests
    )
    os.close(theirs)
    return Terminal(process, ours)


def _take_the_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may have ignored it
    os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first terminal that a session opens is the one that rules it


@pytest.fixture(scope="module")
def state(folder: Path) -> Path:
    return folder / "state"


@pytest.fixture(scope="module")
def foreground(state: Path) -> Iterator[Terminal]:
    terminal = at_a_terminal("local", "up", "--state", state)
    try:
        terminal.wait_for("local down")
        yield terminal
    finally:
        if terminal.process.poll() is None:
            terminal.process.terminate()
            terminal.process.wait(60)


@pytest.mark.usefixtures("foreground")
def test_a_prompt(state: Path) -> None:
    terminal = at_a_terminal("secrets", "set", "source", "--host", "h", "--dbname", "d", "--state", state)
    terminal.wait_for("user")
    assert terminal.press_ctrl_c() != 0


@pytest.mark.usefixtures("foreground")
def test_a_shop_that_lives_on_is_closed_and_says_what_it_made(state: Path) -> None:
    terminal = at_a_terminal("simulate", "--orders", "3", "--state", state)
    terminal.wait_for("(Ctrl-C ends it)")
    assert terminal.press_ctrl_c() == 0
    terminal.wait_for("the shop made")


@pytest.mark.usefixtures("foreground")
def test_a_run_that_is_no_longer_followed_goes_on(state: Path) -> None:
    cloud = LocalCloud.attach(state)
    with session(cloud.source_uri) as shop, shop.cursor() as cursor:
        cursor.execute("LOCK TABLE payment")  # so that the run has not ended by then
        terminal = at_a_terminal("run", "--state", state)
        terminal.wait_for("Capture")
        assert terminal.press_ctrl_c() == 1
        terminal.wait_for("the run goes on")
        runs = cloud.client("stepfunctions")
        [machine] = runs.list_state_machines()["stateMachines"]
        until(lambda: bool(listed(runs, machine, "RUNNING")))  # a list may lag behind
    [run] = listed(runs, machine, "RUNNING")
    until(lambda: run not in listed(runs, machine, "RUNNING"))
    assert run in listed(runs, machine, "SUCCEEDED")


def listed(runs: Any, machine: dict[str, Any], status: str) -> list[str]:
    found = runs.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter=status)["executions"]
    return [each["executionArn"] for each in found]


@pytest.mark.usefixtures("foreground")
def test_a_status_that_is_watched(state: Path) -> None:
    terminal = at_a_terminal("status", "--watch", "--state", state)
    terminal.wait_for("fact_sales_order")
    assert terminal.press_ctrl_c() == 0


def test_a_cloud_in_the_foreground(foreground: Terminal, state: Path) -> None:
    assert foreground.press_ctrl_c() == 0
    foreground.wait_for("the local cloud has stopped; its databases, its lake and its secrets are kept")
    assert not StateFolder(state).is_running
    assert totes("local", "down", "--state", state).code == 0
    assert not state.exists()
