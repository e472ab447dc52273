"""The databases' logins, kept in Secrets Manager: what there is, stored, tested, rotated and deleted.

A password goes from the person's hands into the secret and nowhere else. Whether a login works is asked of the function
that rotates it, for the functions may reach a database that this machine does not.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from command_line.deployment import Deployment, NotDeployedError
from command_line.following import going_on
from command_line.functions import ask
from command_line.refusals import refusal
from totes import payloads
from totes.errors import ConfigurationError, UserError
from totes.logins import login, login_tags

LOGINS = ("source", "warehouse", "dashboard")

_STEP_SECONDS = 60
"""Lambda ends a step of a rotation after so long; the first of a function in a network alone may take a third of it."""

_ROTATION_SECONDS = 4.0 * _STEP_SECONDS
"""What has been pending for longer, four steps, each by a function that has just started, has stopped half-way."""

_LOOK_SECONDS = 0.5
_RECOVERY_DAYS = 30

_PENDING = "AWSPENDING"
_TRIAL = "TOTESTRIAL"
"""The stage of a login that is being tried: no rotation's, so that what is pending stays until the login is proven."""


@dataclass(frozen=True, kw_only=True)
class LoginState:
    """What may be shown of a login.

    Attributes:
        login_name: source, warehouse or dashboard.
        name: of its secret.
        changed, rotated: when its value was last changed at all, and by a rotation.
        next_rotation: when it will be rotated.
        deleted: when it was scheduled for deletion.
    """

    login_name: str
    name: str
    changed: datetime | None
    rotated: datetime | None
    next_rotation: datetime | None
    deleted: datetime | None


def known_login(login_name: str) -> str:
    """Return the name of a login; raise UserError where there is none of that name."""
    if login_name not in LOGINS:
        raise UserError(f"there is no login {login_name!r}; there are {', '.join(LOGINS)}")
    return login_name


class Logins:
    """The logins of a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._secrets = deployment.secrets

    def all(self) -> list[LoginState]:
        """Names and dates; no value is read."""
        return [self._state(login_name) for login_name in LOGINS]

    def store(self, login_name: str, values: Mapping[str, Any]) -> None:
        """Test a login, and make it the current one if the database takes it.

        It waits for a rotation that is under way, or begins meanwhile, and then tests again. What an interrupted one
        has left is removed once the login is known to work.

        Args:
            login_name: source, warehouse or dashboard.
            values: host, port, dbname, username, password and any other keyword of libpq; without a password, the
                stored one stays.

        Raises:
            ConfigurationError: no password is said, and none is stored.
            UserError: the database does not take it, and the old login stays the current one; or does not take it any
                more, because a rotation has taught it another password at the last moment. That one is pending.
        """
        secret = self._secret(login_name)
        self._await_rotation(secret)
        token = str(uuid.uuid4())
        kept = {} if "password" in values else {"password": login(self._secrets, secret)["password"]}
        self._secrets.put_secret_value(
            SecretId=secret,
            ClientRequestToken=token,
            SecretString=json.dumps({**values, **kept}),
            VersionStages=[_TRIAL],
        )
        try:
            self._prove(secret, token)
            self._replace_current(login_name, secret, token)
        finally:
            # Somebody who tries another login at once has the label by now. Where it stays, it moves with the next try.
            with suppress(BotoCoreError, ClientError):
                self._secrets.update_secret_version_stage(
                    SecretId=secret, VersionStage=_TRIAL, RemoveFromVersionId=token
                )

    def _prove(self, secret: str, version: str) -> None:
        """Test a version, and again where a rotation has begun or ended since: the database may know another password.

        Raises:
            UserError: the database does not take it.
        """
        tested_beside: Mapping[str, str] | None = None
        while tested_beside != (beside := self._in_use(secret)):
            tested_beside = beside
            self._ask(secret, payloads.TEST_VERSION, version)
            self._await_rotation(secret)

    def _replace_current(self, login_name: str, secret: str, version: str) -> None:
        """Make a proven version the current one, unless a rotation has just taught the database another password.

        Raises:
            UserError: it has. Its version is pending again, so the functions log in by that and the rotation goes on.
        """
        given_up = self._make_current(secret, version)
        try:
            self._ask(secret, payloads.TEST_VERSION, version)
        except BaseException as refused:
            for each in given_up:
                self._secrets.update_secret_version_stage(SecretId=secret, VersionStage=_PENDING, MoveToVersionId=each)
            if not given_up or not isinstance(refused, UserError):
                raise
            raise UserError(
                f"the login of the {login_name} was stored just as its password was being rotated, and may not hold "
                f"any more: {refused}; the functions try the password that is pending, and totes secrets rotate "
                f"{login_name} makes that the current one"
            ) from refused

    def test(self, login_name: str) -> None:
        """Log in as the secret says; raise UserError, with the database's own words, where that fails."""
        self._ask(self._secret(login_name), payloads.TEST_CURRENT, "")

    def current(self, login_name: str) -> dict[str, Any]:
        """Return a login as it is stored now, without its password; empty where there is none that can be read."""
        try:
            found = login(self._secrets, self._secret(login_name))
        except ConfigurationError:
            return {}
        return {name: value for name, value in found.items() if name != "password"}

    def pending_password(self, login_name: str, username: str) -> str | None:
        """Return the password that is pending for a role, as an interrupted command leaves it; None where none is.

        Where another role's is pending, it waits for the rotation that may be under way.
        """
        secret = self._secret(login_name)
        for version in self._pending(secret):
            with suppress(ConfigurationError):  # a rotation that has come to nothing has left an empty one
                found = login(self._secrets, secret, None, version=version)
                if found["username"] == username:
                    return str(found["password"])
        self._await_rotation(secret)
        return None

    @contextmanager
    def replacing(self, login_name: str, values: Mapping[str, Any], *, is_known: Callable[[], bool]) -> Iterator[None]:
        """Let a login be pending while the database learns it within this context, and then make it the current one.

        So no password is in the database alone: the functions try the pending one where the current one is refused.

        Args:
            login_name: source, warehouse or dashboard.
            values: the login.
            is_known: asked where the context ends by an error: whether the database has learned the login all the
                same. If not, what was pending before is pending again.

        Raises:
            UserError: the database knows the login, and the secret cannot be told that it is the current one.
        """
        secret, token = self._secret(login_name), str(uuid.uuid4())
        before = [version for version, labels in self._stages(secret).items() if _PENDING in labels]
        self._secrets.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString=json.dumps(dict(values)), VersionStages=[_PENDING]
        )
        try:
            yield
        except BaseException:
            if not is_known():
                back = {"MoveToVersionId": before[0]} if before else {}
                with suppress(ClientError):  # what the context ended by says more
                    self._secrets.update_secret_version_stage(
                        SecretId=secret, VersionStage=_PENDING, RemoveFromVersionId=token, **back
                    )
            raise
        try:
            self._make_current(secret, token)
        except (BotoCoreError, ClientError) as error:
            raise UserError(
                f"{refusal(error)}; the {login_name} has the new password, which is pending in the secret, and the "
                "functions try it: type the same command again, and it becomes the current one"
            ) from error

    def check_own(self, login_name: str) -> None:
        """See that totes may rotate a password.

        It waits for a rotation that is under way. What an interrupted one has left is finished where the database
        takes the new password already, and removed where the database takes the current one.

        Raises:
            UserError: the secret is somebody else's, totes has not made the role, or the database does not answer or
                takes none of the passwords.
        """
        secret = self._secret(login_name)
        if login_name not in self._deployment.outputs["RotatedLogins"].split(","):
            raise UserError(
                f"the password of the {login_name} is left alone: its secret is not totes' own, or stacks/config.py "
                "says rotates_secret=False; if it is for totes alone, and no standby's, say rotates_secret=True "
                "beside its secret_arn, or nothing where the secret is totes' own, and deploy"
            )
        self._await_rotation(secret)
        self._settle(secret)
        self._ask(secret, payloads.CHECK_OWN, "")

    def rotate(self, login_name: str) -> None:
        """Rotate a password now, and wait until it is done.

        Raises:
            UserError: as `check_own` does; the rotation fails, and the sentence says whether the password before
                still holds; or nobody waits for it any more, and it goes on.
        """
        secret = self._secret(login_name)
        self.check_own(login_name)
        try:
            version = self._secrets.rotate_secret(SecretId=secret)["VersionId"]
        except ClientError as error:
            raise UserError(
                f"the password of the {login_name} is not rotated: {error.response['Error']['Message']}"
            ) from error
        with going_on(lambda: "the rotation goes on by itself; totes secrets list says when it was done"):
            self._await_version(login_name, secret, version)

    def _await_version(self, login_name: str, secret: str, version: str) -> None:
        deadline = time.monotonic() + _ROTATION_SECONDS
        while "AWSCURRENT" not in self._stages(secret).get(version, []):
            if time.monotonic() > deadline:
                self._settle(secret)
                raise UserError(
                    f"the rotation of the password of the {login_name} stopped half-way: it is not done after "
                    f"{_ROTATION_SECONDS:.0f} s; the function {self._deployment.outputs['RotationFunction']} has "
                    f"logged why; {self._holds(login_name)}"
                )
            time.sleep(_LOOK_SECONDS)

    def delete(self, login_name: str) -> datetime:
        """Schedule a secret for deletion, also one that has outlived its stack; return when it will be gone for good.

        Raises:
            UserError: there is no such login, or neither a stack nor a secret of it.
        """
        try:
            secrets = [self._secret(login_name)]
        except NotDeployedError:
            secrets = self._left_behind(login_name)
        answers = [
            self._secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=_RECOVERY_DAYS) for secret in secrets
        ]
        return max(answer["DeletionDate"] for answer in answers)

    def restore(self, login_name: str) -> bool:
        """Cancel the deletion of a secret; return False where none was scheduled."""
        if self._state(login_name).deleted is None:
            return False
        self._secrets.restore_secret(SecretId=self._secret(login_name))
        return True

    def _secret(self, login_name: str) -> str:
        return self._deployment.outputs[f"{known_login(login_name).capitalize()}SecretArn"]

    def _left_behind(self, login_name: str) -> list[str]:
        """The secrets of totes that were retained when their stack was deleted, found by their tags."""
        wanted = login_tags(self._deployment.environment, login_name)
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
            raise UserError(f"neither a stack nor a secret of the {login_name} is left in {self._deployment.name}")
        return found

    def _state(self, login_name: str) -> LoginState:
        found = self._secrets.describe_secret(SecretId=self._secret(login_name))
        return LoginState(
            login_name=login_name,
            name=found["Name"],
            changed=found.get("LastChangedDate"),
            rotated=found.get("LastRotatedDate"),
            next_rotation=found.get("NextRotationDate"),
            deleted=found.get("DeletedDate"),
        )

    def _stages(self, secret: str) -> Mapping[str, list[str]]:
        return self._secrets.describe_secret(SecretId=secret).get("VersionIdsToStages", {})

    def _in_use(self, secret: str) -> Mapping[str, str]:
        """The versions that the functions log in by, by label."""
        stages = self._stages(secret)
        return {label: each for each, labels in stages.items() for label in labels if label in {"AWSCURRENT", _PENDING}}

    def _pending(self, secret: str) -> list[str]:
        """The versions, one at most, that a rotation has begun and not finished."""
        return [
            version
            for version, labels in self._stages(secret).items()
            if _PENDING in labels and "AWSCURRENT" not in labels
        ]

    def _await_rotation(self, secret: str) -> None:
        """Wait while a rotation may be under way."""
        deadline = time.monotonic() + _ROTATION_SECONDS
        while (pending := self._pending(secret)) and time.monotonic() < deadline:
            listed = self._secrets.list_secret_version_ids(SecretId=secret)["Versions"]
            begun = [each["CreatedDate"] for each in listed if each["VersionId"] in pending and "CreatedDate" in each]
            if begun and (datetime.now(UTC) - begun[0]).total_seconds() > _ROTATION_SECONDS:
                return
            time.sleep(_LOOK_SECONDS)

    def _settle(self, secret: str) -> None:
        for version in self._pending(secret):
            if self._works(secret, payloads.TEST_VERSION, version):
                self._make_current(secret, version)
            elif self._works(secret, payloads.TEST_CURRENT, ""):  # else it may be the only one that the database knows
                self._give_up(secret, version)

    def _works(self, secret: str, step: str, token: str) -> bool:
        try:
            self._ask(secret, step, token)
        except UserError:
            return False
        return True

    def _make_current(self, secret: str, version: str) -> list[str]:
        """Make a version the current one, and let no version be pending; return those others that were."""
        [current] = [each for each, labels in self._stages(secret).items() if "AWSCURRENT" in labels]
        self._secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
        )
        pending = [each for each, labels in self._stages(secret).items() if _PENDING in labels]
        for each in pending:
            self._give_up(secret, each)
        return [each for each in pending if each not in {version, current}]

    def _give_up(self, secret: str, version: str) -> None:
        self._secrets.update_secret_version_stage(SecretId=secret, VersionStage=_PENDING, RemoveFromVersionId=version)

    def _holds(self, login_name: str) -> str:
        try:
            self.test(login_name)
        except UserError as refusal:
            return f"what the secret says does not hold: {refusal}"
        return "what the secret says still holds"

    def _ask(self, secret: str, step: str, token: str) -> None:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
        answer = ask(self._deployment, "RotationFunction", event)
        if answer and payloads.REFUSED in answer:
            raise UserError(answer[payloads.REFUSED])
