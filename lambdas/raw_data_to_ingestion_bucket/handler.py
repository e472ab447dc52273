"""raw_data_to_ingestion_bucket: what has changed in the source becomes the next batch of the lake."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import metrics, watched
from totes import payloads
from totes.capture import SOURCE_TABLES, capture
from totes.databases import connected
from totes.errors import SourceUnavailable
from totes.lake import Bucket
from totes.settings import CaptureSettings
from totes.telemetry import DRIFT, SINCE_SUCCESS


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Capture a batch; return its number (None: nothing changed), the newest in the lake, and when it was seen.

    What a person asked of the run, `recapture` and `accept_deletes`, is in the event's `asked`; `succeeded` has the
    moment at which the last run ended that succeeded.
    """
    settings, asked, seen = CaptureSettings.from_environment(), event.get(payloads.ASKED, {}), datetime.now(UTC)
    for success in event.get(payloads.SUCCEEDED, []):
        metrics.add_metric(SINCE_SUCCESS, MetricUnit.Seconds, (seen - datetime.fromisoformat(success)).total_seconds())
    with connected(settings.source_secret, login_name="source", unavailable=SourceUnavailable) as source:
        captured = capture(
            source,
            Bucket(settings.ingestion_bucket),
            SOURCE_TABLES,
            recapture=asked.get(payloads.RECAPTURE, {}),
            accept_deletes=asked.get(payloads.ACCEPT_DELETES, []),
            mass_deletion_percent=settings.mass_deletion_percent,
        )
    metrics.add_metric(DRIFT, MetricUnit.Count, len(captured.drift))
    return {"batch": captured.batch, payloads.NEWEST: captured.newest, payloads.SEEN: seen.isoformat()}
