"""Connections to the database that is simulated in."""

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from totes import connecting
from totes.errors import UserError
from totes.sqlstate import first_line

_CONNECT_SECONDS = 10
_OPTIONS = "-c timezone=UTC -c datestyle=ISO -c lock_timeout=5s"
"""Whoever waits for a lock gives up in the end: a writer has to be able to stop."""


class Unreachable(UserError):
    """The database did not answer, or refused the login."""


def connect(uri: str) -> Connection:
    """Open a connection that names itself in pg_stat_activity.

    Raises:
        Unreachable: nobody answers, or the login is refused.
        UserError: the URI is not understood.
    """
    try:
        keywords = parse_dsn(uri)
    except psycopg2.ProgrammingError:
        # The parser's own message would quote the URI, and the password in it.
        raise UserError("the database's URI is not one; write postgresql://user:password@host:port/name") from None
    keywords |= {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "totes simulator",
        "options": f"{keywords.get('options', '')} {_OPTIONS}".strip(),
    }
    try:
        return connecting.connect(**keywords)
    except psycopg2.OperationalError as error:
        raise Unreachable(f"the database cannot be reached: {first_line(error)}") from error
