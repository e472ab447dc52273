"""Secrets and when they are rotated, by CloudFormation; and secrets that keep their names until they are gone for good.

moto says of a secret that is scheduled for deletion that it exists, as of any other.
"""

import json
from contextlib import suppress
from typing import Any

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend

from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource, some, with_types

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


class Secret(Resource):
    """A secret, given or generated. Its value changes only where the template's words for the value do."""

    cloudformation = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    name_property = "Name"
    attribute_names = ("Id",)

    def make(self) -> None:
        """Make it."""
        made = self.client.create_secret(
            Name=self.name,
            SecretString=self._value(self.properties),
            **some(self.properties, "Description", "KmsKeyId", "Tags"),
        )
        self.physical_resource_id = made["ARN"]
        self.attributes["Id"] = made["ARN"]

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.update_secret(SecretId=self.physical_resource_id, **some(properties, "Description", "KmsKeyId"))
        if any(properties.get(word) != self.properties.get(word) for word in ("SecretString", "GenerateSecretString")):
            self.client.put_secret_value(SecretId=self.physical_resource_id, SecretString=self._value(properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_secret(SecretId=self.physical_resource_id, ForceDeleteWithoutRecovery=True)

    def _value(self, properties: Properties) -> str:
        if "SecretString" in properties:
            return str(properties["SecretString"])
        generator = dict(properties.get("GenerateSecretString", {}))
        template, key = generator.pop("SecretStringTemplate", None), generator.pop("GenerateStringKey", None)
        wanted = with_types(self.client, "GetRandomPassword", generator)
        password: str = self.client.get_random_password(**wanted)["RandomPassword"]
        return password if template is None else json.dumps({**json.loads(template), key: password})


class RotationSchedule(Resource):
    """When a secret is rotated. The endpoint keeps it and does not act on it: here a person asks for rotations."""

    cloudformation = "AWS::SecretsManager::RotationSchedule"
    service = "secretsmanager"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self.properties["SecretId"]
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        rules = with_types(self.client, "RotateSecret", some(properties, "RotationRules"))
        self.client.rotate_secret(
            SecretId=properties["SecretId"],
            RotationLambdaARN=properties["RotationLambdaARN"],
            RotateImmediately=str(properties.get("RotateImmediatelyOnUpdate", True)).lower() == "true",
            **rules,
        )

    def remove(self) -> None:
        """Delete it, unless its secret is gone."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.cancel_rotate_secret(SecretId=self.physical_resource_id)


MODELS: tuple[type[Resource], ...] = (Secret, RotationSchedule)
