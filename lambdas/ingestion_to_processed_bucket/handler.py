"""ingestion_to_processed_bucket: every batch that waits in the lake becomes star rows."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes.lake import Bucket
from totes.settings import StarSettings
from totes.star import STAR_TABLES, transform
from totes_runtime import watched


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Transform what waits; return the batches' numbers and the newest in the processed bucket."""
    settings = StarSettings.from_environment()
    transformed = transform(Bucket(settings.ingestion_bucket), Bucket(settings.processed_bucket), STAR_TABLES)
    return {"transformed": list(transformed.batches), "newest": transformed.newest}
