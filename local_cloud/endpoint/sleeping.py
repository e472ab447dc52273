"""Functions in a network become inactive if nobody calls them for weeks; the call that wakes one fails, and others too.

Lambda reclaims the network interfaces of such a function, and to make a new one takes minutes:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
Events that nobody waits for are kept until the function is awake; here they wake it at once.
"""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow

from local_cloud.endpoint.patches import patch

_IDLE = timedelta(days=14)
"""After how long without a call it sleeps; AWS says weeks."""

_SECONDS = 1
"""How long it takes to wake up; AWS says minutes."""

_WAKING_UP, _AWAKE = "Pending", "Active"


class _NotReady(JsonRESTError):  # type: ignore[misc] # moto has no types
    code = 502


class _Conflict(JsonRESTError):  # type: ignore[misc] # the same
    code = 409


def install() -> None:
    """Let functions fall asleep; `invocations` is installed before."""
    invoke = LambdaSimpleBackend.invoke

    def run(
        backend: Any,
        function_name: str,
        qualifier: str | None,
        body: str | bytes,
        headers: Mapping[str, str],
        response_headers: dict[str, str],
    ) -> bytes:
        function = backend.get_function(function_name, qualifier)
        if headers.get("X-Amz-Invocation-Type") == "Event":
            function.called = utcnow()
        else:
            call(function, utcnow())
        payload: bytes = invoke(backend, function_name, qualifier, body, headers, response_headers)
        return payload

    patch(LambdaSimpleBackend, "invoke", run, why="moto's functions never sleep")


def call(function: Any, now: datetime) -> None:
    """Take note of a call of a function; refuse it where that sleeps, or is not awake yet.

    Raises:
        JsonRESTError: as Lambda says it.
    """
    called: datetime = getattr(function, "called", now)  # it is awake when it is made
    function.called = now
    if function.state == _WAKING_UP:
        raise _Conflict(
            "ResourceConflictException",
            "The operation cannot be performed at this time. "
            f"The function is currently in the following state: {_WAKING_UP}",
        )
    if function.vpc_config and now - called > _IDLE:
        function.state = _WAKING_UP
        threading.Timer(_SECONDS, setattr, (function, "state", _AWAKE)).start()
        raise _NotReady(
            "ResourceNotReadyException",
            f"The function {function.function_name} was inactive and is being made active; try again.",
        )
