"""A log is read by people too."""

import json

from command_line.logs import readable


def test_a_line_says_when_how_grave_what_and_about_what() -> None:
    line = {
        "level": "INFO",
        "location": "load:7",
        "message": "loaded batch 3",
        "timestamp": "2026-11-25 23:17:01,123+0000",
        "service": "totes-dev",
        "cold_start": True,
        "function_name": "totes-dev-load",
        "execution": None,
        "batch": 3,
    }
    assert readable(json.dumps(line)) == "2026-11-25 23:17:01,123 INFO    loaded batch 3 (batch 3)"


def test_an_exception_stands_below_its_line() -> None:
    line = {"level": "ERROR", "message": "failed", "timestamp": "t", "exception": "Traceback:\n  here"}
    assert readable(json.dumps(line)) == "t ERROR   failed\n    Traceback:\n      here"


def platform(kind: str, **record: object) -> str:
    return json.dumps({"time": "2026-11-25T23:17:01.123Z", "type": f"platform.{kind}", "record": record})


def test_lambdas_own_lines_tell_what_an_invocation_took_and_nothing_of_its_start() -> None:
    metrics = {"durationMs": 1260.4, "billedDurationMs": 1261, "memorySizeMB": 1536, "maxMemoryUsedMB": 320}
    took = readable(platform("report", requestId="7", metrics=metrics, status="success"))
    assert took == "2026-11-25T23:17:01.123Z INFO    took 1.3 s and 320 of 1536 MB"
    killed = readable(platform("report", metrics=metrics, status="error", errorType="Runtime.OutOfMemory"))
    assert killed == f"{str(took).replace('INFO ', 'ERROR')}, and failed: Runtime.OutOfMemory"
    assert readable(platform("start", requestId="7", version="$LATEST")) is None


def test_a_metric_is_for_machines_and_what_is_no_json_is_printed_as_it_is() -> None:
    assert readable(json.dumps({"_aws": {}, "TimeoutUsed": [3.0]})) is None
    assert readable("START RequestId: 7") == "START RequestId: 7"
    assert readable("[1, 2]") == "[1, 2]"
