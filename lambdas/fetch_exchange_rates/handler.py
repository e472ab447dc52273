"""fetch_exchange_rates: a few times a day, what a currency is worth comes into the lake, day by day."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from totes_runtime.handlers import is_nearly_over, logger, watched
from totes.lake import Bucket
from totes.rates import RateSource, fetch_rates
from totes.settings import RateSettings
from totes.star.iso_4217 import CURRENCY_NAMES
from totes_runtime.rates import report_failure


@watched
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Fetch the days that the lake does not have yet; return how many came, and the newest that it has."""
    settings = RateSettings.from_environment()
    fetched = fetch_rates(
        RateSource(settings.sites),
        Bucket(settings.ingestion_bucket),
        Bucket(settings.processed_bucket),
        base=settings.reporting_currency,
        since=settings.since,
        codes=CURRENCY_NAMES,
        time_is_up=is_nearly_over(context),  # the next call is hours away
    )
    report_failure(fetched.failed)
    logger.info("exchange rates of %d days came; the newest is of %s", fetched.days, fetched.newest)
    return {"days": fetched.days, "newest": fetched.newest and fetched.newest.isoformat(), "failed": fetched.failed}
