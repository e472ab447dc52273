"""Databases that a person names by URI: looked at before anything is built on them, and told to the functions."""

from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from workbench.errors import UserError

_OLDEST = 140000
_CONNECT_SECONDS = 10
_OWN_NAMES = {"user", "password", "host", "port", "dbname"}
_NO_PASSWORD = "none"  # noqa: S105 - what stands where a database wants none


def login(uri: str, role: str) -> dict[str, Any]:
    """Connect to a database once; return what its secret is to hold.

    Args:
        uri: of the database, in any form that libpq reads.
        role: "source" or "warehouse", for errors.

    Raises:
        UserError: the URI is not understood, nobody answers, the login is refused, the database is missing or its
            PostgreSQL is older than 14.
    """
    try:
        keywords = parse_dsn(uri)
    except psycopg2.ProgrammingError:
        raise UserError(  # without the parser's words, which quote the URI and so the password
            f"the {role}'s URI is not understood; it looks like postgresql://user:password@host:5432/database"
        ) from None
    try:
        connection = psycopg2.connect(uri, **{"connect_timeout": _CONNECT_SECONDS, **_timeout(keywords)})
    except psycopg2.OperationalError as error:
        raise UserError(_sentence(role, str(error).strip())) from None
    try:
        info = connection.info
        if info.server_version < _OLDEST:
            raise UserError(f"the {role} is PostgreSQL {info.server_version // 10000}; totes needs 14 or newer")
        return {
            "engine": "postgres",
            "host": info.host,
            "port": info.port,
            "username": info.user,
            "password": info.password or _NO_PASSWORD,
            "dbname": info.dbname,
            **_tls(info.host, info.ssl_in_use),
            **{name: value for name, value in keywords.items() if name not in _OWN_NAMES},
        }
    finally:
        connection.close()


def _tls(host: str, in_use: bool) -> dict[str, Any]:  # noqa: FBT001 - one of two ways
    """A server elsewhere would have to show a certificate; where a person's URI asks for none, it has its way."""
    if host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}:
        return {}
    return {"sslmode": "require" if in_use else "disable"}


def _timeout(keywords: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if name == "connect_timeout"}


def _sentence(role: str, said: str) -> str:
    words = said.splitlines()[0]
    if "authentication failed" in said or "no password supplied" in said:
        return f"the {role} refused the login, user or password is wrong: {words}"
    if "does not exist" in said:
        return f"the {role} has no such database or role: {words}"
    return f"the {role} cannot be reached: {words}"
