"""What every handler imports before the library, and is wrapped in.

A function's imports make fifty thousand objects, all of which stay. Scanning them for garbage took a seventh of a cold
start, so the collector is off until the handler is loaded.
"""

import functools
import gc
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes import payloads
from totes.redaction import redact
from totes_runtime import is_nearly_over, logger, metrics, time_is_up

__all__ = ["is_nearly_over", "logger", "metrics", "time_is_up", "watched"]

Handler = Callable[[dict[str, Any], LambdaContext], Any]

gc.disable()


def watched(handler: Handler) -> Handler:
    """Have a handler's logs name the execution, and its metrics written whatever it comes to.

    What has been imported until here is never scanned for garbage again.
    """
    gc.freeze()
    gc.enable()

    @functools.wraps(handler)
    def run(event: dict[str, Any], context: LambdaContext) -> Any:
        logger.append_keys(execution=event.get(payloads.EXECUTION))
        try:
            return handler(event, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            redact(error)  # not in the log alone: Lambda writes and answers what is raised
            logger.exception("failed")
            if isinstance(error, Exception):
                raise
            # A panic of Polars is none. It would end the process, and Lambda would answer only that it has ended:
            # https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
            raise RuntimeError(f"{type(error).__name__}: {error}") from error

    watched_run: Handler = metrics.log_metrics(logger.inject_lambda_context(run, clear_state=True))
    return watched_run
