"""sweep_ingestion_bucket: every night, what runs that were stopped or killed have left in the lake is deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import is_nearly_over, logger, watched
from totes import payloads
from totes.lake import Bucket, sweep
from totes.settings import SweepSettings

_GRACE_HOURS = 24


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Delete what no manifest names; return up to which batch, up to which it meant to, and how many objects.

    The event's `grace_hours` says how long ago a batch must have been committed; without it, a day.
    """
    settings = SweepSettings.from_environment()
    swept = sweep(
        Bucket(settings.ingestion_bucket),
        Bucket(settings.processed_bucket),
        written_before=datetime.now(UTC) - timedelta(hours=event.get(payloads.GRACE_HOURS, _GRACE_HOURS)),
        time_is_up=is_nearly_over(context),
    )
    logger.info("swept up to batch %d of %d: %d objects deleted", swept.batch, swept.last, swept.deleted)
    return {"batch": swept.batch, "last": swept.last, "deleted": swept.deleted}
