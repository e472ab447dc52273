"""How every session of totes is opened: it speaks UTF-8, and whoever refuses it is understood in any encoding."""

from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

_UNREADABLE = (
    "FATAL:  the server answered in words that are no UTF-8, which Python before 3.11.5 drops: a newer one shows them"
)
"""What to say for a server whose words are lost: https://github.com/python/cpython/issues/107915."""


def connect(dsn: str | None = None, **keywords: Any) -> Connection:
    """Open a session that speaks UTF-8, whatever else is said of its encoding.

    As a keyword of libpq's own the encoding wins over the one of a URI, of a secret, of the environment and of a role.

    A server refuses a login before it knows in which encoding: its words come in that of its machine. psycopg2 takes
    them for UTF-8, and raises a UnicodeDecodeError where they are not, or says nothing, in Python before 3.11.5.

    Args:
        dsn: where the database is, in any form that libpq reads.
        keywords: of libpq, which win over the same ones in `dsn`, and psycopg2's own.

    Raises:
        psycopg2.OperationalError: the database refuses or does not answer. What is no UTF-8 in its words is escaped, or
            all of them are left out.
        psycopg2.ProgrammingError: libpq does not know a keyword, or does not understand `dsn`.
        ValueError: a value has a character that libpq does not take.
    """
    given = keywords if dsn is None else {"dsn": dsn, **keywords}
    try:
        connection: Connection = psycopg2.connect(**{**given, "client_encoding": "UTF8"})
    except UnicodeDecodeError as error:
        raise psycopg2.OperationalError(error.object.decode(errors="backslashreplace")) from None
    except psycopg2.OperationalError as error:
        if str(error):
            raise
        raise psycopg2.OperationalError(_UNREADABLE) from None  # libpq's own errors always say something
    return connection
