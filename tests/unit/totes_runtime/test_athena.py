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

UNAVAILABLE = """
import json, sys
from totes.errors import LakeUnavailable
from totes_runtime import athena

left = int(sys.argv[1])

def write_lists(*_, **__):
    global left
    left -= 1
    if left >= 0:
        raise LakeUnavailable("it does not answer")

athena.write_lists, athena._PAUSES = write_lists, (0, 0)
print(json.dumps({"answered": athena.list_parts(None, lambda: False)}))
"""


def said(value: str, script: str = SAID) -> list[dict[str, Any]]:
    """The lines of the log, and the answer, beside what is said of how far the lists are."""
    done = subprocess.run([sys.executable, "-c", script, value], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lists_that_cannot_be_written_are_an_error_in_the_log_and_none_of_the_run() -> None:
    [logged, answer] = said('{"edition": 1, "format": 2}')
    assert logged["level"] == "ERROR"
    assert "the lists that Athena reads could not be written" in logged["message"]
    assert "written by a newer totes" in logged["exception"]
    assert answer == {"answered": False}


def test_a_run_says_that_they_are_written() -> None:
    assert said('{"edition": 1, "batch": 7, "bucket": "processed"}') == [{"answered": True}]


def test_a_store_that_does_not_answer_is_asked_again_a_few_times() -> None:
    *logged, answer = said("2", UNAVAILABLE)
    assert ([line["level"] for line in logged], answer) == (["WARNING"] * 2, {"answered": True})
    *logged, answer = said("3", UNAVAILABLE)
    assert ([line["level"] for line in logged], answer) == (["WARNING", "WARNING", "ERROR"], {"answered": False})
