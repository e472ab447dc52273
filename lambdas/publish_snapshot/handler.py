"""publish_snapshot: what the warehouse says becomes files for the dashboard, and the page beside them is up to date."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import metrics, watched
from totes import payloads
from totes.dashboard_snapshot import Folder, publish, put_page, say_failed
from totes.databases import connected
from totes.errors import WarehouseUnavailable
from totes.names import DATA, SITE
from totes.settings import PublishSettings
from totes.telemetry import PUBLISHED

PAGE = Path(__file__).parent / "page"


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Publish what is new; or say that a run has failed, where `failed` names the step at which.

    `seen` is when the source was looked at, and `waiting` says whether not all of what was found there is loaded yet.
    """
    settings = PublishSettings.from_environment()
    data = Folder(settings.dashboard_bucket, DATA)
    if step := event.get(payloads.FAILED):
        return {payloads.SAID: say_failed(data, step, datetime.now(UTC))}
    seen = event.get(payloads.SEEN) if not any(event.get(payloads.WAITING, [])) else None
    with connected(settings.dashboard_secret, login_name="dashboard", unavailable=WarehouseUnavailable) as warehouse:
        published = publish(warehouse, data, checked_at=datetime.fromisoformat(seen) if seen else None)
    put_page(Folder(settings.dashboard_bucket, SITE), PAGE, settings.page)
    metrics.add_metric(PUBLISHED, MetricUnit.Count, 1)
    batch, written = (published.batch, published.bytes) if published else (0, 0)
    return {payloads.PUBLISHED: batch, payloads.WRITTEN: written}
