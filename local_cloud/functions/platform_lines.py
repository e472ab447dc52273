"""What Lambda itself writes into a function's log: as text, or as JSON where that is the function's format.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.functions.package import Package

_EXHAUSTED = "Runtime.OutOfMemory"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What an invocation took.

    Attributes:
        milliseconds: how long it took.
        start_milliseconds: how long the process took to start before; None: it was there already.
        peak_mb: the most memory that it had.
        exhausted: whether that was more than it may have.
    """

    milliseconds: float
    start_milliseconds: float | None
    peak_mb: int
    exhausted: bool


def at_start(package: Package, request_id: str) -> list[str]:
    """The lines of an invocation that begins."""
    if package.log_format == "JSON":
        return [_event("start", {"requestId": request_id, "version": "$LATEST"})]
    return [f"START RequestId: {request_id} Version: $LATEST"]


def at_end(package: Package, request_id: str, spent: Spent) -> list[str]:
    """The lines of an invocation that has ended."""
    if package.log_format == "JSON":
        metrics = {
            "durationMs": round(spent.milliseconds, 3),
            "billedDurationMs": math.ceil(spent.milliseconds),
            "memorySizeMB": package.memory_mb,
            "maxMemoryUsedMB": spent.peak_mb,
        }
        if spent.start_milliseconds is not None:
            metrics["initDurationMs"] = round(spent.start_milliseconds, 3)
        status = {"status": "error", "errorType": _EXHAUSTED} if spent.exhausted else {"status": "success"}
        return [_event("report", {"requestId": request_id, "metrics": metrics, **status})]
    start = "" if spent.start_milliseconds is None else f"\tInit Duration: {spent.start_milliseconds:.2f} ms"
    failure = f"\tStatus: error\tError Type: {_EXHAUSTED}" if spent.exhausted else ""
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {spent.milliseconds:.2f} ms\tBilled Duration: "
        f"{math.ceil(spent.milliseconds)} ms\tMemory Size: {package.memory_mb} MB\tMax Memory Used: "
        f"{spent.peak_mb} MB{start}{failure}"
    )
    return [f"END RequestId: {request_id}", report]


def _event(kind: str, record: Mapping[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "type": f"platform.{kind}", "record": record})
