"""The process that a function lives in: warm, one invocation at a time, killed at any moment."""

import faulthandler
import importlib.util
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from tests.faults.boundary import Boundaries, Script, put_around_everything
from tests.faults.library import HANDLERS
from tests.faults.weaknesses import WEAKNESSES
from totes.capture.source import snapshot
from totes.star import batch

IN_PIECES = "IN_PIECES"
"""The environment variable that is there in a world that is done in pieces."""

LAMBDAS = Path(__file__).parents[2] / "lambdas"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What a function is invoked with, and what happens to it."""

    event: Mapping[str, Any]
    script: Script | None = None


@dataclass(frozen=True)
class Returned:
    """The function returned, after so many boundaries; it may have missed the one that its script is of."""

    value: Any
    boundaries: int
    missed: bool = False


@dataclass(frozen=True)
class Raised:
    """The function raised."""

    error: str
    message: str


@dataclass(frozen=True)
class Unusable:
    """The process cannot be what it was to be."""

    why: str


@dataclass(frozen=True)
class _Context:
    function_name: str = "function"
    memory_limit_in_mb: int = 1536
    invoked_function_arn: str = "arn"
    aws_request_id: str = field(default="request")

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def serve(pipe: Pipe, function: str, environment: Mapping[str, str], weakness: str | None) -> None:
    """Run a function's own handler, invocation after invocation."""
    os.environ.update(environment)
    faulthandler.register(signal.SIGUSR1)
    _hush()
    boundaries = Boundaries(pipe, _die)
    put_around_everything(boundaries)
    if weakness and (stale := _put_in(weakness)):
        pipe.send(stale)
        return
    if IN_PIECES in environment:
        batch.PARTS_IN_ONE_GO, batch.PARTS_BETWEEN_BOOKMARKS = 4, 2  # for a world's parts are few, too
        snapshot.NAMED_IDS = 8  # and so are the transactions between two of its runs
    handler = HANDLERS.get(function) or _handler(function)
    while True:
        try:
            invocation: Invocation = pipe.recv()
        except EOFError:
            return
        boundaries.follow(invocation.script)
        try:
            value = handler(dict(invocation.event), _Context())
        except Exception as error:  # noqa: BLE001 - Lambda's runtime hands on whatever a handler raises
            pipe.send(Raised(type(error).__name__, str(error)))
        else:
            pipe.send(Returned(value, boundaries.count, boundaries.missed))


def _hush() -> None:
    """Write no log and no metric anywhere: nobody reads them here."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")


def _put_in(weakness: str) -> Unusable | None:
    try:
        WEAKNESSES[weakness]()
    except (AttributeError, ImportError) as error:
        return Unusable(f"the weakness {weakness!r} names what is not there any more: {error}")
    return None


def _handler(function: str) -> Callable[[dict[str, Any], _Context], Any]:
    spec = importlib.util.spec_from_file_location(f"handler_of_{function}", LAMBDAS / function / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[dict[str, Any], _Context], Any] = module.handler
    return handler


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
