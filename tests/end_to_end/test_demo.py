"""The demo shows the whole path and leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from local_cloud.folder import StateFolder
from tests.support.command_line import TOTES
from tests.support.waiting import until


def family_of(process: psutil.Process, folder: Path) -> list[psutil.Process]:
    """All processes that a demo in this folder started, also those in sessions of their own."""
    found = []
    for other in psutil.process_iter():
        try:
            if other != process and str(folder) in " ".join([*other.cmdline(), other.cwd()]):
                found.append(other)
        except psutil.Error:
            continue
    return found


def test_once_makes_three_ticks_and_ends(folder: Path) -> None:
    temporary = folder / "temporary"
    temporary.mkdir()
    left = folder / ".totes" / "demo-killed"
    os.close(StateFolder(left / "state").claim())
    (left / "lock").touch()
    demo = subprocess.run(
        [TOTES, "demo", "--once", "--orders", "150"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for word in ("Initial load", "batch 1 is in the warehouse", "batch 2 is in", "nothing changed", "fact_sales_order"):
        assert word in demo.stdout
    assert "Removed .totes/demo-killed, which a demo that was killed had left" in " ".join(demo.stdout.split())
    assert not any((folder / ".totes").iterdir())
    assert not any(temporary.iterdir())
    assert not family_of(psutil.Process(), folder)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_goes_on_until_it_is_ended_and_leaves_no_process(end: signal.Signals, folder: Path) -> None:
    with (folder / f"{end.name}.txt").open("w+") as screen:
        demo = subprocess.Popen([TOTES, "demo", "--orders", "150"], cwd=folder, stdout=screen, stderr=screen)
        shown = Path(screen.name)
        until(lambda: "The shop lives on" in shown.read_text(), shown.read_text, seconds=120, pause=0.2)
        time.sleep(3)
        assert family_of(psutil.Process(demo.pid), folder)
        os.kill(demo.pid, end)
        if end is signal.SIGINT:
            os.kill(demo.pid, end)  # the impatient press it twice
        demo.wait(60)
    assert "Traceback" not in shown.read_text()
    until(lambda: not family_of(psutil.Process(), folder), lambda: family_of(psutil.Process(), folder), pause=0.2)
    if end is not signal.SIGKILL:
        assert demo.returncode == 0, shown.read_text()
        assert "the local cloud is down" in shown.read_text()
