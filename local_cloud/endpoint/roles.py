"""Roles of a stack whose inline policies are those of its template, and whose permissions boundary is there.

moto's CloudFormation keeps these policies as something that IAM's API then does not give as JSON, and leaves them as
they are when the template changes them. Policies that a template attaches by ARN are attached by neither.
"""

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Role, iam_backends

from local_cloud.account import ACCOUNT
from local_cloud.endpoint.patches import patch

_moto_create = Role.create_from_cloudformation_json.__func__
_moto_update = Role.update_from_cloudformation_json.__func__


def install() -> None:
    """Patch moto's roles."""
    patch(
        Role,
        "create_from_cloudformation_json",
        classmethod(_create),
        why="moto keeps inline policies as what IAM does not give as JSON",
    )
    patch(
        Role,
        "update_from_cloudformation_json",
        classmethod(_update),
        why="moto leaves inline policies as they are when the template changes them",
    )


def _create(cls: Any, resource_name: str, cloudformation_json: Any, *arguments: Any, **keywords: Any) -> Any:
    _refuse_missing_boundary(cloudformation_json["Properties"])
    role = _moto_create(cls, resource_name, cloudformation_json, *arguments, **keywords)
    role.of_template = _inline(cloudformation_json["Properties"])
    role.policies = dict(role.of_template)
    return role


def _update(cls: Any, /, *, original_resource: Any, cloudformation_json: Any, **keywords: Any) -> Any:
    role = _moto_update(cls, original_resource=original_resource, cloudformation_json=cloudformation_json, **keywords)
    # The policies that other resources of the stack have put on it stay.
    others = {name: document for name, document in role.policies.items() if name not in role.of_template}
    role.of_template = _inline(cloudformation_json["Properties"])
    role.policies = {**others, **role.of_template}
    return role


def _refuse_missing_boundary(properties: Mapping[str, Any]) -> None:
    """Raise as IAM does where a boundary is no policy that there is."""
    if boundary := properties.get("PermissionsBoundary"):
        try:
            iam_backends[ACCOUNT]["aws"].get_policy(boundary)
        except NotFoundException as error:
            raise NotFoundException(f"Scope ARN: {boundary} does not exist or is not attachable.") from error


def _inline(properties: Mapping[str, Any]) -> dict[str, str]:
    return {each["PolicyName"]: json.dumps(each["PolicyDocument"]) for each in properties.get("Policies", [])}
