"""A subject's act, run in a process of its own, and what it took."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import psutil

from local_cloud.postgres import EmbeddedPostgres
from tests.benchmark.suite.results import Sample
from tests.benchmark.suite.where import Where

ROOT = Path(__file__).parents[3]
BASELINES = ROOT / "build" / "baselines" / "bin" / "python"
"""The Python that has pandas and dlt; `make bench` installs it."""


class ActFailedError(Exception):
    """An act ended without a result; the sentence has the last that it said."""


class Measuring(Protocol):
    """What runs an act and says what it took, as `measure` does."""

    def __call__(self, act: str, where: Where, server: EmbeddedPostgres, *, in_baselines: bool = False) -> Sample:
        """Run it."""


def measure(act: str, where: Where, server: EmbeddedPostgres, *, in_baselines: bool = False) -> Sample:
    """Run an act and return what it took.

    Raises:
        ActFailedError: it ended without a result.
    """
    with tempfile.TemporaryDirectory(prefix="totes-bench-") as folder:
        answer = Path(folder) / "answer.json"
        job = json.dumps({"act": act, "where": asdict(where), "answer": str(answer)})
        used = _server_cpu(server)
        done = subprocess.run(
            [BASELINES if in_baselines else sys.executable, "-m", "tests.benchmark.suite.worker"],
            input=job,
            cwd=ROOT,
            env={**os.environ, "HOME": folder},  # dlt keeps who it is in the home folder
            text=True,
            capture_output=True,
            check=False,
        )
        used = _server_cpu(server) - used
        if done.returncode or not answer.exists():
            last = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ActFailedError(f"{act} failed: {last[-1]}")
        return Sample(**json.loads(answer.read_text(encoding="utf-8")), server_cpu=used)


def _server_cpu(server: EmbeddedPostgres) -> float:
    """Seconds of the processor that a server has used up to now: those of its processes, and of those that are gone.

    Where one goes while they are looked at, they are looked at again.
    """
    postmaster = server._postmaster()
    if postmaster is None:
        raise RuntimeError("the server is not running")
    while True:
        before = postmaster.cpu_times()
        alive = 0.0
        for process in postmaster.children():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            alive += times.user + times.system
        after = postmaster.cpu_times()
        gone = after.children_user + after.children_system
        if gone == before.children_user + before.children_system:
            return alive + gone + after.user + after.system
