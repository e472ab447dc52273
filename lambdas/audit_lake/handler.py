"""audit_lake: every night, is a seventh of the lake still what its manifests say?"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import is_nearly_over, logger, metrics, watched
from totes import payloads
from totes.lake import Bucket, audit
from totes.settings import AuditSettings
from totes.telemetry import LAKE_FINDINGS


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Audit; return what came of it, and emit as a metric how much is wrong.

    A night that runs out of time, and has found nothing, emits none. `totes.payloads` has what the event may say.
    """
    settings = AuditSettings.from_environment()
    audited = audit(
        Bucket(settings.ingestion_bucket),
        Bucket(settings.processed_bucket),
        day=event.get(payloads.DAY, datetime.now(UTC).toordinal()),
        every=event.get(payloads.EVERY, 50),
        time_is_up=is_nearly_over(context),
    )
    document = audited.to_dict()
    if audited.findings:
        logger.error("the lake is not what was written", extra={"audit": document})
    if audited.is_whole or audited.findings:
        metrics.add_metric(LAKE_FINDINGS, MetricUnit.Count, len(audited.findings))
    if not audited.is_whole:
        logger.error("time ran out before all batches of the night were looked at", extra={"audit": document})
    return document
