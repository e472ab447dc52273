"""Connections to the two databases, opened with what their secrets say at that moment."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection

from totes import clients
from totes.errors import ConfigurationError, LoginRefused, RetryableError, StatementRefused, TotesError
from totes.logins import NoSuchVersion, database_of, login
from totes.tls import PEM, with_tls

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

logger = logging.getLogger(__name__)

_RENAMED = {"username": "user"}

_NOT_FOR_LIBPQ = {"engine", "dbInstanceIdentifier", "dbClusterIdentifier", "masterarn"}
"""What AWS's own secrets of databases say beyond the login."""

_CONNECT_SECONDS = 10

_ANSWER = ":  "
"""A refusal sent by the server has this separator after its severity; errors made by libpq never have it.

The text cannot be used: it may be in any language (`lc_messages`). libpq's own errors are in English.
https://github.com/postgres/postgres/blob/REL_17_STABLE/src/interfaces/libpq/fe-protocol3.c (pqBuildErrorMessage3)
"""

_WRONG_PASSWORD = ("authentication failed",)

_NOT_TRUSTED = ("certificate verify failed", "does not match host name", "server does not support SSL")

_ROW_SECURITY = "check_enable_rls"
"""The function of the server's that finds that row-level security would hide rows; its words may be in any language."""

_RETRYABLE = ("08", "57P", "40001", "40P01", "55P03", "53300", "53100", "57014", "25P03", "25P04", "72000")
"""SQLSTATEs, by their beginnings, of what passes by itself: a connection lost, a server that shuts down or starts, a
deadlock, a lock that somebody holds, no connection or no room on the disk left, a statement or session that somebody
has ended, a snapshot that has become too old. Of the same classes others do not pass: 53200 (memory and locks) and
53400 (a limit of the configuration)."""

_LIMITS = ("53",)

_OF_A_VALUE = ("22", "XX")
"""Errors that a single row may cause: a value that cannot be computed, converted or sent, or that is damaged."""

_NOT_TO_BE_RETRIED = (
    "does not exist",
    "no pg_hba.conf entry",
    "no password supplied",
    "not permitted to log in",
    "permission denied for database",
)
"""Words of refusals at connect that no later try would cure; these have no SQLSTATE in psycopg2."""

_PASSING = (
    "the database system is",
    "too many",
    "connection slots",
    "no more connections",
    "could not fork",
    "terminating connection",
    "timeout",
)
"""Words of refusals at connect that pass by themselves: a server that starts or stops, or has no room for one more."""

_OF_A_POOLER = ("command-line options", "unsupported startup parameter")
"""Words by which a pooler of connections refuses a session's settings: RDS Proxy, and PgBouncer."""

_SESSION = {
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "search_path": "public",
    # A login acts as itself, whatever role is set for it: the remedies of errors name it, a rotation changes the
    # password of CURRENT_USER, and RESET ROLE comes back to it. What its memberships allow it may still do.
    "role": "none",
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "off",
    # A loader that waited for another must see what that one has loaded.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # A query that row-level security would shorten fails instead.
    "row_security": "off",
    # What a role or database sets for people must not end a long read or load: the functions have a time of their own.
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "lock_timeout": "1min",
    # A client that vanished without a word must not hold a lock, or the source's horizon, for hours.
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


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
    knows may be the pending one, so that is tried too.

    Args:
        secret: ARN or name of the secret; its JSON has host, port, username, password and dbname, and may have
            any other keyword of a libpq connection string, such as sslmode.
        login_name: what the database is to totes ("source", "warehouse"); named in errors and in pg_stat_activity.
        unavailable: what to raise when the database does not answer, or breaks off while the connection is in use.
        client: the Secrets Manager client to ask; one of the process's own environment by default.

    Raises:
        NotFilledIn: nobody has stored a login in the secret; NotFilledInYet, where it is less than a day old.
        ConfigurationError: the secret cannot be read or is not understood, the database is not there, or the role
            lacks a permission.
        LoginRefused: the database knows neither the current nor the pending password, or answers in words that are
            not known here.
        RetryableError: `unavailable`, with the database's own sentence.
    """
    secrets = client or clients.secrets_manager()
    with _session(lambda: _opened(secrets, secret, login_name), secret, login_name, unavailable) as connection:
        yield connection


@contextmanager
def connected_as_master(secret: str, master: str, *, unavailable: type[RetryableError]) -> Iterator[Connection]:
    """Open a connection to the warehouse that a secret names, as the master whose name and password another one has.

    Raises:
        As `connected` does.
    """
    secrets = clients.secrets_manager()
    values = {**login(secrets, secret), **login(secrets, master, needed=("username", "password"))}
    with _session(lambda: open_session(values, "init"), master, "warehouse", unavailable) as connection:
        yield connection


@contextmanager
def _session(
    opened: Callable[[], Connection], secret: str, login_name: str, unavailable: type[RetryableError]
) -> Iterator[Connection]:
    try:
        connection = opened()
    except psycopg2.OperationalError as error:
        raise _refused(login_name, secret, error, unavailable) from error
    except (psycopg2.ProgrammingError, ValueError) as error:
        raise not_taken(secret, error) from None
    try:
        with translated_errors(connection, login_name, unavailable):
            yield connection
    finally:
        connection.close()


def not_taken(secret: str, error: psycopg2.ProgrammingError | ValueError) -> ConfigurationError:
    """Return what to raise of a login that libpq does not take; a ValueError is not quoted, it may have the password.

    Args:
        secret: ARN or name of the secret.
        error: what `open_session` raised.
    """
    what = "a character that no setting may have" if isinstance(error, ValueError) else _sentence(error)
    return ConfigurationError(
        f"secret {secret} says what libpq does not take: {what}; totes secrets set stores it again"
    )


@contextmanager
def translated_errors(connection: Connection, login_name: str, unavailable: type[RetryableError]) -> Iterator[None]:
    """Turn what psycopg2 raises of a connection into an error named by what to do; others pass unchanged.

    Args:
        connection: the connection.
        login_name: "source" or "warehouse".
        unavailable: the error for a database that breaks off, is full, deadlocks or shuts down.

    Raises:
        ConfigurationError: a permission is missing, row-level security would hide rows, or a limit of the server is
            too low.
        RetryableError: `unavailable`.
        StatementRefused: the database refused a statement for any other reason.
    """
    try:
        yield
    except psycopg2.Error as error:
        if not _is_of(connection, error):
            raise
        raise _translated(error, login_name, unavailable) from error


def _is_of(connection: Connection, error: psycopg2.Error) -> bool:
    """Whether an error is a connection's own; of two in use at once, one's passes through the context of the other."""
    if error.cursor is not None:
        return error.cursor.connection is connection
    if isinstance(error, psycopg2.InterfaceError):  # "connection already closed"
        return bool(connection.closed)
    return True


def _translated(error: psycopg2.Error, login_name: str, unavailable: type[RetryableError]) -> TotesError:
    code, sentence = error.pgcode, _sentence(error)
    if code is None and isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return unavailable(f"the {login_name} broke off: {sentence}")
    if code is not None and code.startswith(_RETRYABLE):
        return unavailable(f"the {login_name} broke off: {sentence}")
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        remedy = "give it BYPASSRLS" if error.diag.source_function == _ROW_SECURITY else "GRANT it"
        return ConfigurationError(f"the {login_name}'s role lacks a permission: {sentence}; {remedy}")
    if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
        return ConfigurationError(f"the {login_name} takes no writes: {sentence}; name its primary in the secret")
    if code is not None and code.startswith(_LIMITS):
        return ConfigurationError(f"the {login_name}'s server is at a limit ({code}): {sentence}; raise it")
    reading = "".join(f" {note}" for note in getattr(error, "__notes__", ()))  # which table, where one was read
    remedy = "; find that row, and fix or delete it" if reading and str(code).startswith(_OF_A_VALUE) else ""
    return StatementRefused(f"the {login_name} refused a statement ({code}){reading}: {sentence}{remedy}")


def _opened(secrets: "SecretsManagerClient", secret: str, login_name: str) -> Connection:
    """Open a connection by the first version of the secret whose password the database knows."""
    try:
        return open_session(login(secrets, secret), login_name)
    except psycopg2.OperationalError as refusal:
        if not _is_answer(refusal):
            raise  # who does not answer is not waited for once more: no other password would help
        logger.info("%s refused the login (%s); fetching its secret afresh", login_name, _sentence(refusal))
        # Whatever it says: a server may speak another language than English, and a refusal has no SQLSTATE here.
        with suppress(NoSuchVersion, psycopg2.OperationalError):
            return open_session(login(secrets, secret, "AWSPENDING"), login_name)
        return open_session(login(secrets, secret), login_name)  # what was pending may have become current meanwhile


def open_session(values: Mapping[str, Any], login_name: str) -> Connection:
    """Open a connection with a login, in a session that speaks UTF-8, UTC and ISO, whatever is set elsewhere.

    Args:
        values: host, port, username, password and dbname, and any other keyword of libpq; see also `totes.tls`.
        login_name: what the database is to totes; named in pg_stat_activity.

    Raises:
        ConfigurationError: the certificates that it is to be verified by are missing.
        psycopg2.OperationalError: the database refuses or does not answer.
        psycopg2.ProgrammingError: libpq does not know a keyword.
        ValueError: a value has a character that libpq does not take, or certificates one that is not ASCII.
    """
    keywords = {_RENAMED.get(str(key), str(key)): value for key, value in values.items() if key not in _NOT_FOR_LIBPQ}
    with with_tls(keywords) as completed:
        connection: Connection = psycopg2.connect(
            **{
                "connect_timeout": _CONNECT_SECONDS,
                # A server that is gone without a word is noticed in a minute, whether it is spoken to or waited for.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
                **completed,
                "application_name": f"totes {login_name}",
                "options": " ".join([keywords.get("options", ""), *_options(_SESSION)]),
            }
        )
    connection.autocommit = True
    with connection.cursor() as cursor:
        if connection.server_version >= _TRANSACTION_TIMEOUT:
            cursor.execute("SET transaction_timeout = 0")
        with suppress(psycopg2.errors.InvalidParameterValue):  # of a server on Windows, which cannot look
            cursor.execute("SET client_connection_check_interval = %s", [_LOOK_FOR_THE_CLIENT])
    connection.autocommit = False
    return connection


def identity_of(connection: Connection) -> tuple[int, int]:
    """Which database a connection leads to, whatever its server is called: the cluster's identifier, its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, oid::bigint FROM pg_control_system(), pg_catalog.pg_database "
            "WHERE datname = current_database()"
        )
        [[cluster, database]] = cursor.fetchall()
        return cluster, database


def _options(settings: Mapping[str, str]) -> Iterator[str]:
    """Settings as the words of libpq's `options`, in which a blank within a value has a backslash before it."""
    for name, value in settings.items():
        escaped = value.replace(" ", "\\ ")
        yield f"-c {name}={escaped}"


def _refused(login_name: str, secret: str, error: Exception, unavailable: type[RetryableError]) -> Exception:
    sentence = _sentence(error)
    remedy = (
        f"if nobody is just changing the password, make the role (totes init {database_of(login_name)}) or store the "
        f"right login (totes secrets set {login_name})"
    )
    if _says(error, _WRONG_PASSWORD):
        return LoginRefused(f"the {login_name} refused the login in secret {secret}: {sentence}; {remedy}")
    if _says(error, _NOT_TRUSTED):
        return ConfigurationError(
            f"the {login_name} that secret {secret} names is not trusted: {sentence}; store the host's right name, or "
            f"the certificates of its authority as {PEM}"
        )
    if _says(error, _OF_A_POOLER):
        return ConfigurationError(
            f"the {login_name} that secret {secret} names is a pooler, which refuses the settings that a session of "
            f"totes needs: {sentence}; store the database's own host (totes secrets set {login_name})"
        )
    if _says(error, _NOT_TO_BE_RETRIED):
        return ConfigurationError(f"the {login_name} refused the login in secret {secret}: {sentence}")
    if _is_answer(error) and not _says(error, _PASSING):
        # Most likely in another language. LoginRefused is tried again, for it may be a server that is just starting:
        # to try a missing database a few times is the lesser harm than to wake somebody for each restart. And it says
        # that somebody has answered, so that nobody looks for a fault of the network.
        return LoginRefused(
            f"the {login_name} answered the login in secret {secret} by words that totes does not know: {sentence}; "
            f"where they refuse it: {remedy}"
        )
    return unavailable(f"the {login_name} cannot be reached: {sentence}")


def _is_answer(error: Exception) -> bool:
    """Whether the server, and not libpq, has refused a connection, in whatever language."""
    return _ANSWER in str(error)


def _says(error: Exception, words: Iterable[str]) -> bool:
    return any(each in str(error) for each in words)


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
