"""Athena's lists never stand in the way of the warehouse: a run says that they are not written, and goes on."""

import json
import subprocess
import sys
from typing import Any

# In a process of their own: what handlers have in common takes over the library's log.
SAID = """
import json, sys
from tests.support.memory_store import MemoryStore
from totes_runtime.athena import list_parts

bucket = MemoryStore().bucket("processed")
bucket.put_new("athena/listed.json", sys.argv[1].encode())
print(json.dumps({"answered": list_parts(bucket, lambda: False)}))
"""


def said(listed: str) -> list[dict[str, Any]]:
    """The lines of the log, and the answer, beside what is said of how far the lists are."""
    done = subprocess.run([sys.executable, "-c", SAID, listed], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lists_that_cannot_be_written_are_an_error_in_the_log_and_none_of_the_run() -> None:
    [logged, answer] = said('{"edition": 1, "format": 2}')
    assert logged["level"] == "ERROR"
    assert "the lists that Athena reads could not be written" in logged["message"]
    assert "written by a newer totes" in logged["exception"]
    assert answer == {"answered": False}


def test_a_run_says_that_they_are_written() -> None:
    assert said('{"edition": 1, "batch": 7, "bucket": "processed"}') == [{"answered": True}]
