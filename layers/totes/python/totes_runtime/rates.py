"""Exchange rates as metrics: how old they are, and what could not be done about them."""

from datetime import UTC, datetime

from aws_lambda_powertools.metrics import MetricUnit

from totes.telemetry import RATES_AGE, RATES_FAILED
from totes.warehouse import LoadedRates
from totes_runtime import metrics


def report_rates(loaded: LoadedRates | None) -> None:
    """Emit how old the rates are, where there are some, and whether their load has failed; None: nothing."""
    if loaded is None:
        return
    report_failure(loaded.failed)
    if loaded.up_to is not None:
        metrics.add_metric(RATES_AGE, MetricUnit.Count, (datetime.now(UTC).date() - loaded.up_to).days)


def report_failure(why: str) -> None:
    """Emit whether something could not be done: there is a why."""
    metrics.add_metric(RATES_FAILED, MetricUnit.Count, 1 if why else 0)
