"""Sessions of databases that a person names by URI, with the person's libpq variables where these are restored.

A server elsewhere has to prove its name, or whoever is in between is told the password, which is often that of somebody
who may do anything. And functions are looked up in pg_catalog alone: elsewhere those who may create there could have
made one that fits better, which would act with the rights of whoever calls it
(https://www.postgresql.org/docs/current/typeconv-func.html).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from totes import connecting
from totes.database_errors import is_of_pooler
from totes.errors import UserError
from totes.tls import ANOTHER_NAME, VERIFY_CA, VERIFYING, bundle, is_here

_VERIFIED = "verify-full"
_OF_LIBPQ = Path("~/.postgresql/root.crt")
"""Where libpq looks for authorities when nobody names a file."""

_UNPROVED = ("certificate verify failed", ANOTHER_NAME, "root certificate file", "does not support SSL")
"""What libpq says where a server does not prove its name."""

SYSTEM = "system"
"""What libpq takes for the authorities that the machine trusts, in the place of a file."""

_CONNECT_SECONDS = 10

_PATH = "pg_catalog"


def keywords_of(uri: str, database: str) -> dict[str, Any]:
    """What a URI says, by libpq's keywords.

    Args:
        uri: of a database, in any form that libpq reads.
        database: what it is to the person, for errors: "source" or "warehouse".

    Raises:
        UserError: it is not understood.
    """
    try:
        return parse_dsn(uri)
    except psycopg2.ProgrammingError:
        raise UserError(  # without the parser's words, which quote the URI and so the password
            f"the {database}'s URI is not understood; it looks like postgresql://user:password@host:5432/database"
        ) from None


def connect(uri: str, database: str) -> Connection:
    """Open a session by a URI.

    Args:
        uri: of a database, in any form that libpq reads.
        database: what it is to the person, for errors: "source" or "warehouse".

    Raises:
        UserError: the URI is not understood, leads to a pooler, or asks for no name and names no authority; or the
            server does not prove its name.
        psycopg2.OperationalError: nobody answers, the login is refused, or there is no such database.
    """
    # A pooler would keep what SET says for its next client, as the shop: so the path comes with the session.
    theirs = keywords_of(uri, database).get("options", os.environ.get("PGOPTIONS", ""))
    with verified(uri, database):
        try:
            connection = connecting.connect(uri, options=f"{theirs} -c search_path={_PATH}")
        except psycopg2.OperationalError as error:
            said = " ".join(str(error).split())
            if is_of_pooler(error):
                raise _of_a_pooler(database, f"refuses the settings of a session: {said}") from None
            if not any(words in said for words in _UNPROVED):
                raise
            raise UserError(
                f"the {database}'s server does not prove its name by TLS, and was told no password: {said}. "
                f"{_proof(said)}"
            ) from None
    try:
        _must_have_its_path(connection, database)
    except BaseException:
        connection.close()
        raise
    return connection


def _proof(said: str) -> str:
    """What a person does where a server does not prove its name."""
    if ANOTHER_NAME in said:
        return (
            "Name the host as its certificate does. Where its authority signs for this server alone, as Cloud SQL's "
            f"does, sslmode={VERIFY_CA} beside sslrootcert=FILE, with that authority's certificates, proves it without "
            "the name"
        )
    return (
        "If its certificate is of another authority than RDS's, add sslrootcert=FILE to the URI, with the certificates "
        "of that authority; on a network that you trust sslmode=require does without a proof, and sslmode=disable "
        "without TLS"
    )


def _must_have_its_path(connection: Connection, database: str) -> None:
    """Refuse a session that lacks what it was opened with; nothing is set in it, nor locked, until this is known."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_setting('search_path')")
        [[path]] = cursor.fetchall()
    if path != _PATH:
        raise _of_a_pooler(database, f"drops the settings of a session: search_path is {path}")


def _of_a_pooler(database: str, what_it_does: str) -> UserError:
    return UserError(
        f"the {database}'s URI leads to a pooler, which {what_it_does}; name the database's own host in the URI (of "
        "Neon's hosts the one without -pooler, of Supabase's the direct one); nothing was changed"
    )


@contextmanager
def verified(uri: str, database: str) -> Iterator[None]:
    """Within this context, sessions by a URI have the server prove its name, unless the person has said otherwise.

    Args:
        uri: of a database, in any form that libpq reads.
        database: what it is to the person, for errors: "source" or "warehouse".

    Raises:
        UserError: the URI is not understood, or asks for no name and names no authority.
    """
    unsaid = _unsaid(keywords_of(uri, database), database)
    missing = {name: value for name, value in unsaid.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def tls_of(connection: Connection, *, is_tunnel: bool = False) -> dict[str, str]:
    """What a secret has to say for a login to be used with the same TLS.

    Args:
        connection: an administrator's.
        is_tunnel: whether an address of this machine leads to another one. Of a server that is here nothing is said.
    """
    info = connection.info
    if is_here(info.host) and not is_tunnel:
        return {}
    said: Mapping[str, str] = info.dsn_parameters
    file = said.get("sslrootcert", str(_OF_LIBPQ.expanduser()))
    mode = said["sslmode"]
    if mode == "require" and Path(file).exists():  # https://www.postgresql.org/docs/current/libpq-ssl.html
        mode = VERIFY_CA
    tls = {} if mode == _VERIFIED else {"sslmode": mode}
    if mode not in VERIFYING or file == str(bundle()):
        return tls
    return {**tls, "sslrootcert": file if file == SYSTEM else str(Path(file).absolute())}


def _unsaid(keywords: Mapping[str, Any], database: str) -> dict[str, str]:
    """Libpq's variables for what neither the URI nor the environment says."""
    said = {
        name: keywords.get(name) or os.environ.get(f"PG{name.upper()}")
        for name in ("host", "hostaddr", "service", "sslmode", "sslrootcert")
    }
    variables = {"PGCONNECT_TIMEOUT": str(_CONNECT_SECONDS)}
    hosts = (said["host"] or said["hostaddr"] or "/").split(",")
    if said["service"] is None and all(is_here(host) for host in hosts):
        return variables
    if (said["sslmode"] or _VERIFIED) in VERIFYING:
        variables["PGSSLMODE"] = _VERIFIED
        # With a file of authorities libpq would verify where a service says sslmode=require.
        if said["service"] is None and not _OF_LIBPQ.expanduser().exists():
            if said["sslmode"] == VERIFY_CA and said["sslrootcert"] is None:  # RDS signs for everybody's servers
                raise UserError(
                    f"nothing would prove which server the {database} is: sslmode={VERIFY_CA} looks at no name, so it "
                    "needs sslrootcert=FILE, with the certificates of an authority that signs for this server alone"
                )
            variables["PGSSLROOTCERT"] = str(bundle())
    return variables
