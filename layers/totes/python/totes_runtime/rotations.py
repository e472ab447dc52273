"""Whether the databases' passwords are rotated, as a metric and in the log."""

from datetime import UTC, datetime

from aws_lambda_powertools.metrics import MetricUnit

from totes import clients
from totes.rotations_due import overdue
from totes.settings import VerifySettings
from totes.telemetry import ROTATIONS_OVERDUE
from totes_runtime import metrics


def report_rotations(settings: VerifySettings) -> None:
    """Emit how many passwords were not rotated when they should have been; log which, and why."""
    found = overdue(clients.secrets_manager(), settings.rotated, days=settings.rotation_days, now=datetime.now(UTC))
    metrics.add_metric(ROTATIONS_OVERDUE, MetricUnit.Count, len(found))
