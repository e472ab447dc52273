"""Whatever a handler comes to, Lambda's runtime is told what it was: it answers an Exception, and nothing else."""

import json
import subprocess
import sys

import pytest

# In a process of their own: what handlers have in common takes over the library's log.
HANDLER = """
import json, sys
from types import SimpleNamespace

import polars as pl
from totes_runtime.handlers import watched

@watched
def handler(event, context):
    match event["how"]:
        case "panic":
            raise pl.exceptions.PanicException("a buffer was too short")
        case "error":
            raise ValueError("no such batch")
        case "exit":
            sys.exit(3)

names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
try:
    handler({"how": sys.argv[1], "execution": "arn:of:the:run"}, SimpleNamespace(**{name: "1" for name in names}))
except Exception as error:
    print(json.dumps({"answered": type(error).__name__, "message": str(error)}))
"""


def _invoked(how: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", HANDLER, how], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("how", "answered", "message"),
    [
        ("panic", "RuntimeError", "PanicException: a buffer was too short"),
        ("error", "ValueError", "no such batch"),
    ],
)
def test_what_a_handler_raises_is_logged_with_its_run_and_answered(how: str, answered: str, message: str) -> None:
    ended = _invoked(how)
    *logged, last = ended.stdout.splitlines()
    assert json.loads(last) == {"answered": answered, "message": message}
    [failed] = [entry for entry in map(json.loads, logged) if entry.get("message") == "failed"]
    assert failed["execution"] == "arn:of:the:run"
    assert message.rpartition(": ")[2] in failed["exception"]


def test_who_ends_the_process_ends_it() -> None:
    assert _invoked("exit").returncode == 3
