"""processed_bucket_to_warehouse: every batch of star rows that waits is loaded, once."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.databases import connected
from totes.errors import WarehouseUnavailable
from totes.lake import Bucket
from totes.settings import LoadSettings
from totes.star import STAR_TABLES
from totes.warehouse import load

logger = Logger(service="totes")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Load what waits; return the batches' numbers, the newest in the warehouse, and a tally for every star table."""
    logger.append_keys(execution=event.get("execution"))
    settings = LoadSettings.from_environment()
    with connected(settings.warehouse_secret, role="warehouse", unavailable=WarehouseUnavailable) as warehouse:
        loaded = load(warehouse, Bucket(settings.processed_bucket), STAR_TABLES)
    return {
        "loaded": list(loaded.batches),
        "newest": loaded.newest,
        "tables": {table: asdict(tally) for table, tally in loaded.tables.items()},
    }
