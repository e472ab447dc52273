"""Each day's answer of the source is kept in the lake as it came, and once more as it was read."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta

from totes.lake import Bucket
from totes.rates.days import DayOfRates, days_of, key_of
from totes.rates.source import RateSource, RatesUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The result of a call.

    Attributes:
        days: how many days are new in the lake.
        newest: the newest that the lake has; None: none.
        failed: why the source could not be asked for all days; empty: it could be.
    """

    days: int
    newest: date | None
    failed: str = ""


def fetch_rates(
    source: RateSource,
    ingestion: Bucket,
    processed: Bucket,
    *,
    base: str,
    since: date,
    codes: Collection[str],
    time_is_up: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Fetch the days that the lake does not have yet, the earliest first; a day that no site has stays out.

    A source that does not answer ends the call without an error: the next call goes on from there. A site that does not
    answer ends it too, if the others do not have the day: a day that is skipped is never asked for again.

    Args:
        source: the source.
        ingestion: the bucket that raw answers are kept in.
        processed: the bucket that the days are kept in which were read from them.
        base: the ISO 4217 code of the reporting currency.
        since: the first day that is wanted.
        codes: the ISO 4217 codes that are kept.
        time_is_up: asked before each day whether to stop.

    Raises:
        LakeUnavailable: the store did not answer or refused for the moment.
        ConfigurationError: a bucket is missing, or may not be listed, read or written.
    """
    held = list(days_of(ingestion, base))
    newest = held[-1] if held else None
    new: list[date] = []
    failed = ""
    try:
        last = source.newest_day(base)
        day = since if newest is None else newest + timedelta(days=1)
        while day <= last and not time_is_up():
            body = source.of_day(base, day)
            if body is not None:
                ingestion.put_new(key_of(base, day), body)
                new.append(day)
            day += timedelta(days=1)
    except RatesUnavailable as error:
        logger.warning("%s", error)
        failed = str(error)
    # All days of the bucket, not only the new ones: an earlier call may have kept a day and ended before it was read.
    for day in sorted({*held, *new} - {*days_of(processed, base)}):
        said = DayOfRates.from_answer(ingestion.get(key_of(base, day)), day, base, codes)
        processed.put_new(key_of(base, day), said.to_json())
    return Fetched(days=len(new), newest=new[-1] if new else newest, failed=failed)
