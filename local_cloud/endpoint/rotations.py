"""Rotations as Secrets Manager makes them: the call returns at once, the steps follow, and end at the first that fails.

moto runs all steps whatever their results, and then makes the pending version the current one.

- A rotation begins with a pending version that is empty, and that its first step fills (DescribeSecret,
  VersionIdsToStages).
- While a version is pending that is not the current one, no other rotation begins, nor is it told when one is to
  (RotateSecret: "any later invocation of RotateSecret assumes that a previous rotation request is still in progress and
  returns an error"). In moto it is the other way round.
- The version that AWSCURRENT is moved to is the one that a secret is read by without a stage (GetSecretValue,
  VersionStage), and the one that the next put takes the label from (PutSecretValue, VersionStages); to moto both stay
  the version before.
- Once the last step has ended well, Secrets Manager takes the label AWSPENDING away, and not the function
  (https://github.com/aws-samples/aws-secrets-manager-rotation-lambdas/pull/145).
- A version keeps the date of its creation (ListSecretVersionIds, CreatedDate); in moto every version is of this moment.
"""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from moto.awslambda.utils import get_backend
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend

from local_cloud.endpoint.patches import patch

_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")

_continued: set[str] = set()
"""The secrets, by ARN, that are there again with a rotation that stopped half-way when the cloud was stopped."""

_moto_rotate = SecretsManagerBackend.rotate_secret
_moto_move = SecretsManagerBackend.update_secret_version_stage
_moto_put = SecretsManagerBackend.put_secret_value
_moto_list_versions = SecretsManagerBackend.list_secret_version_ids


def install() -> None:
    """Patch moto's rotations."""
    patch(SecretsManagerBackend, "rotate_secret", _rotate, why="moto runs all steps whatever they come to")
    patch(SecretsManagerBackend, "update_secret_version_stage", _move, why="moto reads a secret by the version before")
    patch(SecretsManagerBackend, "put_secret_value", _put, why="moto takes the label from the version before")
    patch(
        SecretsManagerBackend,
        "list_secret_version_ids",
        _list_versions,
        why="moto says of each version that it is of this moment",
    )


def _move(
    backend: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
) -> Any:
    moved = _moto_move(backend, secret_id, version_stage, remove_from_version_id, move_to_version_id)
    if version_stage == "AWSCURRENT" and move_to_version_id:
        backend.secrets[secret_id].set_default_version_id(move_to_version_id)
    return moved


def _put(backend: Any, secret_id: str, *values: Any, **named: Any) -> Any:
    """Put a value into a new version, or into one that a rotation has begun empty."""
    secret, token = backend.secrets.get(secret_id), named.get("client_request_token")
    begun = secret.versions.get(token) if secret is not None else None
    if begun is not None and not {"secret_string", "secret_binary"} & begun.keys():
        del secret.versions[token]
    return _moto_put(backend, secret_id, *values, **named)


def _list_versions(backend: Any, secret_id: str) -> str:
    listed = json.loads(_moto_list_versions(backend, secret_id))
    versions = backend.secrets[secret_id].versions
    for each in listed["Versions"]:
        each["CreatedDate"] = versions[each["VersionId"]]["createdate"]
    return json.dumps(listed)


def _rotate(
    backend: Any,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: Mapping[str, Any] | None = None,
    rotate_immediately: bool = True,  # noqa: FBT001, FBT002 - moto's signature
) -> Any:
    asked = (client_request_token, rotation_lambda_arn, rotation_rules, rotate_immediately)
    secret = backend.secrets.get(secret_id)
    if secret is None:
        return _moto_rotate(backend, secret_id, *asked)
    function = rotation_lambda_arn or getattr(secret, "rotation_lambda_arn", None)
    begins = rotate_immediately and function
    if any(map(_is_pending, secret.versions.values())) and (begins or secret.arn not in _continued):
        raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
    if not begins:
        return _schedule(backend, secret, *asked)
    token = client_request_token or str(uuid.uuid4())
    secret.remove_version_stages_from_old_versions(["AWSPENDING"])
    secret.versions[token] = {"createdate": int(time.time()), "version_id": token, "version_stages": ["AWSPENDING"]}
    steps = threading.Thread(target=_run, args=(backend, function, secret.arn, token), daemon=True)
    steps.start()
    return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": token})


def _schedule(backend: Any, secret: Any, *asked: Any) -> Any:
    """Set when a secret is rotated, which is tried with a version that is pending for the trial alone."""
    before = [version for version in secret.versions.values() if _is_pending(version)]
    rotated = secret.last_rotation_date
    secret.remove_version_stages_from_old_versions(["AWSPENDING"])
    try:
        return _moto_rotate(backend, secret.arn, *asked)
    finally:
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        for version in before:  # of a rotation that stopped half-way; the database may know no other password
            version["version_stages"].append("AWSPENDING")
        secret.last_rotation_date = rotated
        _continued.discard(secret.arn)


def _run(backend: Any, function: str, arn: str, token: str) -> None:
    functions = get_backend(backend.account_id, backend.region_name)
    for step in _STEPS:
        headers: dict[str, Any] = {}
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        functions.invoke(function, qualifier=None, body=json.dumps(event), headers={}, response_headers=headers)
        if "x-amz-function-error" in headers:
            return
    backend.secrets[arn].remove_version_stages_from_old_versions(["AWSPENDING"])
    note_rotation(backend, arn)


def note_rotation(backend: Any, secret_id: str) -> None:
    """Remember that a secret has been rotated this moment."""
    backend.secrets[secret_id].last_rotation_date = int(time.time())


def note_continuation(secret: Any) -> None:
    """Remember that a secret is there again as it was, whose schedule is set again by a stack that is deployed again.

    In AWS that stack has never been away, and a schedule that has not changed is not set again. So a rotation that was
    interrupted when the cloud was stopped does not prevent the one RotateSecret that sets the schedule.
    """
    if any(map(_is_pending, secret.versions.values())):
        _continued.add(secret.arn)


def _is_pending(version: Mapping[str, Any]) -> bool:
    return "AWSPENDING" in version["version_stages"] and "AWSCURRENT" not in version["version_stages"]
