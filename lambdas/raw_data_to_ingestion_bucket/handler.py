"""raw_data_to_ingestion_bucket: what has changed in the source becomes the next batch of the lake.

A source that is too large for one function becomes its first batch in pieces: this function then is what plans them,
what reads one of them, and what puts them together.
"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import metrics, watched
from totes import payloads
from totes.capture import SOURCE_TABLES, capture, failed_pieces, read_piece
from totes.databases import connected
from totes.errors import SourceUnavailable
from totes.lake import Bucket
from totes.settings import CaptureSettings
from totes.telemetry import DRIFT, SINCE_SUCCESS


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Capture a batch; return its number (None: nothing changed), the newest in the lake, and when it was seen.

    Where pieces are to be read first it is `unread` that says which; an event with a `piece` of a `plan` reads it. What
    came of those that this run has read is in `read`.

    What a person asked of the run, `recapture` and `accept_deletes`, is in the event's `asked`; `succeeded` has the
    moment at which the last run ended that succeeded.
    """
    if payloads.PIECE in event:
        return _read_piece(event)
    settings, asked, seen = CaptureSettings.from_environment(), event.get(payloads.ASKED, {}), datetime.now(UTC)
    for success in event.get(payloads.SUCCEEDED, []):
        metrics.add_metric(SINCE_SUCCESS, MetricUnit.Seconds, (seen - datetime.fromisoformat(success)).total_seconds())
    lake, read = Bucket(settings.ingestion_bucket), event.get(payloads.READ, [])
    if failures := {each[payloads.PIECE]: each[payloads.ERROR] for each in read if payloads.ERROR in each}:
        raise failed_pieces(lake, read[0][payloads.PLAN], failures)
    with connected(settings.source_secret, login_name="source", unavailable=SourceUnavailable) as source:
        captured = capture(
            source,
            lake,
            SOURCE_TABLES,
            recapture=asked.get(payloads.RECAPTURE, {}),
            accept_deletes=asked.get(payloads.ACCEPT_DELETES, []),
            mass_deletion_percent=settings.mass_deletion_percent,
            rows_in_one_function=settings.rows_in_one_function,
        )
    metrics.add_metric(DRIFT, MetricUnit.Count, len(captured.drift))
    answer = {"batch": captured.batch, payloads.NEWEST: captured.newest, payloads.SEEN: seen.isoformat()}
    if captured.unread is not None:
        unread = {payloads.PLAN: captured.unread.plan, payloads.PIECES: captured.unread.pieces}
        return {**answer, payloads.UNREAD: unread}
    return answer


def _read_piece(event: dict[str, Any]) -> dict[str, Any]:
    settings = CaptureSettings.from_environment()
    with connected(settings.source_secret, login_name="source", unavailable=SourceUnavailable) as source:
        plan, piece = event[payloads.PLAN], event[payloads.PIECE]
        read = read_piece(source, Bucket(settings.ingestion_bucket), SOURCE_TABLES, plan, piece)
    return {payloads.PLAN: plan, payloads.PIECE: piece, payloads.READ: read}
