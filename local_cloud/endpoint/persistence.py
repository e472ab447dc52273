"""Buckets and secrets that have their content again when the cloud is continued in its folder.

These are the resources that the stacks' templates retain; the code store, which the cdk CLI fills with every
deployment, is not one of them. An object is stored before anybody can see it, so that nobody acts on what a power cut
undoes. Of an object its content and its time are stored, of a bucket the current objects. A secret that was scheduled
for deletion comes back without that: no stack could be deployed over it.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from moto.cloudformation import parsing
from moto.core.utils import utcnow
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend, secretsmanager_backends

from local_cloud.account import ACCOUNT, REGION
from local_cloud.cdk import TOOLKIT
from local_cloud.endpoint import rotations
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.secrets import Secret
from local_cloud.endpoint.stacks import RETAINED
from local_cloud.persistent_store import PersistentStore

_PARTITION = "aws"
_CHANGING_A_SECRET = (
    *("put_secret_value", "update_secret", "update_secret_version_stage", "cancel_rotate_secret"),
    *("delete_secret", "restore_secret"),
)

_WHY = "moto keeps nothing beyond its process"

_moto_put = S3Backend.put_object
_moto_delete = S3Backend.delete_object


def install(store: PersistentStore) -> None:
    """Keep what the stacks retain, and give it back when they are deployed again."""
    persistence = _Persistence(store)
    patch(parsing, "parse_and_create_resource", persistence.make, why=_WHY)
    patch(S3Backend, "put_object", _method(persistence.put), why=_WHY)
    patch(S3Backend, "delete_object", _method(persistence.delete), why=_WHY)
    for name in _CHANGING_A_SECRET:
        patch(SecretsManagerBackend, name, persistence.keeping(getattr(SecretsManagerBackend, name)), why=_WHY)
    patch(
        SecretsManagerBackend,
        "rotate_secret",
        persistence.keeping(SecretsManagerBackend.rotate_secret, alone=False),
        why=_WHY,
    )
    rotations.note_rotation = persistence.keeping(rotations.note_rotation)


class _Persistence:
    def __init__(self, store: PersistentStore) -> None:
        self._store = store
        self._make = parsing.parse_and_create_resource  # as it is patched by now
        self._buckets: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._changing = threading.RLock()

    def make(self, logical_id: str, template: Mapping[str, Any], resources: Any, *others: Any, **named: Any) -> Any:
        """Make a resource of a stack, with its stored content."""
        made = self._make(logical_id, template, resources, *others, **named)
        stack = resources["AWS::StackName"]
        if template.get("DeletionPolicy") in RETAINED and stack != TOOLKIT:
            if isinstance(made, FakeBucket):
                self._adopt_bucket(made, f"{stack}/{logical_id}")
            elif isinstance(made, Secret):
                secret = secretsmanager_backends[ACCOUNT][REGION].secrets[made.physical_resource_id]
                self._adopt_secret(secret, f"{stack}/{logical_id}")
        return made

    def put(self, backend: Any, bucket_name: str, key_name: str, value: bytes, *others: Any, **named: Any) -> Any:
        """Put an object."""
        place = self._buckets.get(bucket_name)
        if place is None:
            return _moto_put(backend, bucket_name, key_name, value, *others, **named)
        written = utcnow()
        self._store.put_object(place, key_name, value, written)
        try:
            made = _moto_put(backend, bucket_name, key_name, value, *others, **named)
        except BaseException:  # what moto refuses must not come back when the cloud is continued
            self._keep_current(backend, bucket_name, key_name)
            raise
        made.last_modified = written
        return made

    def delete(self, backend: Any, bucket_name: str, key_name: str, *others: Any, **named: Any) -> Any:
        """Delete an object or one of its versions."""
        deleted = _moto_delete(backend, bucket_name, key_name, *others, **named)
        self._keep_current(backend, bucket_name, key_name)
        return deleted

    def keeping(self, change: Callable[..., Any], *, alone: bool = True) -> Callable[..., Any]:
        """Wrap a change of a secret, so that it is stored before it is answered.

        Args:
            change: the change; backend and secret come first.
            alone: whether no other change may happen meanwhile; a change that waits for a function must allow others.
        """

        def changing(backend: Any, secret_id: str, *others: Any, **named: Any) -> Any:
            with self._changing if alone else nullcontext():
                try:
                    return change(backend, secret_id, *others, **named)
                finally:
                    self._keep_secret(backend, secret_id)

        return changing

    def _keep_secret(self, backend: Any, secret_id: str) -> None:
        with self._changing:
            secret = backend.secrets.get(secret_id)
            if secret is None or secret.arn not in self._secrets:
                return
            document = {
                "versions": secret.versions,
                "current": secret.default_version_id,
                "changed": secret.last_changed_date,
                "rotated": secret.last_rotation_date,
            }
            self._store.put_secret(self._secrets[secret.arn], document)

    def _keep_current(self, backend: Any, bucket_name: str, key_name: str) -> None:
        place = self._buckets.get(bucket_name)
        if place is None:
            return
        newest = backend.get_bucket(bucket_name).keys.get(key_name)
        if isinstance(newest, FakeKey):
            self._store.put_object(place, key_name, newest.value, newest.last_modified)
        else:
            self._store.delete_object(place, key_name)

    def _adopt_bucket(self, bucket: Any, place: str) -> None:
        if place in self._buckets.values():  # its stack was deleted and made again: the old bucket stays, apart
            self._buckets = {name: other for name, other in self._buckets.items() if other != place}
            self._store.empty(place)
        backend = s3_backends[ACCOUNT][_PARTITION]
        for key, body, written in self._store.objects(place):
            _moto_put(backend, bucket.name, key, body).last_modified = written
        self._buckets[bucket.name] = place

    def _adopt_secret(self, secret: FakeSecret, place: str) -> None:
        again = place in self._secrets.values()
        self._secrets = {arn: other for arn, other in self._secrets.items() if other != place}
        self._secrets[secret.arn] = place
        document = None if again else self._store.secret(place)
        if document is not None:
            secret.versions = document["versions"]
            secret.set_default_version_id(document["current"])
            secret.last_changed_date = document["changed"]
            secret.last_rotation_date = document["rotated"]
            rotations.note_continuation(secret)
        self._keep_secret(secretsmanager_backends[ACCOUNT][REGION], secret.arn)


def _method(does: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a bound method into one that another class can have; it gets that class's object first."""

    def method(*arguments: Any, **named: Any) -> Any:
        return does(*arguments, **named)

    return method
