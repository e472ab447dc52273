"""Only what a cloud has started is ended by it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workbench.cloud.processes import ProcessRegister

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, time; subprocess.Popen(['sleep', '600']); print(flush=True); time.sleep(600)",
]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", [SLEEP, STUBBORN])
def test_a_noted_process_is_ended(command: list[str], processes: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    processes.append(subprocess.Popen(command))
    ProcessRegister(tmp_path).add(processes[0].pid)
    ProcessRegister(tmp_path).end_all(patience=0.5)
    assert processes[0].wait(timeout=10) != 0
    assert not list(tmp_path.iterdir())


def test_its_children_end_with_it(processes: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    processes.append(subprocess.Popen(PARENT, stdout=subprocess.PIPE))
    assert processes[0].stdout is not None
    processes[0].stdout.readline()
    [child] = psutil.Process(processes[0].pid).children()
    register = ProcessRegister(tmp_path)
    register.add(processes[0].pid)
    register.end_all()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_got_the_number_of_a_noted_one_is_left_alone(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    processes.append(subprocess.Popen(SLEEP))
    register = ProcessRegister(tmp_path)
    register.add(processes[0].pid)
    (tmp_path / str(processes[0].pid)).write_text("12345.0")
    register.end_all()
    assert processes[0].poll() is None


def test_a_process_that_has_ended_needs_no_note(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    register = ProcessRegister(tmp_path / "notes")
    register.add(done.pid)
    register.end_all()
    assert not (tmp_path / "notes").exists()


def test_a_clock_that_is_put_right_hides_no_process(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.append(subprocess.Popen(SLEEP))
    register = ProcessRegister(tmp_path / "register")
    register.add(processes[0].pid)
    began = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + 7)
    register.end_all()
    assert processes[0].wait(timeout=10) != 0
