"""Buckets that behave as S3's under concurrency, and bucket policies that are read as S3 reads them.

moto looks whether an object is there and writes it in two steps, so two conditional puts at once could both
succeed; and it lists a bucket while another thread writes into it. One lock for all that touches a bucket's keys
ends both. It also takes a statement with a condition for one without: a policy that denies what does not come
through TLS would deny everything. And moto keeps no versions of a bucket that is versioned by its template.
"""

import functools
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource

_KEYS = threading.RLock()
_TOUCHING_KEYS = (
    *("put_object", "copy_object", "delete_object", "_key_response_post"),  # the last completes multipart uploads
    "_bucket_response_delete_keys",
    *("list_objects", "list_objects_v2", "list_object_versions"),
)


_moto_create = FakeBucket.create_from_cloudformation_json.__func__
_moto_update = FakeBucket.update_from_cloudformation_json.__func__


def install() -> None:
    """Patch moto's S3."""
    for name in _TOUCHING_KEYS:
        patch(S3Response, name, _one_at_a_time(getattr(S3Response, name)), why="moto looks and writes in two steps")
    patch(FakeBucket, "get_permission", _permission, why="moto takes a statement with a condition for one without")
    patch(
        FakeBucket,
        "create_from_cloudformation_json",
        classmethod(_create),
        why="moto keeps no versions of a bucket that a template has versioned",
    )
    patch(
        FakeBucket,
        "update_from_cloudformation_json",
        classmethod(_update),
        why="moto keeps no versions of a bucket that a template has versioned",
    )


def _create(cls: Any, /, *arguments: Any, **keywords: Any) -> Any:
    """Make a bucket that keeps versions if its template says so."""
    properties = (keywords.get("cloudformation_json") or arguments[1]).get("Properties", {})
    return _versioned(_moto_create(cls, *arguments, **keywords), properties)


def _versioned(bucket: Any, properties: Mapping[str, Any]) -> Any:
    if status := properties.get("VersioningConfiguration", {}).get("Status"):
        bucket.versioning_status = status
    return bucket


def _update(cls: Any, /, original_resource: Any, *, cloudformation_json: Any, **keywords: Any) -> Any:
    """Update a bucket whose name CloudFormation has made up; moto looks for it in the template."""
    properties = {"BucketName": original_resource.name, **cloudformation_json["Properties"]}
    updated = _moto_update(
        cls,
        original_resource=original_resource,
        cloudformation_json={**cloudformation_json, "Properties": properties},
        **keywords,
    )
    return _versioned(updated, properties)


def _one_at_a_time(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def locked(*arguments: Any, **keywords: Any) -> Any:
        with _KEYS:
            return handler(*arguments, **keywords)

    return locked


def _permission(bucket: Any, action: str, resource: str) -> Any:
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    written = policy["Statement"]
    statements = [each for each in (written if isinstance(written, list) else [written]) if "Condition" not in each]
    return IAMPolicy(json.dumps({**policy, "Statement": statements})).is_action_permitted(action, resource)


class BucketPolicy(Resource):
    """The policy of a bucket."""

    cloudformation = "AWS::S3::BucketPolicy"
    service = "s3"

    def make(self) -> None:
        """Make it."""
        self.physical_resource_id = self.properties["Bucket"]
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it."""
        self.client.put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_bucket_policy(Bucket=self.properties["Bucket"])


class EmptiedBucket(Resource):
    """The custom resource that empties a bucket before its deletion; in AWS a function of the CDK's own does it."""

    cloudformation = "Custom::S3AutoDeleteObjects"
    service = "s3"

    def make(self) -> None:
        """There is nothing to make."""

    def change(self, properties: Properties) -> None:
        """There is nothing to change."""

    def remove(self) -> None:
        """Delete every version of every object."""
        bucket = self.properties["BucketName"]
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for found in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                self.client.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])


MODELS: tuple[type[Resource], ...] = (BucketPolicy, EmptiedBucket)
