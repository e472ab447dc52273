"""What a comparison found, as a metric and in the log."""

from aws_lambda_powertools.metrics import MetricUnit

from totes.telemetry import VERIFY_DIFFERENCES
from totes.verify import Verdict
from totes_runtime import logger, metrics


def report_verdict(verdict: Verdict) -> None:
    """Emit how many rows differ and log how many were compared; if some differ, log which."""
    metrics.add_metric(VERIFY_DIFFERENCES, MetricUnit.Count, verdict.differences)
    logger.info("compared", extra={"rows": verdict.rows, "differences": verdict.differences})
    if verdict.differences:
        logger.error("the warehouse is not what the source says", extra={"verdict": verdict.to_dict()})
