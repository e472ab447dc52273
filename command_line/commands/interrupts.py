"""Ctrl-C, and the polite stop that a service manager sends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def heed() -> None:
    """Let SIGTERM, and a terminal that closes, end a command as Ctrl-C does, so that what it started ends with it.

    polars, when it is imported, has Ctrl-C wake no call that waits: a prompt would go on asking. So Python's own
    handler is put back, unless whoever started this process has told it to leave Ctrl-C to others.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def heed_no_more() -> None:
    """Let no further interrupt disturb a command that is ending, and then ends the program."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Within this context the first interrupt sets an event, and the next one interrupts as ever."""

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
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt
