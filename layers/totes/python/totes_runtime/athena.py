"""Athena's lists beside a run: what becomes of them never stands in the way of the warehouse."""

import time
from collections.abc import Callable

from totes.athena import write_lists
from totes.errors import RetryableError
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes_runtime import logger

_PAUSES = (1.0, 4.0, 10.0)
"""Seconds between attempts: less than what the state machine waits before it tries a function again."""


def list_parts(processed: Bucket, time_is_up: Callable[[], bool]) -> bool:
    """Bring the lists up to date, or log why they are not; the next run brings what this one could not.

    An error that may pass is tried again a few times. A run whose lists could not be written fails at its end, when the
    warehouse is loaded.

    Args:
        processed: the processed bucket.
        time_is_up: asked whether to stop.

    Returns:
        Whether they could be written: by this run, or by another one meanwhile.
    """
    pauses = iter(_PAUSES)
    while True:
        try:
            write_lists(processed, [table.name for table in STAR_TABLES], time_is_up=time_is_up)
        except Exception as error:  # noqa: BLE001 - whatever it is, the warehouse does not need it
            pause = next(pauses, None) if isinstance(error, RetryableError) else None
            if pause is None:
                logger.exception("the lists that Athena reads could not be written; the run goes on without them")
                return False
            logger.warning("the lists that Athena reads are tried again: %s", error)
            time.sleep(pause)
        else:
            return True
