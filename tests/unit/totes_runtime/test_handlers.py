"""Whatever a handler comes to, Lambda's runtime is told what it was: it answers an Exception, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


FETCH = """
import json
from types import SimpleNamespace

from lambdas.fetch_exchange_rates import handler as module
from totes.rates import Fetched

names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
clock = SimpleNamespace(left=900_000)
context = SimpleNamespace(**{name: "1" for name in names}, get_remaining_time_in_millis=lambda: clock.left)

def fetch_rates(*_, time_is_up, **__):
    stops = []
    for clock.left in (900_000, 121_000, 119_000):
        stops.append(time_is_up())
    return Fetched(days=0, newest=None, failed=json.dumps(stops))

module.fetch_rates = fetch_rates
print(module.handler({}, context)["failed"])
"""


def test_days_of_rates_are_fetched_for_as_long_as_there_is_time() -> None:
    """The next call is hours away: until then today's amounts would be converted by the rate of a day long ago."""
    names = ("INGESTION_BUCKET", "PROCESSED_BUCKET", "RATE_SITES", "POWERTOOLS_SERVICE_NAME")
    settings = {**dict.fromkeys(names, "one"), "REPORTING_CURRENCY": "GBP", "RATES_SINCE": "2024-03-02"}
    ended = subprocess.run(
        [sys.executable, "-c", FETCH],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, **settings},
    )
    assert ended.stdout.splitlines()[-1] == "[false, false, true]"
