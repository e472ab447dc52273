"""Secrets that keep their names until they are gone for good.

moto says of a secret that is scheduled for deletion that it exists, as of any other.
"""

from typing import Any

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend

from local_cloud.endpoint.patches import patch

_moto_create = SecretsManagerBackend.create_secret


def install() -> None:
    """Let moto refuse the name of a secret that is scheduled for deletion as AWS does."""
    patch(
        SecretsManagerBackend,
        "create_secret",
        _create,
        why="moto says of a secret that is scheduled for deletion that it exists, as of any other",
    )


def _create(backend: Any, name: str, *arguments: Any, **keywords: Any) -> Any:
    existing = backend.secrets.get(name)
    if existing is not None and existing.is_deleted():
        raise InvalidRequestException(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    return _moto_create(backend, name, *arguments, **keywords)
