"""Athena's lists beside a run: what becomes of them never stands in the way of the warehouse."""

from collections.abc import Callable

from totes.athena import write_lists
from totes.lake import Bucket
from totes.star import STAR_TABLES
from totes_runtime import logger


def list_parts(processed: Bucket, time_is_up: Callable[[], bool]) -> int | None:
    """Bring the lists up to date, or log why they are not; the next run brings what this one could not.

    Args:
        processed: the processed bucket.
        time_is_up: asked whether to stop.

    Returns:
        Up to which batch they are; None: another run is writing them; 0: they could not be written, or there is none.
    """
    try:
        listed = write_lists(processed, [table.name for table in STAR_TABLES], time_is_up=time_is_up)
    except Exception:  # noqa: BLE001 - whatever it is, the warehouse does not need it
        logger.exception("the lists that Athena reads could not be written; the run goes on without them")
        return 0
    return None if listed is None else listed.batch
