"""Connections to the two databases, opened with what their secrets say at that moment."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection

from totes import clients
from totes.connecting import connect
from totes.database_errors import is_answer, login_refused, not_taken, remedy_of, translated_errors
from totes.errors import ConfigurationError, RetryableError, TotesError
from totes.logins import NoSuchVersion, login, previous_login
from totes.sqlstate import first_line
from totes.tls import with_tls

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

logger = logging.getLogger(__name__)

_RENAMED = {"username": "user"}

_NOT_FOR_LIBPQ = {"engine", "dbInstanceIdentifier", "dbClusterIdentifier", "masterarn"}
"""What AWS's own secrets of databases say beyond the login."""

_CONNECT_SECONDS = 10

_SESSION = {
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    # Anybody who may create in a schema of this path could put a function or an operator there that fits a call of
    # totes' better than PostgreSQL's own, and it would run with the rights of this session. So tables and types of
    # other schemas are named with these.
    "search_path": "pg_catalog",
    # A login acts as itself, whatever role is set for it: the remedies of errors name it, a rotation changes the
    # password of CURRENT_USER, and RESET ROLE comes back to it. What its memberships allow it may still do.
    "role": "none",
    "standard_conforming_strings": "on",
    # What is looked up by its place would be looked for in the whole table, again and again.
    "enable_tidscan": "on",
    # A loader that waited for another must see what that one has loaded.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # A query that row-level security would shorten fails instead.
    "row_security": "off",
    # A rebuild would make its tables elsewhere, or in another way, than those that it is to replace.
    "default_tablespace": "",
    "temp_tablespaces": "",
    "default_table_access_method": "heap",
    # What a role or database sets for people must not end a long read or load: the functions have a time of their own.
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "lock_timeout": "1min",
    # A client that vanished without a word must not hold a lock, or the source's horizon, for hours.
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    # A client that stores a part in the lake, and reads nothing from a COPY meanwhile, has not vanished.
    "tcp_user_timeout": "0",
}


_SIGNS = ("client_encoding", "search_path", "row_security", "idle_in_transaction_session_timeout")
"""Settings of `_SESSION` that show whether a session has them: a pooler may be told to drop what it does not know."""

# Nothing is known yet of where the session looks for functions.
_SIGNS_SHOWN = """
    SELECT name, pg_catalog.current_setting(name)
    FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[])) AS signs (name)
"""

_WRITERS = ("warehouse", "init")
"""Who may write more than a row: the loader, and whoever makes the roles of a warehouse of totes' own."""

_OF_SERVER = ("default", "environment variable", "configuration file", "command line")
"""Where pg_settings says that a setting comes from which is the server's own, and not a role's or a database's."""

# A server whose disk is nearly full is made read-only in this way by whoever runs it. A writer who did not obey would
# go on until the log finds no room, and the server ends. What is set for people, by role or database, is none of this.
_MAY_WRITE = """
    SELECT set_config(name, 'off', false) FROM pg_settings
    WHERE name = 'default_transaction_read_only' AND NOT (%s AND source = ANY(%s))
"""

_OF_VARIABLES = ("timezone", "datestyle")
"""Settings of `_SESSION` that libpq sends too where a variable of the environment says them (PGTZ, PGDATESTYLE); what
is sent like this wins over `options`."""

_TRANSACTION_TIMEOUT = 17_00_00
"""The first version of PostgreSQL that has transaction_timeout; others refuse a connection that names it."""

_LOOK_FOR_THE_CLIENT = "5s"
"""How often a server looks whether its client is still there while a statement is under way: else a killed function's
lock stays until its statement ends."""


@contextmanager
def connected(
    secret: str, *, login_name: str, unavailable: type[RetryableError], client: "SecretsManagerClient | None" = None
) -> Iterator[Connection]:
    """Open a connection with the credentials in a secret, and close it at the end.

    A refused login carries no code that tells a rotated password from another cause, so any refusal of the database's
    is answered by fetching the secret afresh. While a rotation is between its steps the password that the database
    knows may be the pending one, and once the database was restored to before its last rotation it is the previous
    one, so these are tried too.

    Args:
        secret: ARN or name of the secret; its JSON has host, port, username, password and dbname, and may have
            any other keyword of a libpq connection string, such as sslmode.
        login_name: what the database is to totes ("source", "warehouse"); named in errors and in pg_stat_activity.
        unavailable: what to raise when the database does not answer, or the connection is lost while it is in use.
        client: the Secrets Manager client to ask; one of the process's own environment by default.

    Raises:
        NotFilledIn: nobody has stored a login in the secret; NotFilledInYet, where it is less than a day old.
        ConfigurationError: the secret cannot be read or is not understood, the database is not there, or the role
            lacks a permission.
        LoginRefused: the database knows none of the current, the pending and the previous password, or answers in
            words that are not known here.
        RetryableError: `unavailable`, with the database's own sentence.
    """
    secrets = client or clients.secrets_manager()
    opened = partial(_opened, secrets, secret, login_name)
    with _session(opened, secret, login_name, unavailable, remedy_of(login_name)) as connection:
        yield connection


@contextmanager
def connected_as_master(secret: str, master: str, *, unavailable: type[RetryableError]) -> Iterator[Connection]:
    """Open a connection to the warehouse that a secret names, as the master whose name and password another one has.

    Raises:
        As `connected` does.
    """
    secrets = clients.secrets_manager()
    values = {**login(secrets, secret), **login(secrets, master, needed=("username", "password"))}
    instance, _, _ = str(values["host"]).partition(".")
    remedy = (
        "RDS itself changes this password every week, so try again in a minute; if somebody else has changed it, let "
        f"RDS give it a new one (aws rds modify-db-instance --db-instance-identifier {instance} "
        "--rotate-master-user-password --apply-immediately)"
    )
    opened = partial(open_session, values, "init")
    with _session(opened, master, "warehouse", unavailable, remedy) as connection:
        yield connection


@contextmanager
def _session(
    opened: Callable[[], Connection], secret: str, login_name: str, unavailable: type[RetryableError], remedy: str
) -> Iterator[Connection]:
    try:
        connection = opened()
    except psycopg2.OperationalError as error:
        raise login_refused(login_name, secret, error, unavailable, remedy) from error
    except (psycopg2.ProgrammingError, ValueError) as error:
        raise not_taken(secret, error) from None
    try:
        with translated_errors(connection, login_name, unavailable):
            yield connection
    finally:
        connection.close()


def _opened(secrets: "SecretsManagerClient", secret: str, login_name: str) -> Connection:
    """Open a connection by the first version of the secret whose password the database knows."""
    try:
        return open_session(login(secrets, secret), login_name)
    except psycopg2.OperationalError as refusal:
        if not is_answer(refusal):
            raise  # who does not answer is not waited for once more: no other password would help
        logger.info("%s refused the login (%s); fetching its secret afresh", login_name, first_line(refusal))
        # Whatever it says: a server may speak another language than English, and a refusal has no SQLSTATE here.
        with suppress(NoSuchVersion, psycopg2.OperationalError):
            return open_session(login(secrets, secret, "AWSPENDING"), login_name)
    current = login(secrets, secret)  # what was pending may have become current meanwhile
    try:
        return open_session(current, login_name)
    except psycopg2.OperationalError as refusal:
        if is_answer(refusal) and (connection := _opened_by_previous(secrets, secret, login_name, current)) is not None:
            return connection
        raise


def _opened_by_previous(
    secrets: "SecretsManagerClient", secret: str, login_name: str, current: Mapping[str, Any]
) -> Connection | None:
    """Open a connection by the password before the current one; None where the database does not know that either."""
    with suppress(TotesError, psycopg2.OperationalError):  # the refusal of the current one says more
        if (previous := previous_login(secrets, secret, current)) is not None:
            connection = open_session(previous, login_name)
            logger.warning(
                "the %s knows only the password that secret %s had before its last change: it was restored to an "
                "earlier state, or somebody has put that password back; totes secrets rotate %s gives it a new one",
                login_name,
                secret,
                login_name,
            )
            return connection
    return None


def open_session(values: Mapping[str, Any], login_name: str) -> Connection:
    """Open a connection with a login, in a session that speaks UTF-8, UTC and ISO, whatever is set elsewhere.

    Args:
        values: host, port, username, password and dbname, and any other keyword of libpq; see also `totes.tls`.
        login_name: what the database is to totes; named in pg_stat_activity.

    Raises:
        ConfigurationError: the certificates that it is to be verified by are missing, or a pooler drops the settings.
        psycopg2.OperationalError: the database refuses or does not answer.
        psycopg2.ProgrammingError: libpq does not know a keyword.
        ValueError: a value has a character that libpq does not take, or certificates one that is not ASCII.
    """
    keywords = {_RENAMED.get(str(key), str(key)): value for key, value in values.items() if key not in _NOT_FOR_LIBPQ}
    with with_tls(keywords) as completed:
        connection = connect(
            **{
                "connect_timeout": _CONNECT_SECONDS,
                # A server that is gone without a word is noticed in a minute and a half, whether it is spoken to or
                # waited for: the last of these outweighs the count before it (tcp(7)). In less, one that waits for a
                # lock, and reads nothing meanwhile for up to a minute, would be taken for gone.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 90_000,
                **completed,
                "application_name": f"totes {login_name}",
                "options": " ".join([keywords.get("options", ""), *_options(_SESSION)]),
            }
        )
    try:
        _complete_settings(connection, login_name)
    except BaseException:
        connection.close()
        raise
    return connection


def _complete_settings(connection: Connection, login_name: str) -> None:
    """Check that the session has the settings it was opened with, and add those that not every server knows."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_SIGNS_SHOWN, [list(_SIGNS)])
        if dropped := [f"{name} is {value}" for name, value in cursor.fetchall() if value != _SESSION[name]]:
            raise ConfigurationError(
                f"the session 'totes {login_name}' lacks settings that it was opened with ({', '.join(dropped)}): a "
                "pooler drops them, such as PgBouncer with ignore_startup_parameters = options; store the database's "
                "own host (totes secrets set LOGIN)"
            )
        for name in _OF_VARIABLES:
            cursor.execute(f"SET {name} = %s", [_SESSION[name]])
        cursor.execute(_MAY_WRITE, [login_name in _WRITERS, [*_OF_SERVER]])
        if connection.server_version >= _TRANSACTION_TIMEOUT:
            cursor.execute("SET transaction_timeout = 0")
        with suppress(psycopg2.errors.InvalidParameterValue):  # of a server on Windows, which cannot look
            cursor.execute("SET client_connection_check_interval = %s", [_LOOK_FOR_THE_CLIENT])
    connection.autocommit = False


def identity_of(connection: Connection) -> tuple[int, int]:
    """Which database a connection leads to, whatever its server is called: the cluster's identifier, its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, oid::bigint FROM pg_control_system(), pg_catalog.pg_database "
            "WHERE datname = current_database()"
        )
        [[cluster, database]] = cursor.fetchall()
        return cluster, database


def are_one_database(one: Connection, other: Connection) -> bool:
    """Return whether two connections lead to one database, or one to what may be a standby of the other's.

    Servers that were made of one image or RDS snapshot have its identifiers. Two primaries that started at different
    moments are two servers; a standby is taken for one of the other's. A server that restarts between the two questions
    is not taken for two: both connections are open by then, and that ends them.

    Args:
        one: a connection.
        other: one that is open at the same time.

    Raises:
        psycopg2.errors.InsufficientPrivilege: a server does not tell which one it is.
        psycopg2.Error: a connection was lost.
    """
    if identity_of(one) != identity_of(other):
        return False
    in_recovery, started = _start_of(one)
    other_in_recovery, other_started = _start_of(other)
    return in_recovery or other_in_recovery or started == other_started


def _start_of(connection: Connection) -> tuple[bool, datetime]:
    """Whether a server is a standby, and when it started."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_postmaster_start_time()")
        [[in_recovery, started]] = cursor.fetchall()
        return in_recovery, started


def _options(settings: Mapping[str, str]) -> Iterator[str]:
    """Settings as the words of libpq's `options`, in which a blank within a value has a backslash before it."""
    for name, value in settings.items():
        escaped = value.replace(" ", "\\ ")
        yield f"-c {name}={escaped}"
