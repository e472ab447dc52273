"""Ctrl-C, the polite stop that a service manager sends, and the end of the terminal."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Let SIGTERM, and a terminal that closes, end a command as Ctrl-C does, so that what it started ends with it.

    Importing polars replaces Python's own handler of Ctrl-C by one that does not wake a waiting call: a prompt would
    go on asking. So Python's handler is put back, unless whoever started this process had it ignore Ctrl-C.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore_signals() -> dict[signal.Signals, Any]:
    """Ignore every further interrupt, so that a command can end in order; return the earlier handlers."""
    return {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within this context interrupts are ignored."""
    before = ignore_signals()
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Within this context the first interrupt sets an event, and the next one interrupts as usual."""

    def set_it(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            _interrupt(number, frame)
        stop.set()

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, set_it)
    try:
        yield
    finally:
        _restore(before)


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt
