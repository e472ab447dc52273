"""The lines of the log with row counts."""

from collections.abc import Mapping

from totes.telemetry import OUTCOMES, ROWS_LOADED
from totes.warehouse import RowCounts
from totes_runtime import logger


def log_rows(tables: Mapping[str, RowCounts]) -> None:
    """Log how many rows of each star table came to which end, of those that any came in for."""
    for table, counts in tables.items():
        if counts.rows_in:
            logger.info(ROWS_LOADED, extra={"table": table, **{each: getattr(counts, each) for each in OUTCOMES}})
