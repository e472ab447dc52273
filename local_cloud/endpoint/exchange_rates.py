"""The public source of exchange rates, for functions that have no internet: the days that npm has installed here.

Nothing of AWS's: what the site cdn.jsdelivr.net answers of the same path, of two days.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from local_cloud.cdk import PROJECT

_DAYS = PROJECT / "toolchain" / "node_modules"
_PACKAGE = "exchange-rates-"
_PATH = re.compile(r"/npm/@fawazahmed0/currency-api@([0-9.]+|latest)/(v1/currencies/[a-z]{3}\.min\.json)")


class WithExchangeRates:
    """A WSGI application that answers what is asked of the source of rates, and hands all else on.

    Args:
        application: what answers all else.
        days: the folder of the packages, each of a day.
    """

    def __init__(self, application: WSGIApplication, days: Path = _DAYS) -> None:
        self._application = application
        self._days = days

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        asked = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        if asked is None:
            return self._application(environ, start)
        version, file = asked.groups()
        found = self._newest() if version == "latest" else self._days / f"{_PACKAGE}{version}"
        body = (found / file).read_bytes() if found is not None and (found / file).is_file() else None
        start("404 Not Found" if body is None else "200 OK", [("Content-Type", "application/json")])
        return [body or b""]

    def _newest(self) -> Path | None:
        def day(package: Path) -> list[int]:
            return [int(part) for part in package.name.removeprefix(_PACKAGE).split(".")]

        return max(self._days.glob(f"{_PACKAGE}*"), key=day, default=None)
