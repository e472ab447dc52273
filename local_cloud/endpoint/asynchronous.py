"""Asynchronous invocations: an event that fails is tried again, and kept if every attempt has failed.

moto runs them as any other, and forgets what fails. Lambda tries twice more unless told otherwise. What still fails it
sends to the destination in the function's configuration, by the function's role; without a destination it is lost:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
In AWS a minute and then two go by between the attempts. Here nobody waits.
"""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from moto.awslambda.exceptions import UnknownEventConfig
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.utils import utcnow
from moto.sqs.models import sqs_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.authority import is_allowed
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource, with_types

logger = logging.getLogger(__name__)

_RETRIES = 2
_PUT_EVENT_CONFIG = "PutFunctionEventInvokeConfig"

Invoke = Callable[..., bytes]


def install() -> None:
    """Let moto's functions take events; `invocations` is installed before."""
    invoke: Invoke = LambdaSimpleBackend.invoke

    def run(
        backend: Any,
        function_name: str,
        qualifier: str | None,
        body: str | bytes,
        headers: Mapping[str, str],
        response_headers: dict[str, str],
    ) -> bytes:
        if headers.get("X-Amz-Invocation-Type") != "Event":
            return invoke(backend, function_name, qualifier, body, headers, response_headers)
        function = backend.get_function(function_name, qualifier)
        threading.Thread(target=_attempt, args=(invoke, backend, function, qualifier, body), daemon=True).start()
        return b""

    patch(LambdaSimpleBackend, "invoke", run, why="moto tries an event once, and forgets what fails")


def _attempt(invoke: Invoke, backend: Any, function: Any, qualifier: str | None, body: str | bytes) -> None:
    try:
        configured = backend.get_function_event_invoke_config(function.function_name)
    except UnknownEventConfig:
        configured = {}
    attempts = 1 + configured.get("MaximumRetryAttempts", _RETRIES)
    answer = b""
    for _ in range(attempts):
        headers: dict[str, str] = {}
        answer = invoke(backend, function.function_name, qualifier, body, {}, headers)
        if "x-amz-function-error" not in headers:
            return
    destination = configured.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is not None:
        _keep(destination, function, attempts, body, answer)


def _keep(destination: str, function: Any, attempts: int, body: str | bytes, answer: bytes) -> None:
    if not is_allowed(function.role, "sqs:SendMessage", destination):
        logger.error("%s may not put what failed into %s", function.function_name, destination)
        return
    record = {
        "version": "1.0",
        "timestamp": utcnow().isoformat(),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function.function_arn,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(body or b"{}"),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": json.loads(answer or b"null"),
    }
    sqs_backends[ACCOUNT][REGION].send_message(destination.rpartition(":")[2], json.dumps(record))


class AsynchronousInvocations(Resource):
    """How often an asynchronous invocation is tried again, and where an event goes that failed."""

    cloudformation = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"

    def make(self) -> None:
        """Make it."""
        self.client.put_function_event_invoke_config(**with_types(self.client, _PUT_EVENT_CONFIG, self.properties))

    def change(self, properties: Properties) -> None:
        """Change it: moto keeps the first that it was given, so that goes before."""
        self.remove()
        self.client.put_function_event_invoke_config(**with_types(self.client, _PUT_EVENT_CONFIG, properties))

    def remove(self) -> None:
        """Delete it, unless that has been done with its function."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_function_event_invoke_config(FunctionName=self.properties["FunctionName"])


MODELS: tuple[type[Resource], ...] = (AsynchronousInvocations,)
