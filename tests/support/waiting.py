"""What a test waits for that happens elsewhere."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def until(
    look: Callable[[], Seen | None],
    complaint: str | Callable[[], object] = "what the test waits for has not come",
    *,
    seconds: float = 30,
    pause: float = 0.02,
) -> Seen:
    """Look until there is something, and return it.

    Args:
        look: returns what is there; nothing, or what counts as false, as long as it is not.
        complaint: of a test that waits in vain, or what says it then.
        seconds: how long to wait.
        pause: how many seconds to wait between two looks.

    Raises:
        AssertionError: it has not come in time.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() >= deadline:
            raise AssertionError(complaint() if callable(complaint) else complaint)
        time.sleep(pause)
    return seen
