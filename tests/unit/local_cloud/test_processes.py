"""Only what a cloud has started is ended by it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_cloud.processes import ProcessRegister, memory_of

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


GRANDCHILD = "kept = bytearray(10**8); print(flush=True); input()"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"
IN_A_THREAD = f"import subprocess, sys, threading; work = [sys.executable, '-c', {CHILD!r}]; "
GRANDPARENT = [sys.executable, "-c", IN_A_THREAD + "threading.Thread(target=subprocess.run, args=(work,)).start()"]


def test_a_process_holds_what_its_children_and_theirs_hold_whichever_thread_has_started_them(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    processes.append(subprocess.Popen(GRANDPARENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    [started] = processes
    assert started.stdout is not None
    started.stdout.readline()
    process = psutil.Process(started.pid)
    assert process.memory_info().rss < 10**8 < memory_of(process)
    started.communicate(b"\n")


def test_a_process_that_has_ended_holds_nothing(processes: list[subprocess.Popen[bytes]]) -> None:
    processes.append(subprocess.Popen(SLEEP))
    process = psutil.Process(processes[0].pid)
    processes[0].kill()
    processes[0].wait()
    assert memory_of(process) == 0
