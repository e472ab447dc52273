"""Exchange rates: each day that the processed bucket has is judged and loaded once, beside the star and its batches."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import islice

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from totes.errors import TotesError
from totes.lake import Bucket
from totes.rates import DayOfRates, Judged, LastGood, days_of, judge, read_day
from totes.warehouse.ledger import LOCK, newest_entry

logger = logging.getLogger(__name__)

_AT_ONCE = 100
_READERS = 8
_PAGE = 1000
"""More rows than a day has, so that each goes in one statement."""


@dataclass(frozen=True, kw_only=True)
class LoadedRates:
    """What a load of rates came to.

    Attributes:
        days: how many days are new in the warehouse.
        up_to: the newest day with a good rate of a currency that the shop has; of several currencies, the earliest
            of these days. One that never had a rate does not count; None: none had.
        failed: why not all days could be loaded; empty: all could be.
    """

    days: int = 0
    up_to: date | None = None
    failed: str = ""


def load_rates(
    connection: Connection, processed: Bucket, base: str | None, *, time_is_up: Callable[[], bool] = lambda: False
) -> LoadedRates | None:
    """Load every day of rates that the warehouse does not hold yet, the earliest first.

    A hundred days commit together. An error is logged and returned, and fails no run: the batches are loaded, and the
    next load goes on. While another loader is at work, nothing is done.

    Args:
        connection: the warehouse, outside a transaction, its batches loaded.
        processed: the processed bucket.
        base: the ISO 4217 code of the reporting currency; None: amounts stay in their own.
        time_is_up: asked after each transaction whether to stop.

    Returns:
        The result; None if there is no reporting currency.
    """
    days = 0
    try:
        after = _report_in(connection, base)
        if base is None:
            return None
        waiting = days_of(processed, base, after)
        while chunk := list(islice(waiting, _AT_ONCE)):
            with ThreadPoolExecutor(_READERS) as readers:
                said = list(readers.map(lambda day: read_day(processed, base, day), chunk))
            if not _load(connection, said, after):
                break
            days += len(said)
            after = said[-1].day
            if time_is_up():
                break
        return LoadedRates(days=days, up_to=_up_to(connection, base))
    except (TotesError, psycopg2.Error, ValueError, LookupError, TypeError) as error:
        logger.exception("exchange rates were not loaded; the next run tries again")
        return LoadedRates(days=days, failed=str(error).strip())


def _report_in(connection: Connection, base: str | None) -> date | None:
    """Write which currency is the reporting currency; return `_newest_day` of its rates."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT code FROM etl.reporting_currency")
        if (row := cursor.fetchone()) != (base and (base,)):
            cursor.execute("DELETE FROM etl.reporting_currency")
            if base is not None:
                cursor.execute("INSERT INTO etl.reporting_currency (code) VALUES (%s)", (base,))
            logger.info("amounts are converted into %s; before: %s", base, row and row[0])
        return _newest_day(cursor, base)


def _newest_day(cursor: Cursor, base: str | None) -> date | None:
    """The newest day of a currency's rates that the warehouse holds."""
    cursor.execute("SELECT max(rate_date) FROM etl.rate_day WHERE base_currency = %s", (base,))
    [[newest]] = cursor.fetchall()
    return newest if isinstance(newest, date) else None


def _load(connection: Connection, days: Sequence[DayOfRates], after: date | None) -> bool:
    """Judge and write days in one transaction; return False if another loader is at work, or there is no batch yet.

    The same if the days do not follow the newest any more: somebody has taken back days of a wrong rate since the list
    was made, and with a later day in the warehouse those would not come again.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
        [[alone]] = cursor.fetchall()
        entry = newest_entry(cursor)
        if not alone or entry is None or _newest_day(cursor, days[0].base) != after:
            return False
        shop = _currencies(cursor) | {days[0].base}
        for said, judged in _judged(days, _last_good(cursor, days[0])):
            _write(cursor, said, judged, entry.batch, shop)
    return True


def _judged(days: Sequence[DayOfRates], last: dict[str, LastGood]) -> Iterator[tuple[DayOfRates, Judged]]:
    for said in days:
        judged = judge(said, last)
        last.update({code: LastGood(day=said.day, rate=rate) for code, rate in judged.good.items()})
        yield said, judged


def _last_good(cursor: Cursor, first: DayOfRates) -> dict[str, LastGood]:
    cursor.execute(
        "SELECT DISTINCT ON (currency) currency, rate_date, rate FROM public.fact_exchange_rate "
        "WHERE base_currency = %s AND rate_date < %s ORDER BY currency, rate_date DESC",
        (first.base, first.day),
    )
    return {code: LastGood(day=day, rate=rate) for code, day, rate in cursor.fetchall()}


def _write(cursor: Cursor, said: DayOfRates, judged: Judged, batch: int, shop: frozenset[str]) -> None:
    cursor.execute(
        "INSERT INTO etl.rate_day (base_currency, rate_date, batch_id) VALUES (%s, %s, %s)",
        (said.base, said.day, batch),
    )
    execute_values(
        cursor,
        "INSERT INTO public.fact_exchange_rate (rate_date, base_currency, currency, rate) VALUES %s "
        "ON CONFLICT DO NOTHING",  # they are there where only the ledger of days was lost
        [(said.day, said.base, code, rate) for code, rate in judged.good.items()],
        page_size=_PAGE,
    )
    execute_values(
        cursor,
        "INSERT INTO etl.refused_rate (base_currency, rate_date, currency, said, reason, of_shop) VALUES %s",
        [
            (said.base, said.day, code, said.rates.get(code, ""), reason, code in shop)
            for code, reason in judged.refused.items()
        ],
        page_size=_PAGE,
    )
    if sentences := [f"{code} {reason}" for code, reason in judged.refused.items() if code in shop]:
        logger.warning("exchange rates of %s are nonsense: %s", said.day, "; ".join(sentences))


def _currencies(cursor: Cursor) -> frozenset[str]:
    cursor.execute("SELECT currency_code FROM public.dim_currency WHERE NOT is_deleted")
    return frozenset(code for (code,) in cursor.fetchall())


def _up_to(connection: Connection, base: str) -> date | None:
    """The day up to which all currencies of the shop have rates; the log names those that are behind the others.

    A currency that no site publishes never had a rate and never will: nobody is to be woken for it every day.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            # For each currency the last entry of the key is looked up; a join would read every day of all currencies.
            "SELECT currency_code, newest FROM public.dim_currency CROSS JOIN LATERAL (SELECT max(rate_date) AS newest "
            "FROM public.fact_exchange_rate WHERE base_currency = %s AND currency = currency_code) AS known "
            "WHERE NOT is_deleted AND currency_code <> %s",
            (base, base),
        )
        newest = dict(cursor.fetchall())
    known = [day for day in newest.values() if day is not None]
    if behind := {code: day for code, day in sorted(newest.items()) if day != max(known, default=None)}:
        each = ", ".join(f"{code} (newest: {day or 'none'})" for code, day in behind.items())
        logger.info("other currencies of the shop have newer exchange rates than %s", each)
    return min(known, default=None)
