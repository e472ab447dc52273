"""Ending a local cloud, which a second, impatient Ctrl-C must not leave half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import local_cloud
from command_line.commands import display


def take_down(state: Path) -> None:
    """Stop a local cloud and remove its folder, whatever signals come meanwhile; raise UserError where none is up."""
    with _undisturbed():
        local_cloud.down(state)
    display.done("the local cloud is down")


def stop(state: Path) -> None:
    """Stop a local cloud, whose folder stays, likewise; raise UserError where there is none to be continued."""
    with _undisturbed():
        local_cloud.stop(state)
    display.cloud_has_stopped(state)


@contextmanager
def _undisturbed() -> Iterator[None]:
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
