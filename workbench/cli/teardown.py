"""Taking a local cloud down, which a second, impatient Ctrl-C must not leave half done."""

import signal
from pathlib import Path

from workbench import cloud
from workbench.cli import display


def take_down(state: Path) -> None:
    """Stop a local cloud and remove its folder, whatever signals come meanwhile; raise UserError where none is up."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        cloud.down(state)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    display.done("the local cloud is down")
