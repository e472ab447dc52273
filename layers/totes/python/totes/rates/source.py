"""The source of rates: a public site with a file for each day and currency, over HTTP, and a substitute for it."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import urllib3

from totes.errors import TotesError

_LATEST = "latest"
_TIMEOUT = urllib3.Timeout(connect=5, read=15)
_OK = 200
_NOT_THERE = 404
_MOST_BYTES = 1_000_000


class RatesUnavailable(TotesError):
    """No site of the source has said what was asked for, and not every site has answered; the next call asks again."""


class RateSource:
    """Sites that say the same; one is asked if those before it do not answer, do not have the day, or answer no JSON.

    A site may keep fewer days than another. So if a site does not have a day, another that does not answer may have it.

    Args:
        sites: their URLs, with {base} for the currency in small letters and for the day either {version}, as npm counts
            days (2024.3.4), or {day} (2024-03-04); both are the word latest for the newest.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self._sites = sites
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def newest_day(self, base: str) -> date:
        """Ask which day is the newest that there is.

        Raises:
            RatesUnavailable: no site says so.
        """
        url, body = self._ask(base, _LATEST, _LATEST)
        try:
            newest = date.fromisoformat(json.loads(body or b"")["date"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RatesUnavailable(f"{url} does not say which day is the newest: {error}") from error
        if newest > datetime.now(UTC).date() + timedelta(days=1):
            raise RatesUnavailable(f"{url} says that {newest} is the newest day, which has not come yet")
        return newest

    def of_day(self, base: str, day: date) -> bytes | None:
        """Ask for a day, and return the answer as it came, whatever it says; None if no site has the day.

        Raises:
            RatesUnavailable: no site has sent the day, and not every site has answered.
        """
        _, body = self._ask(base, f"{day.year}.{day.month}.{day.day}", day.isoformat())
        return body

    def _ask(self, base: str, version: str, day: str) -> tuple[str, bytes | None]:
        """The address of the site that has answered, and what it said; None if no site has anything."""
        problems: list[str] = []
        answered, no_json, all_answered = self._sites[0], None, True
        for site in self._sites:
            url = site.format(base=base.lower(), version=version, day=day)
            try:
                answer = self._http.request("GET", url, preload_content=False)
                body = answer.read(_MOST_BYTES)
                answer.release_conn()
            except urllib3.exceptions.HTTPError as error:
                problems.append(f"{url}: {error}")
                all_answered = False
                continue
            if answer.status == _OK and _is_json(body):
                return url, body
            if answer.status == _OK:
                answered, no_json = url, body
            all_answered = all_answered and answer.status in (_OK, _NOT_THERE)
            problems.append(f"{url}: {'no JSON' if answer.status == _OK else f'status {answer.status}'}")
        if all_answered:
            return answered, no_json
        raise RatesUnavailable(f"no site of rates answers with any; the next call asks again: {'; '.join(problems)}")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
