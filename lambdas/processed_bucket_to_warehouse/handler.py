"""processed_bucket_to_warehouse: every batch of star rows that waits is loaded, once."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import metrics, time_is_up, watched
from totes import payloads
from totes.databases import connected
from totes.errors import WarehouseUnavailable
from totes.lake import Bucket, Journal
from totes.settings import LoadSettings
from totes.star import STAR_TABLES, fingerprint
from totes.telemetry import LAG
from totes.warehouse import load, load_rates
from totes_runtime.rates import report_rates
from totes_runtime.rows import report_rows


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load what waits, and go on with a rebuild, if a person asks for one or one is under way; see `totes.payloads`."""
    settings, is_up, code = LoadSettings.from_environment(), time_is_up(context), fingerprint(STAR_TABLES)
    rebuild, lake = event.get(payloads.ASKED, {}).get(payloads.REBUILD, False), Bucket(settings.processed_bucket)
    captured = Journal(Bucket(settings.ingestion_bucket)).newest
    with connected(settings.warehouse_secret, login_name="warehouse", unavailable=WarehouseUnavailable) as warehouse:
        loaded = load(warehouse, lake, STAR_TABLES, captured=captured, code=code, rebuild=rebuild, time_is_up=is_up)
        report_rates(load_rates(warehouse, lake, settings.reporting_currency, time_is_up=is_up))
    report_rows(loaded)
    behind = loaded.newest < event.get(payloads.CAPTURED, 0)
    if (seen := event.get(payloads.SEEN)) and not behind:
        metrics.add_metric(LAG, MetricUnit.Seconds, (datetime.now(UTC) - datetime.fromisoformat(seen)).total_seconds())
    tables = {payloads.TABLES: {table: asdict(counts) for table, counts in loaded.tables.items()}}
    done = {payloads.LOADED: asdict(loaded.batches), payloads.NEWEST: loaded.newest, **tables}
    rebuilding = loaded.rebuilding and asdict(loaded.rebuilding)
    return {**done, payloads.WAITING: behind or rebuilding is not None, payloads.REBUILDING: rebuilding}
