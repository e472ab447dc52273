"""Athena's lists beside a run: what becomes of them never stands in the way of the warehouse."""

from collections.abc import Callable

from totes.athena import write_lists
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes_runtime import logger


def list_parts(processed: Bucket, time_is_up: Callable[[], bool]) -> bool:
    """Bring the lists up to date, or log why they are not; the next run brings what this one could not.

    A run whose lists could not be written fails at its end, when the warehouse is loaded.

    Args:
        processed: the processed bucket.
        time_is_up: asked whether to stop.

    Returns:
        Whether they could be written: by this run, or by another one meanwhile.
    """
    try:
        write_lists(processed, [table.name for table in STAR_TABLES], time_is_up=time_is_up)
    except Exception:  # noqa: BLE001 - whatever it is, the warehouse does not need it
        logger.exception("the lists that Athena reads could not be written; the run goes on without them")
        return False
    return True
