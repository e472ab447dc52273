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


def test_a_metric_is_for_machines_and_what_is_no_json_is_printed_as_it_is() -> None:
    assert readable(json.dumps({"_aws": {}, "TimeoutUsed": [3.0]})) is None
    assert readable("START RequestId: 7") == "START RequestId: 7"
    assert readable("[1, 2]") == "[1, 2]"
