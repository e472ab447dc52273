"""Errors of the databases become errors named by what to do: those of a refused login, and those of a statement."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection

from totes.errors import ConfigurationError, LoginRefused, RetryableError, StatementRefused, TotesError
from totes.lock_holders import AGAINST_READERS, AGAINST_WRITERS, lock_holders
from totes.logins import database_of
from totes.sqlstate import (
    CONNECTION_EXCEPTION,
    DATA_EXCEPTION,
    INSUFFICIENT_RESOURCES,
    first_line,
    is_of_class,
    remedy_of_names,
)
from totes.tls import ANOTHER_NAME, PEM, VERIFY_CA

_ANSWER = ":  "
"""A refusal sent by the server has this separator after its severity; errors made by libpq never have it.

The text cannot be used: it may be in any language (`lc_messages`). libpq's own errors are in English.
https://github.com/postgres/postgres/blob/REL_17_STABLE/src/interfaces/libpq/fe-protocol3.c (pqBuildErrorMessage3)
"""

_WRONG_PASSWORD = ("authentication failed",)

_NOT_TRUSTED = ("certificate verify failed", ANOTHER_NAME, "server does not support SSL")

_ROW_SECURITY = "check_enable_rls"
"""The function of the server's that finds that row-level security would hide rows; its words may be in any language."""

_RETRYABLE = ("57P", "40001", "40P01", "55P03", "53300", "53100", "57014", "58030", "25P03", "25P04", "72000")
"""SQLSTATEs, by their beginnings, of what passes by itself, besides a connection lost: a server that shuts down or
starts, a deadlock, a lock that somebody holds, no connection or no room on the disk left, a statement or session that
somebody has ended, storage that does not answer (Neon's is a server of its own), a snapshot that has become too old. Of
the same classes others do not pass: 53200 (memory and locks), 53400 (a limit of the configuration) and 58P01 (a file is
gone)."""

_OF_A_ROW = (DATA_EXCEPTION, "XX001", "XX002")
"""SQLSTATEs, by their beginnings, of errors that a single row may cause as it is read: a value that cannot be computed,
converted or sent, or that is damaged. A bare internal error (XX000) may be of anything, as of a provider's storage."""

_MEMORY = "mcxt.c"
"""The file of the server's that refuses, as an internal error, so much memory as half a gigabyte takes to be sent."""

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

_REJECTED = re.compile(
    r"invalid \S+ value|invalid port number|could not match \d+ port|could not read root certificate|weak sslmode"
)
"""Words of libpq's, not of a server's, about a value of a login."""

_OF_A_POOLER = ("command-line options", "unsupported startup parameter")
"""Words by which a pooler of connections refuses a session's settings: RDS Proxy, and PgBouncer."""


@contextmanager
def translated_errors(connection: Connection, login_name: str, unavailable: type[RetryableError]) -> Iterator[None]:
    """Turn what psycopg2 raises of a connection into an error named by what to do; others pass unchanged.

    Args:
        connection: the connection.
        login_name: "source" or "warehouse".
        unavailable: the error for a database that cannot be reached any more, is full, deadlocks, shuts down, or
            takes no writes now.

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
        error = _what_broke(connection, error)
        modes = AGAINST_READERS if login_name == "source" else AGAINST_WRITERS
        if isinstance(error, psycopg2.errors.LockNotAvailable) and (holders := lock_holders(connection, modes)):
            sentence = f"the {login_name}'s tables are locked: {first_line(error)}"
            raise unavailable(f"{sentence}; the oldest locks are those of {', '.join(holders)}") from error
        if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
            raise unavailable(_takes_no_writes(connection, login_name, first_line(error))) from error
        if _passes(connection, error):
            raise unavailable(f"the {login_name} cannot do this now: {first_line(error)}") from error
        raise _refused(error, login_name) from error


def _takes_no_writes(connection: Connection, login_name: str, sentence: str) -> str:
    """What to say of a database in which every transaction is read-only."""
    if login_name == "warehouse" and not _is_standby(connection):
        return (
            f"the warehouse takes no writes: {sentence}; its server has default_transaction_read_only on, as whoever "
            f"runs it may set it while the disk is nearly full: give it a larger disk, or drop what you do not need, "
            f"until it is set off; nothing is lost meanwhile"
        )
    return (
        f"the {login_name} is a standby and takes no writes: {sentence}; after a failover its name leads to the new "
        f"primary within a minute; otherwise store the primary's (totes secrets set {login_name})"
    )


def _is_standby(connection: Connection) -> bool:
    """Whether a database whose transaction has failed is a standby; one that cannot be asked any more may be."""
    try:
        connection.rollback()
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.pg_is_in_recovery()")
            return cursor.fetchall() == [(True,)]
    except psycopg2.Error:
        return True


def _is_of(connection: Connection, error: psycopg2.Error) -> bool:
    """Whether an error is a connection's own; of two in use at once, one's passes through the context of the other."""
    if error.cursor is not None:
        return error.cursor.connection is connection
    if isinstance(error, psycopg2.InterfaceError):  # "connection already closed"
        return bool(connection.closed)
    return True


def _what_broke(connection: Connection, error: psycopg2.Error) -> psycopg2.Error:
    """The error that broke a connection, where this one, of the rollback that followed, only says that it is closed."""
    broke = error.__context__
    if isinstance(error, psycopg2.InterfaceError) and isinstance(broke, psycopg2.Error) and _is_of(connection, broke):
        return broke
    return error


def _passes(connection: Connection, error: psycopg2.Error) -> bool:
    """Whether what raised an error passes by itself.

    An error that speaks of a connection, while this one is open, is that of a statement: a trigger or a foreign table
    has asked another server. A server or pooler that ends this connection says so by the severity FATAL.
    """
    if error.pgcode is None:
        return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    if is_of_class(error, (CONNECTION_EXCEPTION,)):
        return bool(connection.closed) or error.diag.severity_nonlocalized != "ERROR"
    return error.pgcode.startswith(_RETRYABLE)


def _refused(error: psycopg2.Error, login_name: str) -> TotesError:
    code, sentence = error.pgcode, first_line(error)
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        remedy = "give it BYPASSRLS" if error.diag.source_function == _ROW_SECURITY else "GRANT it"
        return ConfigurationError(f"the {login_name}'s role lacks a permission: {sentence}; {remedy}")
    if is_of_class(error, (INSUFFICIENT_RESOURCES,)):
        return ConfigurationError(f"the {login_name}'s server is at a limit ({code}): {sentence}; raise it")
    reading = "".join(f" {note}" for note in getattr(error, "__notes__", ()))  # which table, where one was read
    remedy = "; find that row, and fix or delete it" if reading and _is_of_a_row(error) else ""
    remedy = remedy or remedy_of_names(error)
    return StatementRefused(f"the {login_name} refused a statement ({code}){reading}: {sentence}{remedy}")


def _is_of_a_row(error: psycopg2.Error) -> bool:
    """Whether a single row may be what could not be read."""
    return (error.pgcode or "").startswith(_OF_A_ROW) or error.diag.source_file == _MEMORY


def not_taken(secret: str, error: psycopg2.ProgrammingError | ValueError) -> ConfigurationError:
    """Return what to raise of a login that libpq does not take; a ValueError is not quoted, it may have the password.

    Args:
        secret: ARN or name of the secret.
        error: what `totes.databases.open_session` raised.
    """
    what = "a character that no setting may have" if isinstance(error, ValueError) else first_line(error)
    return ConfigurationError(_rejected(secret, what))


def _rejected(secret: str, what: str) -> str:
    return f"secret {secret} has a value that libpq rejects: {what}; totes secrets set LOGIN stores it again"


def remedy_of(login_name: str) -> str:
    """Return what a person does where a database does not know the password of one of totes' own logins."""
    return (
        f"if nobody is just changing the password, make the role (totes init {database_of(login_name)}, which ends its "
        f"VALID UNTIL too) or store the right login (totes secrets set {login_name})"
    )


def login_refused(
    login_name: str, secret: str, error: Exception, unavailable: type[RetryableError], remedy: str
) -> TotesError:
    """Return what to raise of a login that was not let in.

    Args:
        login_name: "source" or "warehouse".
        secret: ARN or name of the secret that has the login.
        error: what `totes.databases.open_session` raised.
        unavailable: the error for a database that does not answer.
        remedy: what a person does where it does not know the password.
    """
    sentence = first_line(error)
    if _says(error, _WRONG_PASSWORD):
        return LoginRefused(f"the {login_name} refused the login in secret {secret}: {sentence}; {remedy}")
    if misconfigured := _misconfigured(login_name, secret, error):
        return ConfigurationError(misconfigured)
    if is_answer(error) and not _says(error, _PASSING):
        # Most likely in another language. LoginRefused is tried again, for it may be a server that is just starting:
        # to try a missing database a few times is the lesser harm than to wake somebody for each restart. And it says
        # that somebody has answered, so that nobody looks for a fault of the network.
        return LoginRefused(
            f"the {login_name} answered the login in secret {secret} by words that totes does not know: {sentence}; "
            f"where they refuse it: {remedy}"
        )
    return unavailable(f"the {login_name} cannot be reached: {sentence}")


def _misconfigured(login_name: str, secret: str, error: Exception) -> str | None:
    """What to say where no later try would be let in; None where one may be."""
    sentence = first_line(error)
    if _REJECTED.search(sentence):
        return _rejected(secret, sentence)
    if proof := what_proves(login_name, error):
        return f"the {login_name} that secret {secret} names is not trusted: {sentence}; {proof}"
    if is_of_pooler(error):
        return (
            f"the {login_name} that secret {secret} names is a pooler, which refuses the settings that a session of "
            f"totes needs: {sentence}; store the database's own host (totes secrets set {login_name})"
        )
    if _says(error, _NOT_TO_BE_RETRIED):
        return f"the {login_name} refused the login in secret {secret}: {sentence}"
    return None


def what_proves(login_name: str, error: Exception) -> str | None:
    """Return what a person does where a server has not proved who it is; None where the error is another.

    Args:
        login_name: of which login, or "LOGIN".
        error: what `totes.databases.open_session` raised.
    """
    if not _says(error, _NOT_TRUSTED):
        return None
    stored = f"totes secrets set {login_name} --sslrootcert FILE"
    if _says(error, [ANOTHER_NAME]):
        return (
            "store a host that its certificate names; or, where its authority signs for this server alone, as Cloud "
            f"SQL's does, have that prove it without the name ({stored} --sslmode {VERIFY_CA})"
        )
    return f"store the host's right name, or the certificates of its authority as {PEM} ({stored})"


def is_of_pooler(error: Exception) -> bool:
    """Return whether a pooler has refused a connection because of the settings that it was to be opened with."""
    return _says(error, _OF_A_POOLER)


def is_answer(error: Exception) -> bool:
    """Return whether the server, and not libpq, has refused a connection, in whatever language."""
    return _ANSWER in str(error)


def _says(error: Exception, words: Iterable[str]) -> bool:
    return any(each in str(error) for each in words)
