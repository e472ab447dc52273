"""Rotations as Secrets Manager makes them: the call returns at once, the steps follow, and end at the first that fails.

moto runs all steps whatever they come to, and then takes the pending version for the current one.
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

_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")

_moto_rotate = SecretsManagerBackend.rotate_secret


def install() -> None:
    """Mend moto's rotations."""
    SecretsManagerBackend.rotate_secret = _rotate


def _rotate(
    backend: Any,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: Mapping[str, Any] | None = None,
    rotate_immediately: bool = True,  # noqa: FBT001, FBT002 - moto's signature
) -> Any:
    secret = backend.secrets.get(secret_id)
    function = rotation_lambda_arn or getattr(secret, "rotation_lambda_arn", None)
    if not rotate_immediately or secret is None or not function:
        answer = _moto_rotate(
            backend, secret_id, client_request_token, rotation_lambda_arn, rotation_rules, rotate_immediately
        )
        if secret is not None:
            secret.remove_version_stages_from_old_versions(["AWSPENDING"])  # it was there for the trial alone
            secret.last_rotation_date = None
        return answer
    for version in secret.versions.values():
        if "AWSPENDING" in version["version_stages"] and "AWSCURRENT" not in version["version_stages"]:
            raise InvalidRequestException("Previous rotation request is still in progress.")
    token = client_request_token or str(uuid.uuid4())
    steps = threading.Thread(target=_run, args=(backend, function, secret.arn, token), daemon=True)
    steps.start()
    return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": token})


def _run(backend: Any, function: str, arn: str, token: str) -> None:
    functions = get_backend(backend.account_id, backend.region_name)
    for step in _STEPS:
        headers: dict[str, Any] = {}
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        functions.invoke(function, qualifier=None, body=json.dumps(event), headers={}, response_headers=headers)
        if "x-amz-function-error" in headers:
            return
    backend.secrets[arn].last_rotation_date = int(time.time())
