"""What a database's secret says: its login, in one of the stages that a rotation takes it through."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from totes.errors import ConfigurationError, NotFilledIn, NotFilledInYet, SecretUnavailable
from totes.settings import PLACEHOLDER

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

Stage = Literal["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]

_GIVEN_UP = "marked"
"""What Secrets Manager says of a secret that is scheduled for deletion."""

_REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "DecryptionFailure",
    "ExpiredTokenException",
    "InvalidParameterException",
    "InvalidSignatureException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
    "ValidationException",
}
"""What Secrets Manager says where it would say the same of another try.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

_TIME_TO_FILL_IN = timedelta(days=1)
"""For so long after its deployment nobody is woken because a secret is still empty."""


def database_of(login_name: str) -> str:
    """The database that the role of a login is in: what totes init makes the roles of."""
    return "warehouse" if login_name == "dashboard" else login_name


def login_tags(environment: str, login_name: str) -> dict[str, str]:
    """What tells a secret of totes' own in an account, whatever its name.

    Args:
        environment: dev, prod or local, with its suffix.
        login_name: source, warehouse or dashboard.
    """
    return {"totes:environment": environment, "totes:login": login_name}


def login(
    secrets: "SecretsManagerClient",
    secret: str,
    stage: Stage | None = "AWSCURRENT",
    *,
    version: str | None = None,
    needed: Sequence[str] = ("host", "port", "username", "password", "dbname"),
) -> dict[str, Any]:
    """Fetch a login.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret; its JSON has host, port, username, password and dbname, and may have any
            other keyword of a libpq connection string, such as sslmode.
        stage: which of its versions; None: the one that `version` names, whatever its stage.
        version: the id that the version in that stage has to have; None: whichever it has.
        needed: what it must say.

    Raises:
        NoSuchVersion: the secret has no such version, or nobody has put a value into it yet.
        NotFilledInYet: nobody has stored a login in it, and its stack is less than a day old.
        NotFilledIn: nobody has stored a login in it.
        ConfigurationError: the secret may not be read, or is not understood.
        SecretUnavailable: Secrets Manager did not answer, or refused for the moment.
    """
    found = _fetched(secrets, secret, stage, version)
    try:
        values = json.loads(found.get("SecretString", ""))  # a binary value has none
    except json.JSONDecodeError:
        # The parser's own message would quote the secret.
        raise ConfigurationError(
            f"secret {secret} is not JSON; totes secrets set LOGIN stores all of {', '.join(needed)}"
        ) from None
    if not isinstance(values, Mapping) or not all(values.get(name) for name in needed):
        raise ConfigurationError(
            f"secret {secret} lacks one of {', '.join(needed)}; totes secrets set LOGIN stores all of them"
        )
    if values.get("host") == PLACEHOLDER:
        is_new = datetime.now(UTC) - found["CreatedDate"] < _TIME_TO_FILL_IN
        raise (NotFilledInYet if is_new else NotFilledIn)(
            f"secret {secret} is not filled in yet; totes init makes a role in the database and stores its login, "
            "totes secrets set LOGIN stores one that you are given"
        )
    if odd := [name for name, value in values.items() if not _is_text(f"{name}{value}")]:
        raise ConfigurationError(
            f"secret {secret} has a value that libpq rejects: {odd[0]!r} has a character that no database knows, such "
            "as NUL; totes secrets set LOGIN stores it again"
        )
    return dict(values)


def previous_login(secrets: "SecretsManagerClient", secret: str, current: Mapping[str, Any]) -> dict[str, Any] | None:
    """Fetch the login that a secret had before its last change; None where that has changed more than the password.

    A database that was restored to before its last rotation knows no other password. But a login of another database
    or role is none to fall back on: whoever has stored the current one does not want to go there any more.

    Args:
        secrets: the Secrets Manager client.
        secret: ARN or name of the secret.
        current: the login that it has now.

    Raises:
        SecretUnavailable: Secrets Manager did not answer, or refused for the moment.
    """
    try:
        previous = login(secrets, secret, "AWSPREVIOUS")
    except ConfigurationError:  # there is none, or nobody had filled it in
        return None
    return previous if {**previous, "password": current["password"]} == current else None


def _is_text(word: str) -> bool:
    """Whether C and PostgreSQL take it for what it is: neither shortened at a NUL, nor half a surrogate pair."""
    return "\0" not in word and word.encode(errors="replace").decode() == word


def _fetched(
    secrets: "SecretsManagerClient", secret: str, stage: Stage | None, version: str | None
) -> "GetSecretValueResponseTypeDef":
    """A version as Secrets Manager has it; its refusals in the words of `login`."""
    asked = {**({"VersionStage": stage} if stage else {}), **({"VersionId": version} if version else {})}
    try:
        return secrets.get_secret_value(SecretId=secret, **asked)
    except secrets.exceptions.ResourceNotFoundException as error:
        if stage == "AWSCURRENT":
            raise ConfigurationError(f"secret {secret} cannot be read: {error}") from error
        raise NoSuchVersion(f"secret {secret} has no version {version or stage}") from error
    except secrets.exceptions.InvalidRequestException as error:
        remedy = "; totes secrets set LOGIN takes it back" if _GIVEN_UP in str(error) else ""
        raise ConfigurationError(f"secret {secret} cannot be read: {' '.join(str(error).split())}{remedy}") from error
    except (ClientError, BotoCoreError) as error:
        raise unreadable(secret, error) from error


def unreadable(secret: str, error: ClientError | BotoCoreError) -> ConfigurationError | SecretUnavailable:
    """What to raise where Secrets Manager says nothing of a secret: the one where it would say so again, or the other.

    Args:
        secret: ARN or name of the secret.
        error: what Secrets Manager said, or why it did not say anything.
    """
    if isinstance(error, BotoCoreError):
        return SecretUnavailable(f"secret {secret} cannot be read now: {error}")
    kind = ConfigurationError if error.response["Error"]["Code"] in _REFUSED else SecretUnavailable
    return kind(f"secret {secret} cannot be read: {error}")


class NoSuchVersion(ConfigurationError):
    """The secret has no version in the stage that was asked for."""
