"""One act in a process of its own, measured from inside: `measuring.py` starts it, and says on its input what to do.

It imports little, for an act's memory is all that its process has ever had. What an act imports is there before its
clock starts: a function on AWS has it from its invocations before.
"""

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

from tests.benchmark.suite.where import Where


def main() -> None:
    """Do what the input says and write what it took to the file that it names."""
    job = json.load(sys.stdin)
    module, _, name = job["act"].rpartition(".")
    act = getattr(import_module(f"tests.benchmark.suite.acts.{module}"), name)
    where = Where(**job["where"])
    cpu, started = cpu_seconds(), time.monotonic()
    peak = act(where)
    seconds = time.monotonic() - started
    took = {"seconds": seconds, "cpu": cpu_seconds() - cpu, "peak": peak_of("self") if peak is None else peak}
    Path(job["answer"]).write_text(json.dumps(took), encoding="utf-8")


def cpu_seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_of(process: int | str) -> int:
    """Bytes that a process has had in memory at most since it began its program; 0 where it is gone.

    `getrusage` would count what its parent had when it started it.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


if __name__ == "__main__":
    main()
