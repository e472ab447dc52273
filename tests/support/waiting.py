"""What a test waits for that happens elsewhere."""

import time
from collections.abc import Callable


def until(comes: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 30
    while not comes():
        assert time.monotonic() < deadline
        time.sleep(0.02)
