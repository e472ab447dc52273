"""Invocations of the deployed functions: moto's own Lambda without Docker only echoes the event.

What a function answers is at most 6 MB and a little: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.exceptions import JsonRESTError
from moto.logs.models import logs_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint import metrics
from local_cloud.endpoint.networks import reached_by
from local_cloud.endpoint.patches import patch
from local_cloud.functions import Answer, Code, Package

Invoke = Callable[[Package, bytes], Answer]

_MOST_BYTES = 6_291_556


def install(invoke: Invoke) -> None:
    """Let a function be invoked.

    Args:
        invoke: runs a package on an event.
    """

    def run(
        backend: Any,
        function_name: str,
        qualifier: str | None,
        body: str | bytes,
        headers: Mapping[str, str],  # noqa: ARG001 - moto's signature
        response_headers: dict[str, str],
    ) -> bytes:
        event = body.encode() if isinstance(body, str) else body
        package = _package(backend, backend.get_function(function_name, qualifier))
        began = time.monotonic()
        answer = _held_to_its_size(invoke(package, event or b"{}"))
        metrics.of_invocation(package.name, failed=answer.failed, milliseconds=(time.monotonic() - began) * 1000)
        response_headers["x-amz-executed-version"] = "$LATEST"
        if answer.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return _Payload(answer.payload)

    patch(LambdaSimpleBackend, "invoke", run, why="moto without Docker only echoes the event")


class _Payload(bytes):
    """An answer that takes up none of moto's memory, for moto makes an error of one that takes up 6,000,000 bytes."""

    def __sizeof__(self) -> int:
        return 0


def _held_to_its_size(answer: Answer) -> Answer:
    """Return an answer, or the error that takes its place where it is too large."""
    if len(answer.payload) <= _MOST_BYTES:
        return answer
    error = {
        "errorMessage": f"Response payload size exceeded maximum allowed payload size ({_MOST_BYTES} bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    return Answer(json.dumps(error).encode(), failed=True)


def write_log(group: str, stream: str, lines: Sequence[str]) -> None:
    """Write lines to a stream of CloudWatch Logs; make group and stream if they are missing."""
    backend = logs_backends[ACCOUNT][REGION]
    if group not in backend.groups:
        backend.create_log_group(group, {})
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    metrics.of_log(lines)
    now = int(datetime.now(UTC).timestamp() * 1000)
    backend.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])


def _package(backend: Any, function: Any) -> Package:
    if not (function.run_time or "").startswith("python"):
        raise JsonRESTError(
            "InvalidRuntimeException", f"the local cloud runs Python; {function.function_name} is {function.run_time}"
        )
    placed = function.vpc_config or {}
    layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
    return Package(
        name=function.function_name,
        arn=function.function_arn,
        role=function.role,
        handler=function.handler,
        memory_mb=int(function.memory_size),
        timeout_seconds=int(function.timeout),
        variables={name: str(value) for name, value in function.environment_vars.items()},
        code=_code(function),
        layers=tuple(_code(layer) for layer in layers),
        region=function.region,
        log_group=function.logs_group_name,
        log_format=getattr(function, "log_format", "Text"),
        reaches=reached_by(placed.get("SecurityGroupIds", ()), placed.get("SubnetIds", ())),
    )


def _code(deployed: Any) -> Code:
    return Code(deployed.code_sha_256, lambda: deployed.code_bytes)
