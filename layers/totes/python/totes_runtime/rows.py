"""The outcome of rows: the lines of the log with their counts, and how many are in quarantine as a metric."""

from aws_lambda_powertools.metrics import MetricUnit

from totes.telemetry import OUTCOMES, QUARANTINED, ROWS_LOADED
from totes.warehouse import Loaded
from totes_runtime import logger, metrics


def report_rows(loaded: Loaded) -> None:
    """Log how many rows of each star table came to which end, of those that any came in for; emit the quarantine."""
    metrics.add_metric(QUARANTINED, MetricUnit.Count, loaded.quarantined)
    for table, counts in loaded.tables.items():
        if counts.rows_in:
            logger.info(ROWS_LOADED, extra={"table": table, **{each: getattr(counts, each) for each in OUTCOMES}})
