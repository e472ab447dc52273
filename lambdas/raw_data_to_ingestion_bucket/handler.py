"""raw_data_to_ingestion_bucket: what has changed in the source becomes the next batch of the lake, or a piece of it."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import metrics, watched
from totes import payloads
from totes.capture import SOURCE_TABLES, capture, read_piece
from totes.databases import connected
from totes.errors import SourceUnavailable
from totes.lake import Bucket
from totes.settings import CaptureSettings
from totes.telemetry import DRIFT
from totes_runtime.answers import capture_answer, failed_pieces


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Read the piece that is asked for, or capture a batch; return what came of it, and when the source was seen."""
    settings, asked, seen = CaptureSettings.from_environment(), event.get(payloads.ASKED, {}), datetime.now(UTC)
    with connected(settings.source_secret, login_name="source", unavailable=SourceUnavailable) as source:
        where = source, Bucket(settings.ingestion_bucket), SOURCE_TABLES
        if payloads.PIECE in event:
            return {payloads.DONE: read_piece(*where, event[payloads.PLAN], event[payloads.PIECE])}
        captured = capture(
            *where,
            recapture=asked.get(payloads.RECAPTURE, {}),
            accept_deletes=asked.get(payloads.ACCEPT_DELETES, []),
            mass_deletion_percent=settings.mass_deletion_percent,
            rows_in_one_function=settings.rows_in_one_function,
            failed=failed_pieces(event.get(payloads.READ, []), payloads.PLAN),
        )
    metrics.add_metric(DRIFT, MetricUnit.Count, len(captured.drift))
    return {**capture_answer(captured), payloads.SEEN: seen.isoformat()}
