"""Whatever a handler comes to, Lambda's runtime is told what it was: it answers an Exception, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


CALLED = """
import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import Mock

names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
context = SimpleNamespace(**{name: "1" for name in names}, get_remaining_time_in_millis=lambda: 900_000)

"""
"""What stands around a handler while it is asked what it makes of what the library has answered."""


def _answered(script: str) -> tuple[Any, list[dict[str, Any]]]:
    """What a script says at its end, and the metrics that were emitted before."""
    ended = subprocess.run(
        [sys.executable, "-c", CALLED + script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "POWERTOOLS_SERVICE_NAME": "one"},
    )
    *logged, last = map(json.loads, ended.stdout.splitlines())
    return last, [entry for entry in logged if "_aws" in entry]


LOAD = """
from lambdas.processed_bucket_to_warehouse import handler as module
from totes.outcomes import Span
from totes.warehouse.loading import Loaded

loaded = Loaded(batches=Span(first=3, last=3, count=1), newest=3, tables={}, quarantined=0)
module.load, module.connected = Mock(return_value=loaded), lambda *_, **__: nullcontext()
for name in ("LoadSettings", "Bucket", "Journal", "load_rates", "report_rates", "report_rows"):
    setattr(module, name, Mock())
seen = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
print(json.dumps([module.handler({"seen": seen, "captured": newest}, context)["waiting"] for newest in (5, 3)]))
"""


def test_a_load_that_is_behind_measures_no_lag() -> None:
    """The source was looked at, but what was found there is not in the warehouse: the alarm has to go off."""
    waiting, metrics = _answered(LOAD)
    assert waiting == [True, False]
    [[lag]] = [entry["LagSeconds"] for entry in metrics]
    assert 3600 <= lag < 4200


AUDIT = """
from lambdas.audit_lake import handler as module
from totes.lake.audit import Audited

module.AuditSettings = module.Bucket = Mock()
for batches, findings in ((1, ()), (1, ("a part is missing",)), (2, ())):
    module.audit = Mock(return_value=Audited(batches=batches, of=2, objects=0, sampled=0, findings=findings))
    module.handler({}, context)
print("null")
"""


def test_an_audit_that_ran_out_of_time_counts_what_it_has_found_and_does_not_say_that_all_is_well() -> None:
    _, metrics = _answered(AUDIT)
    assert [entry["LakeFindings"] for entry in metrics] == [[1], [0]], "none of the night that saw a part and no fault"


PUBLISH = """
from lambdas.publish_snapshot import handler as module

module.PublishSettings = module.Folder = module.put_page = Mock()
module.connected, module.publish = lambda *_, **__: nullcontext(), Mock(return_value=None)
for waiting in ([False, False], [True, False], [False, True]):
    module.handler({"seen": "2026-01-01T00:00:00+00:00", "waiting": waiting}, context)
print(json.dumps([call.kwargs["checked_at"] is not None for call in module.publish.call_args_list]))
"""


def test_what_waits_for_any_step_keeps_the_page_from_saying_that_all_was_checked() -> None:
    checked, _ = _answered(PUBLISH)
    assert checked == [True, False, False]


CAPTURE = """
from lambdas.raw_data_to_ingestion_bucket import handler as module

def capture(*_, **__):
    began.append(datetime.now(UTC))
    return Mock(drift=())

began = []
module.CaptureSettings, module.Bucket, module.capture_answer = Mock(), Mock(), Mock(return_value={})
module.connected, module.capture = lambda *_, **__: nullcontext(), capture
seen = datetime.fromisoformat(module.handler({}, context)["seen"])
print(json.dumps(seen <= began[0]))
"""


def test_the_source_was_seen_when_the_capture_began() -> None:
    """What is committed there while it is read may not be in the batch, and nobody is told that it is."""
    was_before, _ = _answered(CAPTURE)
    assert was_before is True


STEP = """
import totes_runtime

clock = SimpleNamespace(left=900_000)
is_up = totes_runtime.time_is_up(SimpleNamespace(get_remaining_time_in_millis=lambda: clock.left))
stops = []
for clock.left in (900_000, 601_000, 599_000):
    stops.append(is_up())
print(json.dumps(stops))
"""


def test_a_step_begins_nothing_more_after_a_third_of_its_time() -> None:
    stops, _ = _answered(STEP)
    assert stops == [False, False, True]
