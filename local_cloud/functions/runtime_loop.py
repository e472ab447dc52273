"""A runtime client of the standard library alone, for machines that awslambdaric has no wheel for (macOS).

It stands in for `python -m awslambdaric HANDLER`: the same Runtime API, the same error documents, the attributes of
the context that Python functions use. It is run by path, in a process that cannot import this project.
"""

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_PREFIX = "/2018-06-01/runtime"


class Context:
    """The second argument of a handler."""

    def __init__(self, headers: "http.client.HTTPMessage") -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation's time, in milliseconds."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def main(handler: str) -> None:
    """Import the handler, then answer one event after the other for as long as the Runtime API is there."""
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        function = _imported(handler)
    except Exception as error:  # noqa: BLE001 - whatever a module raises when it is imported is the function's error
        document = _as_document(error)
        if isinstance(error, ImportError):
            document.update(
                errorType="Runtime.ImportModuleError",
                errorMessage=f"Unable to import module '{handler.rpartition('.')[0]}': {error}",
            )
        _call(api, "POST", f"{_PREFIX}/init/error", document)
        sys.exit(1)
    while True:
        headers, event = _call(api, "GET", f"{_PREFIX}/invocation/next")
        place = f"{_PREFIX}/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}"
        try:
            result = function(json.loads(event), Context(headers))
            body = json.dumps(result)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the invocation's error
            _call(api, "POST", f"{place}/error", _as_document(error))
        else:
            _call(api, "POST", f"{place}/response", body)


def _imported(handler: str) -> Callable[[Any, Context], Any]:
    module, _, name = handler.rpartition(".")
    function: Callable[[Any, Context], Any] = getattr(importlib.import_module(module.replace("/", ".")), name)
    return function


def _as_document(error: Exception) -> dict[str, Any]:
    document = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__)[1:],
    }
    sys.stdout.write(f"[ERROR] {document['errorType']}: {document['errorMessage']}\n{traceback.format_exc()}")
    sys.stdout.flush()
    return document


def _call(
    api: http.client.HTTPConnection, method: str, path: str, content: Any = None
) -> tuple[http.client.HTTPMessage, bytes]:
    body = content if isinstance(content, str) or content is None else json.dumps(content)
    api.request(method, path, body=body)
    with api.getresponse() as response:
        return response.headers, response.read()


if __name__ == "__main__":
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    try:
        main(sys.argv[1])
    except (ConnectionError, http.client.HTTPException):
        sys.exit(1)  # the local cloud is gone, and so is this process's purpose
