"""Updates of stacks as CloudFormation makes them: whole or not at all, with deletions last.

What moto lacks: an update makes what is new, changes what is changed, and deletes what has left the template when all
else has succeeded; one that fails is rolled back; an export that another stack imports can be neither changed nor
removed.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, cloudformation_backends
from moto.cloudformation.parsing import OutputMap, ResourceMap

from local_cloud.endpoint import exports
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource
from local_cloud.endpoint.templates import in_order

logger = logging.getLogger(__name__)

_moto_update_stack = CloudFormationBackend.update_stack
_moto_delete_resource = ResourceMap._delete_resource  # noqa: SLF001 - moto has no public place for it


def install() -> None:
    """Patch how moto updates stacks."""
    ResourceMap.rollback_failed = False
    patch(ResourceMap, "update", _update, why="moto leaves a failed update half done")
    patch(CloudFormationBackend, "update_stack", _update_stack, why="moto lets an export that is in use change or go")


@dataclass(frozen=True, kw_only=True)
class _Before:
    """What a stack was before an update of it, and what has been tried since."""

    made: Mapping[str, Any]
    template: Mapping[str, Any]
    resources: Mapping[str, Any]
    properties: Mapping[str, Properties]
    said: Mapping[str, Any]
    resolved: Mapping[str, Any]
    modified: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, resources: Any) -> "_Before":
        made = dict(resources._parsed_resources)  # noqa: SLF001
        return cls(
            made=made,
            template=resources._template,  # noqa: SLF001
            resources=resources._resource_json_map,  # noqa: SLF001
            properties={name: each.properties for name, each in made.items() if isinstance(each, Resource)},
            said=resources.input_parameters,
            resolved=dict(resources.resolved_parameters),
        )


def _update(resources: Any, template: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> None:
    before, changes = _Before.of(resources), resources.build_resource_diff(template, parameters)
    made = resources._parsed_resources  # noqa: SLF001
    try:
        _take_up(resources, template, parameters or before.said)
        for name in in_order(template["Resources"]):
            if name in changes["Modify"]:
                before.modified.append(name)
                _modify(resources, name)
            elif name in changes["Add"]:
                _ = resources[name]  # moto makes a resource when it is asked for it
        backend = cloudformation_backends[resources._account_id][resources._region_name]  # noqa: SLF001
        exports.refuse_used(backend, resources.stack_id, OutputMap(resources, template, resources.stack_id).exports)
    except Exception:
        _roll_back(resources, before)
        raise
    for name in reversed(in_order(before.resources)):
        if name in changes["Remove"] and (gone := made.pop(name, None)) is not None:
            _clean_up(resources, gone, before.resources[name])
        elif made.get(name) is not before.made.get(name):
            _remove_replaced(before.made.get(name), template["Resources"][name])


def _take_up(resources: Any, template: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    resources._template, resources._resource_json_map = template, template["Resources"]  # noqa: SLF001
    resources.input_parameters, resources.resolved_parameters = parameters, {}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()


def _modify(resources: Any, name: str) -> None:
    resources._parsed_resources[name] = parsing.parse_and_update_resource(  # noqa: SLF001
        name,
        resources._resource_json_map[name],  # noqa: SLF001
        resources,
        account_id=resources._account_id,  # noqa: SLF001
        region_name=resources._region_name,  # noqa: SLF001
    )


def _remove_replaced(found: Any, template: Mapping[str, Any]) -> None:
    """Delete a resource whose place another has taken, unless it is to be retained; what cannot be deleted stays."""
    policy = template.get("UpdateReplacePolicy")
    if not isinstance(found, Resource) or policy == "Retain":
        return
    if policy == "Snapshot":
        found.remember()
    try:
        found.remove()
    except Exception:
        logger.exception("%s, which was replaced, stays, for it was not deleted", found.name)


def _clean_up(resources: Any, gone: Any, template: Mapping[str, Any]) -> None:
    """Delete what has left the template; what cannot be deleted stays, which does not make the update fail."""
    try:
        resources._delete_resource(gone, template)  # noqa: SLF001
    except Exception:
        logger.exception("%s stays, for it was not deleted", template["Type"])


def delete_new(resources: Any, *, old: Collection[str] = ()) -> None:
    """Delete what an operation has made before it failed, except what is to be retained in any case.

    A snapshot is taken where the policy says so, here too: a first deployment that fails leaves it behind.
    What cannot be deleted stays, and the rollback has then failed; the same is true of an instance that is protected.

    Args:
        resources: the stack's resources.
        old: the names of those that were there before.
    """
    resources.rollback_failed = False
    made, templates = resources._parsed_resources, resources._resource_json_map  # noqa: SLF001
    for name in reversed(in_order(templates)):
        if name in old or (new := made.pop(name, None)) is None:
            continue
        policy = templates[name].get("DeletionPolicy")
        if not isinstance(new, str) and policy != "Retain":
            if policy == "Snapshot":
                new.remember()
            try:
                _moto_delete_resource(resources, new, templates[name])
            except Exception:
                logger.exception("%s stays, for it was not deleted", name)
                resources.rollback_failed = True


def rolled_back(resources: Any, operation: str) -> str:
    """The status of a stack that was rolled back; `operation` is "" for its creation, or "UPDATE_"."""
    return f"{operation}ROLLBACK_{'FAILED' if resources.rollback_failed else 'COMPLETE'}"


def _roll_back(resources: Any, before: _Before) -> None:
    """Delete what an update has made before it failed, and put back what it has changed."""
    delete_new(resources, old=before.resources)
    made = resources._parsed_resources  # noqa: SLF001
    resources._template, resources._resource_json_map = before.template, before.resources  # noqa: SLF001
    resources.input_parameters, resources.resolved_parameters = before.said, dict(before.resolved)
    made.update(before.resolved)
    for name in before.modified:
        found, new = before.made[name], made[name]
        try:
            if isinstance(new, Resource) and new is not found:
                new.remove()
                made[name] = found
            elif isinstance(found, Resource):
                _put_back(resources, name, before)
            else:
                _modify(resources, name)
        except Exception:
            logger.exception("%s is not what it was", name)
            resources.rollback_failed = True


def _put_back(resources: Any, name: str, before: _Before) -> None:
    """Give a resource the values that it had; what its template's functions say now may be something else."""
    found, said = before.made[name], {"Properties": before.properties[name]}
    account, region = resources._account_id, resources._region_name  # noqa: SLF001
    resources._parsed_resources[name] = found.update_from_cloudformation_json(found, found.name, said, account, region)  # noqa: SLF001


def _update_stack(backend: Any, name: str, *arguments: Any, **keywords: Any) -> Any:
    stack = backend.get_stack(name)
    before = stack.template
    try:
        _moto_update_stack(backend, name, *arguments, **keywords)
    except Exception:
        stack.template, stack.status = before, rolled_back(stack.resource_map, "UPDATE_")
        stack._parse_template()  # noqa: SLF001
        raise
    exports.replace(backend, stack)
    return stack
