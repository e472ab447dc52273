"""The metric of what became of rows."""

from collections.abc import Mapping
from dataclasses import asdict

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

from totes.telemetry import NAMESPACE, ROWS
from totes.warehouse import Tally


def count_rows(tables: Mapping[str, Tally]) -> None:
    """Emit how many rows of each star table came to which end; an end that none came to is not worth a metric."""
    for table, tally in tables.items():
        for outcome, rows in asdict(tally).items():
            if rows and outcome != "rows_in":
                with single_metric(name=ROWS, unit=MetricUnit.Count, value=rows, namespace=NAMESPACE) as metric:
                    metric.add_dimension("table", table)
                    metric.add_dimension("outcome", outcome)
