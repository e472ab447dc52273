"""The databases' logins, kept in Secrets Manager: what there is, stored anew, tested, rotated and deleted.

A password goes from the person's hands into the secret and nowhere else. Whether a login works is asked of the function
that rotates it, for the functions may reach a database that this machine does not.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from totes.logins import login_tags
from workbench.deployment import Deployment
from workbench.errors import NotDeployedError, UserError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ROLES = ("source", "warehouse", "dashboard")

_ROTATION_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_RECOVERY_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class LoginState:
    """What may be shown of a login.

    Attributes:
        role: source, warehouse or dashboard.
        name: of its secret.
        changed, rotated: when its value was last changed at all, and by a rotation.
        next_rotation: when it will be rotated.
        deleted: when it was given up for deletion.
    """

    role: str
    name: str
    changed: datetime | None
    rotated: datetime | None
    next_rotation: datetime | None
    deleted: datetime | None


class Logins:
    """The logins of a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._secrets = deployment.secrets
        self._functions: LambdaClient = deployment.session.client("lambda", endpoint_url=deployment.endpoint)

    def all(self) -> list[LoginState]:
        """Names and dates; no value is read."""
        return [self._state(role) for role in ROLES]

    def store(self, role: str, values: Mapping[str, Any]) -> None:
        """Test a login, and make it the current one if the database takes it.

        Args:
            role: source, warehouse or dashboard.
            values: host, port, dbname, username, password and any other keyword of libpq.

        Raises:
            UserError: the database does not take it, and what was current still is; or a rotation is under way.
        """
        secret = self._secret(role)
        stages = self._stages(secret)
        if any("AWSPENDING" in labels and "AWSCURRENT" not in labels for labels in stages.values()):
            raise UserError(f"the password of the {role} is just being rotated; try again when that is over")
        token = str(uuid.uuid4())
        self._secrets.put_secret_value(
            SecretId=secret,
            ClientRequestToken=token,
            SecretString=json.dumps(dict(values)),
            VersionStages=["AWSPENDING"],
        )
        try:
            self._ask(secret, "testSecret", token)
        except UserError:
            self._secrets.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=token
            )
            raise
        self._ask(secret, "finishSecret", token)

    def test(self, role: str) -> None:
        """Log in as the secret says; raise UserError, with the database's own words, where that fails."""
        self._ask(self._secret(role), "testCurrent", "")

    def rotate(self, role: str) -> None:
        """Rotate a password now, and wait until it is done; raise UserError where it is not."""
        secret = self._secret(role)
        try:
            version = self._secrets.rotate_secret(SecretId=secret)["VersionId"]
        except ClientError as error:
            raise UserError(
                f"the password of the {role} is not rotated: {error.response['Error']['Message']}"
            ) from error
        deadline = time.monotonic() + _ROTATION_SECONDS
        while "AWSCURRENT" not in self._stages(secret).get(version, []):
            if time.monotonic() > deadline:
                raise UserError(
                    f"the password of the {role} was not rotated in {_ROTATION_SECONDS:.0f} s; the function "
                    f"{self._deployment.outputs['RotationFunction']} has logged why, and the one before still holds"
                )
            time.sleep(_LOOK_SECONDS)

    def delete(self, role: str) -> datetime:
        """Give a secret up for deletion, one that has outlived its stack too; return when it will be gone for good.

        Raises:
            UserError: there is no such login, or neither a stack nor a secret of it.
        """
        try:
            secrets = [self._secret(role)]
        except NotDeployedError:
            secrets = self._left_behind(role)
        answers = [
            self._secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=_RECOVERY_DAYS) for secret in secrets
        ]
        return max(answer["DeletionDate"] for answer in answers)

    def restore(self, role: str) -> bool:
        """Take a secret back that was given up for deletion; False where it was not."""
        if self._state(role).deleted is None:
            return False
        self._secrets.restore_secret(SecretId=self._secret(role))
        return True

    def _secret(self, role: str) -> str:
        if role not in ROLES:
            raise UserError(f"there is no login {role!r}; there are {', '.join(ROLES)}")
        return self._deployment.outputs[f"{role.capitalize()}SecretArn"]

    def _left_behind(self, role: str) -> list[str]:
        """The secrets of totes' own that were retained when their stack was deleted, by what their tags say."""
        wanted = login_tags(self._deployment.environment, role)
        pages = self._secrets.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "tag-key", "Values": list(wanted)}]
        )
        found = [
            secret["ARN"]
            for page in pages
            for secret in page["SecretList"]
            if wanted.items() <= {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}.items()
        ]
        if not found:
            raise UserError(f"neither a stack nor a secret of the {role} is left in {self._deployment.name}")
        return found

    def _state(self, role: str) -> LoginState:
        found = self._secrets.describe_secret(SecretId=self._secret(role))
        return LoginState(
            role=role,
            name=found["Name"],
            changed=found.get("LastChangedDate"),
            rotated=found.get("LastRotatedDate"),
            next_rotation=found.get("NextRotationDate"),
            deleted=found.get("DeletedDate"),
        )

    def _stages(self, secret: str) -> Mapping[str, list[str]]:
        return self._secrets.describe_secret(SecretId=secret).get("VersionIdsToStages", {})

    def _ask(self, secret: str, step: str, token: str) -> None:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
        answer = self._functions.invoke(
            FunctionName=self._deployment.outputs["RotationFunction"], Payload=json.dumps(event).encode()
        )
        said = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise UserError(str(said.get("errorMessage", said)))
