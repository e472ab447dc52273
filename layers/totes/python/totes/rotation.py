"""The rotation of a database's password, in the four steps of Secrets Manager's standard template (single user).

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html says what each step is
to do. Each may be repeated, and after each the database knows the current or the pending password. Secrets Manager
tries all of them again where it has not heard of the last one's end; once the version is the current one, nothing is
left to be done. It takes the label AWSPENDING away itself then: to do so by a call of one's own may tell it that the
rotation has failed.

Only the password of a role that totes has made is changed (`totes.roles.MARK`). A step is for one version of the
secret: where another login was stored meanwhile, a rotation that still runs comes to an end there.
"""

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg2
from botocore.exceptions import ClientError
from psycopg2.extensions import connection as Connection

from totes import payloads
from totes.database_errors import is_answer, not_taken, translated_errors, what_proves
from totes.databases import open_session
from totes.errors import ConfigurationError, DatabaseUnavailable, NotFilledIn, SecretUnavailable, TotesError
from totes.logins import NoSuchVersion, login, previous_login
from totes.roles import MARK, role_of, verifier_of, verifiers_taken

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

logger = logging.getLogger(__name__)

_ROLE = "rotation"
_PASSWORD_LENGTH = 40


def create_pending(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Step createSecret: put a version with a new password beside the current one, unless it is there already.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret.
        token: the pending version's id.

    Raises:
        ConfigurationError: the secret cannot be read or is not filled in, its role is not one that totes has made, or
            its database is a standby. Nothing is pending then.
        DatabaseUnavailable: the database does not answer, or knows none of the secret's passwords.
    """
    if _is_current(secrets, secret, token):
        return
    try:
        current = login(secrets, secret)
        if _is_pending(secrets, secret, token):
            return
        check_own(secrets, secret)
    except ConfigurationError:
        with suppress(ClientError):  # of a secret that may not be read, that is what is raised
            _give_up(secrets, secret, token)
        raise
    password = secrets.get_random_password(PasswordLength=_PASSWORD_LENGTH, ExcludePunctuation=True)["RandomPassword"]
    secrets.put_secret_value(
        SecretId=secret,
        ClientRequestToken=token,
        SecretString=json.dumps({**current, "password": password}),
        VersionStages=["AWSPENDING"],
    )


def set_pending(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Step setSecret: teach the database the pending password, unless it knows it already.

    The database is sent the password's SCRAM verifier, so that no statement log of its own ever holds the password.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret.
        token: the pending version's id.

    Raises:
        ConfigurationError: the secret cannot be read, that version is not pending, its role is not one that totes has
            made, its database is a standby, or takes passwords as plain text alone.
        DatabaseUnavailable: the database does not answer, or knows none of the secret's passwords.
    """
    if _is_current(secrets, secret, token):
        return
    pending = login(secrets, secret, "AWSPENDING", version=token)
    try:
        _session(pending, secret).close()
    except psycopg2.OperationalError as refusal:
        if not is_answer(refusal):
            raise _unavailable(secret, refusal) from refusal
        logger.info("the pending password of %s is new to the database", secret)
    else:
        return
    connection = _session_of_any(secrets, secret)
    try:
        with translated_errors(connection, "database", DatabaseUnavailable):
            _refuse_others(connection, secret)
            with verifiers_taken(), connection, connection.cursor() as cursor:
                cursor.execute("ALTER ROLE CURRENT_USER PASSWORD %s", [verifier_of(connection, pending)])
    finally:
        connection.close()


def try_pending(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Step testSecret: log in with the pending version.

    Where the pending version says what the current one does, nothing is being rotated: Secrets Manager tries us out, as
    it does when a schedule is deployed, before anybody has filled in the secret or made its role. That is no failure.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret.
        token: the pending version's id.

    Raises:
        ConfigurationError: the secret cannot be read.
        DatabaseUnavailable: the database refuses the login.
    """
    try:
        values = _pending_or_current(secrets, secret, token)
        is_trial = values == login(secrets, secret)
    except NotFilledIn as nothing:
        logger.info("%s", nothing)
        return
    try:
        _open(values, secret).close()
    except DatabaseUnavailable as refusal:
        if not is_trial:
            raise
        logger.warning("%s", refusal)


def try_version(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Log in with one version, whatever its stage, as totes secrets set asks before it makes it the current one.

    Raises:
        ConfigurationError: there is no such version, or nothing is in it.
        DatabaseUnavailable: the database refuses the login.
    """
    _open(login(secrets, secret, None, version=token), secret).close()


def check_own(secrets: "SecretsManagerClient", secret: str) -> None:
    """See whether a password may be rotated: the database knows it, and totes has made its role.

    Raises:
        ConfigurationError: the secret cannot be read or is not filled in, or its role is not one that totes has made.
        DatabaseUnavailable: the database does not answer, or knows none of the secret's passwords.
    """
    connection = _session_of_any(secrets, secret)
    try:
        with translated_errors(connection, "database", DatabaseUnavailable):
            _refuse_others(connection, secret)
    finally:
        connection.close()


def try_current(secrets: "SecretsManagerClient", secret: str) -> None:
    """Log in with the current version, as totes secrets test asks.

    Raises:
        ConfigurationError: the secret cannot be read or is not filled in.
        DatabaseUnavailable: the database refuses the login; it says so where it knows the pending or the previous one.
    """
    current = login(secrets, secret)
    try:
        _session(current, secret).close()
    except psycopg2.OperationalError as refused:
        connection = None
        with suppress(SecretUnavailable):  # the refusal says more
            connection = _session_of_previous(secrets, secret, current, refused)
        if connection is not None:
            connection.close()
            raise DatabaseUnavailable(
                f"the database knows only the password that secret {secret} had before its last change, by which runs "
                "go on; totes secrets rotate LOGIN gives it a new one"
            ) from refused
        raise _refused(secrets, secret, refused) from refused


def refusal(secrets: "SecretsManagerClient", secret: str, question: str, token: str) -> str | None:
    """Answer what a person asks about a login; None: it holds.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret.
        question: TEST_CURRENT, TEST_VERSION or CHECK_OWN of `totes.payloads`; see `try_current`, `try_version` and
            `check_own`.
        token: the id of the version that TEST_VERSION asks about.

    Raises:
        ValueError: there is no such question.
    """
    try:
        match question:
            case payloads.TEST_CURRENT:
                try_current(secrets, secret)
            case payloads.TEST_VERSION:
                try_version(secrets, secret, token)
            case payloads.CHECK_OWN:
                check_own(secrets, secret)
            case unknown:
                raise ValueError(
                    f"rotate_database_login knows no step and no question {unknown!r}; beside the steps of a rotation "
                    f"it answers {payloads.TEST_CURRENT}, {payloads.TEST_VERSION} and {payloads.CHECK_OWN}"
                )
    except TotesError as refused:
        logger.info("%s", refused)
        return str(refused)
    return None


def finish(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Step finishSecret: the pending version becomes the current one.

    Raises:
        ConfigurationError: that version is not pending any more: somebody has stored another login meanwhile.
    """
    stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    [current] = [version for version, labels in stages.items() if "AWSCURRENT" in labels]
    if current == token:
        return
    login(secrets, secret, "AWSPENDING", version=token)  # there is something to become current
    secrets.update_secret_version_stage(
        SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
    )
    logger.info("the password of %s is rotated", secret)


def _give_up(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Let a version be pending no more; Secrets Manager begins no rotation while another version is."""
    stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    if "AWSPENDING" in stages.get(token, []):
        secrets.update_secret_version_stage(SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=token)


def _refuse_others(connection: Connection, secret: str) -> None:
    """Refuse a role that totes has not made, or that is another server's."""
    name = connection.info.user
    if _is_standby(connection):
        raise ConfigurationError(
            f"the database of secret {secret} is a standby, whose roles are its primary's: change the password of "
            f"{name} there, and store it (totes secrets set LOGIN)"
        )
    role = role_of(connection, name)
    if role is None or not role.made_by_totes:
        raise ConfigurationError(
            f"totes did not make the role {name} of secret {secret} and leaves its password alone; totes init makes a "
            f"role of totes' own, and COMMENT ON ROLE {name} IS '{MARK}' lets totes rotate this one"
        )


def _is_standby(connection: Connection) -> bool:
    """Whether a server follows another one, so that nothing can be written to it."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        [[is_in_recovery]] = cursor.fetchall()
    return bool(is_in_recovery)


def _is_current(secrets: "SecretsManagerClient", secret: str, token: str) -> bool:
    try:
        stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    except secrets.exceptions.ResourceNotFoundException:
        return False  # whoever reads its login next says that it is not there
    return "AWSCURRENT" in stages.get(token, [])


def _is_pending(secrets: "SecretsManagerClient", secret: str, token: str) -> bool:
    try:
        secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    except secrets.exceptions.ResourceNotFoundException:
        return False
    return True


def _pending_or_current(secrets: "SecretsManagerClient", secret: str, token: str) -> dict[str, Any]:
    if _is_current(secrets, secret, token):  # AWS refuses to look for a label where it is not
        return login(secrets, secret)
    try:
        return login(secrets, secret, "AWSPENDING", version=token)
    except NoSuchVersion:
        return login(secrets, secret)


def _session_of_any(secrets: "SecretsManagerClient", secret: str) -> Connection:
    """A session by the current password, or by the one before, where the database was restored to an earlier state."""
    current = login(secrets, secret)
    try:
        return _session(current, secret)
    except psycopg2.OperationalError as refusal:
        if (connection := _session_of_previous(secrets, secret, current, refusal)) is not None:
            return connection
        raise _refused(secrets, secret, refusal) from refusal


def _session_of_previous(
    secrets: "SecretsManagerClient", secret: str, current: dict[str, Any], refusal: psycopg2.OperationalError
) -> Connection | None:
    """A session by the password before the current one, which was refused; None where it is not known either."""
    if is_answer(refusal):
        with suppress(psycopg2.OperationalError):
            if (previous := previous_login(secrets, secret, current)) is not None:
                return _session(previous, secret)
    return None


def _refused(secrets: "SecretsManagerClient", secret: str, refusal: psycopg2.OperationalError) -> DatabaseUnavailable:
    """What to raise where the database refuses the current password, as it does between two steps of a rotation."""
    if is_answer(refusal) and _is_known_by_pending(secrets, secret):
        return DatabaseUnavailable(
            f"a rotation is under way: the database knows the password that is pending in secret {secret}, by which "
            "runs go on; ask again in a minute; if that stays so, totes secrets rotate LOGIN completes it"
        )
    return _unavailable(secret, refusal)


def _is_known_by_pending(secrets: "SecretsManagerClient", secret: str) -> bool:
    with suppress(psycopg2.OperationalError, ConfigurationError, SecretUnavailable):
        _session(login(secrets, secret, "AWSPENDING"), secret).close()
        return True
    return False


def _open(values: dict[str, Any], secret: str) -> Connection:
    try:
        return _session(values, secret)
    except psycopg2.OperationalError as error:
        raise _unavailable(secret, error) from error


def _session(values: dict[str, Any], secret: str) -> Connection:
    try:
        return open_session(values, _ROLE)
    except (psycopg2.ProgrammingError, ValueError) as error:
        raise not_taken(secret, error) from None


def _unavailable(secret: str, error: Exception) -> DatabaseUnavailable:
    words = " ".join(str(error).split())
    if proof := what_proves("LOGIN", error):
        return DatabaseUnavailable(f"the database that secret {secret} names is not trusted: {words}; {proof}")
    if not is_answer(error):
        return DatabaseUnavailable(
            f"the database that secret {secret} names cannot be reached: {words}; if its host, port or certificates "
            "are others, store them (totes secrets set LOGIN)"
        )
    return DatabaseUnavailable(
        f"the database refuses the login in secret {secret}: {words}; store one that it knows (totes secrets set LOGIN)"
    )
