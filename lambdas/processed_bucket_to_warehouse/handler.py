"""processed_bucket_to_warehouse: every batch of star rows that waits is loaded, once."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.databases import connected
from totes.errors import WarehouseUnavailable
from totes.lake import Bucket
from totes.settings import LoadSettings
from totes.star import STAR_TABLES
from totes.telemetry import LAG, QUARANTINED
from totes.warehouse import load
from totes_runtime import metrics, watched
from totes_runtime.rows import count_rows


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Load what waits; return the batches' numbers, the newest in the warehouse, and a tally for every star table."""
    settings = LoadSettings.from_environment()
    with connected(settings.warehouse_secret, role="warehouse", unavailable=WarehouseUnavailable) as warehouse:
        loaded = load(warehouse, Bucket(settings.processed_bucket), STAR_TABLES)
    count_rows(loaded.tables)
    metrics.add_metric(QUARANTINED, MetricUnit.Count, loaded.quarantined)
    if seen := event.get("seen"):
        behind = datetime.now(UTC) - datetime.fromisoformat(seen)
        metrics.add_metric(LAG, MetricUnit.Seconds, behind.total_seconds())
    tables = {table: asdict(tally) for table, tally in loaded.tables.items()}
    return {"loaded": asdict(loaded.batches), "newest": loaded.newest, "tables": tables}
