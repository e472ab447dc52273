"""raw_data_to_ingestion_bucket: what has changed in the source becomes the next batch of the lake."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.capture import SOURCE_TABLES, capture
from totes.databases import connected
from totes.errors import SourceUnavailable
from totes.lake import Bucket
from totes.settings import CaptureSettings

logger = Logger(service="totes")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Capture a batch; return its number (None: nothing changed) and the newest in the lake.

    What a person asked of the run, `again` and `accept_deletes`, is in the event's `asked`.
    """
    logger.append_keys(execution=event.get("execution"))
    settings = CaptureSettings.from_environment()
    asked = event.get("asked", {})
    with connected(settings.source_secret, role="source", unavailable=SourceUnavailable) as source:
        captured = capture(
            source,
            Bucket(settings.ingestion_bucket),
            SOURCE_TABLES,
            again=asked.get("again", {}),
            accept_deletes=asked.get("accept_deletes", []),
            mass_deletion_percent=settings.mass_deletion_percent,
        )
    return {"batch": captured.batch, "newest": captured.newest}
