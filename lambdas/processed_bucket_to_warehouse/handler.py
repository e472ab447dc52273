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
from totes.star import STAR_TABLES, fingerprint
from totes.telemetry import LAG, QUARANTINED
from totes.warehouse import load
from totes_runtime import metrics, time_is_up, watched
from totes_runtime.rows import log_rows


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load what waits; `waiting` says whether the next run has to go on, `rebuilding` how far a rebuild has come.

    A person asks for a rebuild by `rebuild` in the event's `asked`; `captured` is the newest batch that there is.
    """
    settings, is_up, asked = LoadSettings.from_environment(), time_is_up(context), event.get("asked", {})
    rebuild, lake = asked.get("rebuild", False), Bucket(settings.processed_bucket)
    with connected(settings.warehouse_secret, role="warehouse", unavailable=WarehouseUnavailable) as warehouse:
        loaded = load(warehouse, lake, STAR_TABLES, code=fingerprint(STAR_TABLES), rebuild=rebuild, time_is_up=is_up)
    log_rows(loaded.tables)
    metrics.add_metric(QUARANTINED, MetricUnit.Count, loaded.quarantined)
    behind = loaded.newest < event.get("captured", 0)
    if (seen := event.get("seen")) and not behind:
        metrics.add_metric(LAG, MetricUnit.Seconds, (datetime.now(UTC) - datetime.fromisoformat(seen)).total_seconds())
    rebuilding = asdict(loaded.rebuilding) if loaded.rebuilding else None
    tables = {table: asdict(counts) for table, counts in loaded.tables.items()}
    done = {"loaded": asdict(loaded.batches), "newest": loaded.newest, "tables": tables}
    return {**done, "waiting": behind or rebuilding is not None, "rebuilding": rebuilding}
