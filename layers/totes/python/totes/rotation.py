"""The rotation of a database's password, in the four steps of Secrets Manager's standard template (single user).

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html says what each step is
to do. Each may be repeated, and after each the database knows the current or the pending password.
"""

import json
import logging
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import encrypt_password

from totes.databases import open_session, translated_errors
from totes.errors import ConfigurationError, DatabaseUnavailable
from totes.logins import NoSuchVersion, NotFilledIn, login

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
        ConfigurationError: the secret cannot be read or is not filled in.
    """
    current = login(secrets, secret)
    if _is_pending(secrets, secret, token):
        return
    password = secrets.get_random_password(PasswordLength=_PASSWORD_LENGTH, ExcludePunctuation=True)["RandomPassword"]
    secrets.put_secret_value(
        SecretId=secret,
        ClientRequestToken=token,
        SecretString=json.dumps({**current, "password": password}),
        VersionStages=["AWSPENDING"],
    )


def set_pending(secrets: "SecretsManagerClient", secret: str) -> None:
    """Step setSecret: teach the database the pending password, unless it knows it already.

    The database is sent the password's SCRAM verifier, so that no statement log of its own ever holds the password.

    Raises:
        ConfigurationError: the secret cannot be read, or has no pending version.
        DatabaseUnavailable: the database does not answer, or knows none of the secret's passwords.
    """
    pending = login(secrets, secret, "AWSPENDING")
    try:
        open_session(pending, _ROLE).close()
    except psycopg2.OperationalError:
        logger.info("the pending password of %s is new to the database", secret)
    else:
        return
    connection = _session_of_any(secrets, secret)
    try:
        with translated_errors(connection, "database", DatabaseUnavailable), connection, connection.cursor() as cursor:
            verifier = encrypt_password(pending["password"], pending["username"], connection, "scram-sha-256")
            cursor.execute("ALTER ROLE CURRENT_USER PASSWORD %s", [verifier])
    finally:
        connection.close()


def try_pending(secrets: "SecretsManagerClient", secret: str) -> None:
    """Step testSecret: log in with the pending version.

    Where the pending version says what the current one does, nothing is being rotated: Secrets Manager tries us out, as
    it does when a schedule is deployed, before anybody has filled in the secret or made its role. That is no failure.

    Raises:
        ConfigurationError: the secret cannot be read.
        DatabaseUnavailable: the database refuses the login.
    """
    try:
        values = _pending_or_current(secrets, secret)
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


def try_current(secrets: "SecretsManagerClient", secret: str) -> None:
    """Log in with the current version, as totes secrets test asks.

    Raises:
        ConfigurationError: the secret cannot be read or is not filled in.
        DatabaseUnavailable: the database refuses the login.
    """
    _open(login(secrets, secret), secret).close()


def finish(secrets: "SecretsManagerClient", secret: str, token: str) -> None:
    """Step finishSecret: the pending version becomes the current one."""
    stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    [current] = [version for version, labels in stages.items() if "AWSCURRENT" in labels]
    if current != token:
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
    if "AWSPENDING" in stages.get(token, []):
        secrets.update_secret_version_stage(SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=token)
    logger.info("the password of %s is rotated", secret)


def _is_pending(secrets: "SecretsManagerClient", secret: str, token: str) -> bool:
    try:
        secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    except secrets.exceptions.ResourceNotFoundException:
        return False
    return True


def _pending_or_current(secrets: "SecretsManagerClient", secret: str) -> dict[str, Any]:
    try:
        return login(secrets, secret, "AWSPENDING")
    except NoSuchVersion:
        return login(secrets, secret)


def _session_of_any(secrets: "SecretsManagerClient", secret: str) -> Connection:
    """A session by the current password, or by the previous one where a rotation broke off after its last step."""
    try:
        return open_session(login(secrets, secret), _ROLE)
    except psycopg2.OperationalError as refusal:
        logger.info("%s: the current password is refused; trying the previous one", secret)
        try:
            previous = login(secrets, secret, "AWSPREVIOUS")
        except NoSuchVersion:
            raise _unavailable(secret, refusal) from refusal
        return _open(previous, secret)


def _open(values: dict[str, Any], secret: str) -> Connection:
    try:
        return open_session(values, _ROLE)
    except psycopg2.OperationalError as error:
        raise _unavailable(secret, error) from error
    except psycopg2.ProgrammingError as error:
        raise ConfigurationError(f"secret {secret} says what libpq does not know: {error}") from error


def _unavailable(secret: str, error: Exception) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"the database refuses the login in secret {secret}: {' '.join(str(error).split())}; "
        "store one that it knows (totes secrets set)"
    )
