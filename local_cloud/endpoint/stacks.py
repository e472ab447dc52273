"""Stacks that deploy, update and refuse as CloudFormation's do.

What moto lacks: change sets are found by their stack, and one that is not there can be deleted (the cdk CLI does so
before every deployment); a stack made by a change set has outputs and exports; what depends on a replaced resource
is updated too; what refers to another is deleted before it; a type that cannot be made or updated is an error, by
name; an error has a form that the cdk CLI shows; a stack under termination protection, or one whose exports are in use,
is not deleted; a change set is deleted with its stack, and when another one of the stack is executed; what is to be
retained is retained, also when it leaves its template, and a snapshot is taken where the policy says so; what can
outlive its stack has the stack's tags; a creation that fails is rolled back; a deletion that failed goes on, when it is
tried again, with what is left. Updates are in `updates`.
JSON templates are read by the JSON parser: YAML's takes seconds for the same.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.parsing import NULL_MODELS, ResourceMap, get_model_map
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.endpoint import exports, parameters, subnets, updates
from local_cloud.endpoint.patches import add, patch
from local_cloud.endpoint.resources import Resource
from local_cloud.endpoint.templates import in_order, references

logger = logging.getLogger(__name__)

RETAINED = {"Retain", "RetainExceptOnCreate"}
"""The deletion policies by which a resource outlives its stack."""

_NOTHING_TO_MAKE = {"AWS::CDK::Metadata", *NULL_MODELS}

_OUTLIVING = {
    *("AWS::S3::Bucket", "AWS::SecretsManager::Secret"),
    *("AWS::RDS::DBInstance", "AWS::RDS::DBParameterGroup", "AWS::RDS::DBSubnetGroup"),
}
"""What may outlive its stack, and is then found by the stack's tags, which AWS gives to all that a stack makes."""

_moto_parse_template = Stack.parse_template
_moto_create_stack = CloudFormationBackend.create_stack
_moto_create_change_set = CloudFormationBackend.create_change_set
_moto_execute_change_set = CloudFormationBackend.execute_change_set
_moto_delete_stack = CloudFormationBackend.delete_stack
_moto_delete_resource = ResourceMap._delete_resource  # noqa: SLF001 - moto has no public place for it
_moto_resource_diff = ResourceMap.build_resource_diff
_moto_create_resource = parsing.parse_and_create_resource
_moto_update_resource = parsing.parse_and_update_resource


def install() -> None:
    """Patch moto's CloudFormation."""
    updates.install()
    parameters.install()
    patch(
        Stack,
        "parse_template",
        staticmethod(_parse_template),
        why="moto reads JSON by the YAML parser, which takes seconds",
    )
    patch(
        ChangeSet,
        "_parse_template",
        _parse_template_of_change_set,
        why="moto reads JSON by the YAML parser, which takes seconds",
    )
    patch(CloudFormationBackend, "create_stack", _create_stack, why="moto leaves a stack whose creation fails as it is")
    patch(
        CloudFormationBackend,
        "create_change_set",
        _create_change_set,
        why="moto makes no outputs and exports of a change set's stack",
    )
    patch(
        CloudFormationBackend,
        "execute_change_set",
        _apply_change_set,
        why="moto makes no outputs and exports of a change set's stack",
    )
    patch(
        CloudFormationResponse,
        "delete_change_set",
        _delete_change_set,
        why="moto refuses to delete a change set that is not there",
    )
    patch(
        CloudFormationResponse, "describe_change_set", _describe_change_set, why="moto finds no change set by its stack"
    )
    patch(
        CloudFormationResponse, "execute_change_set", _execute_change_set, why="moto finds no change set by its stack"
    )
    add(
        CloudFormationResponse,
        "update_termination_protection",
        _update_termination_protection,
        why="moto has no termination protection",
    )
    patch(
        CloudFormationBackend,
        "delete_stack",
        _delete_stack,
        why="moto deletes a protected stack, and one whose exports are in use",
    )
    patch(ResourceMap, "delete", _delete_resources, why="moto deletes in no order and stops at what fails")
    patch(ResourceMap, "_delete_resource", _delete_or_retain, why="moto deletes what is to be retained")
    patch(
        ResourceMap,
        "build_resource_diff",
        _resource_diff,
        why="moto does not update what depends on a replaced resource",
    )
    patch(parsing, "parse_and_update_resource", _update_resource, why="moto passes over a type that it cannot update")
    patch(parsing, "parse_and_create_resource", _create_resource, why="moto passes over a type that it cannot make")


def _parse_template(template: str) -> Any:
    try:
        return json.loads(template)
    except json.JSONDecodeError:
        return _moto_parse_template(template)


def _parse_template_of_change_set(change_set: Any) -> None:
    change_set.template_dict = _parse_template(change_set.template)


class _ChangeSetNotFound(ServiceException):  # type: ignore[misc] # moto has no types
    """What the cdk CLI waits for after it has deleted a change set."""

    code = "ChangeSetNotFound"


def _change_set(response: Any) -> Any:
    """The change set that a request means by id, or by name and stack; None if there is none."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    found = None
    for change_set in response.cloudformation_backend.change_sets.values():
        named = change_set.change_set_name == name and stack in {change_set.stack_name, change_set.stack_id}
        if named or change_set.change_set_id == name:
            found = change_set
    return found


def _existing_change_set(response: Any) -> Any:
    found = _change_set(response)
    if found is None:
        raise _ChangeSetNotFound(f"there is no change set {response._get_param('ChangeSetName')}")  # noqa: SLF001
    return found


def _delete_change_set(response: Any) -> Any:
    if found := _change_set(response):
        del response.cloudformation_backend.change_sets[found.change_set_id]
    return EmptyResult()


def _describe_change_set(response: Any) -> Any:
    return ActionResult(_existing_change_set(response))


def _execute_change_set(response: Any) -> Any:
    response.cloudformation_backend.execute_change_set(_existing_change_set(response).change_set_id)
    return EmptyResult()


def _update_termination_protection(response: Any) -> Any:
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))  # noqa: SLF001
    stack.enable_termination_protection = response._get_bool_param("EnableTerminationProtection")  # noqa: SLF001
    return ActionResult({"StackId": stack.stack_id})


def _delete_stack(backend: Any, name_or_stack_id: str) -> None:
    found = [each for each in backend.stacks.values() if name_or_stack_id in {each.name, each.stack_id}]
    if any(getattr(stack, "enable_termination_protection", False) for stack in found):
        raise ValidationError(
            message=f"Stack [{name_or_stack_id}] cannot be deleted while TerminationProtection is enabled"
        )
    for stack in found:
        exports.refuse_used(backend, stack.stack_id, ())
    try:
        _moto_delete_stack(backend, name_or_stack_id)
    except Exception:
        for stack in found:  # moto has forgotten it by now, with whatever is left of it
            backend.stacks[stack.stack_id] = stack
            stack.status = "DELETE_FAILED"
        raise
    for stack in found:
        _forget_change_sets(backend, stack.stack_id)


def _forget_change_sets(backend: Any, stack_id: str, *, but: str | None = None) -> None:
    """Delete the change sets of a stack, all or all but one: who deploys it again would find them by name."""
    for name in [name for name, each in backend.change_sets.items() if each.stack_id == stack_id and name != but]:
        del backend.change_sets[name]


def _create_change_set(backend: Any, *arguments: Any, **keywords: Any) -> Any:
    _refuse_unknown_types(_parse_template(keywords["template"])["Resources"])
    made = _moto_create_change_set(backend, *arguments, **keywords)
    change_set = backend.change_sets[made[0]]
    change_set.stack.resource_map.cross_stack_resources = backend.exports
    if change_set.changes and change_set.status == "FAILED":  # only a parameter in Systems Manager has changed
        change_set.status, change_set.execution_status, change_set.status_reason = "CREATE_COMPLETE", "AVAILABLE", None
    _tell_changed_properties(change_set)
    return made


def _tell_changed_properties(change_set: Any) -> None:
    """Name the changed properties of each modified resource: cdk diff shows no others."""
    old, new = change_set.stack.resource_map._resource_json_map, change_set.template_dict["Resources"]  # noqa: SLF001
    for change in change_set.changes:
        if change.action == "Modify":
            before, after = (each[change.logical_resource_id].get("Properties", {}) for each in (old, new))
            change.scope = ["Properties"]
            change.replacement = "False"
            change.details = [
                {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Never"}}
                for name in sorted(before.keys() | after.keys())
                if before.get(name) != after.get(name)
            ]


def _refuse_unknown_types(resources: Mapping[str, Mapping[str, Any]]) -> None:
    known = get_model_map().keys() | _NOTHING_TO_MAKE
    unknown = [f"{name} ({resource['Type']})" for name, resource in resources.items() if resource["Type"] not in known]
    if unknown:
        raise ValidationError(message=f"the local cloud cannot make {', '.join(unknown)}")


def _apply_change_set(backend: Any, change_set_name: str) -> None:
    change_set = backend.change_sets[change_set_name]
    stack = change_set.stack
    try:
        _moto_execute_change_set(backend, change_set_name)
    except Exception as error:
        stack.status = updates.rolled_back(
            stack.resource_map, "" if change_set.change_set_type == "CREATE" else "UPDATE_"
        )
        if isinstance(error, ServiceException):
            raise
        raise _shown(stack, error) from error
    stack.template_dict = backend.change_sets[change_set_name].template_dict
    stack.description = stack.template_dict.get("Description")
    stack.output_map = stack._create_output_map()  # noqa: SLF001 - what moto does for the other way to make a stack
    exports.replace(backend, stack)
    _forget_change_sets(backend, stack.stack_id, but=change_set_name)


def _create_stack(backend: Any, name: str, *arguments: Any, **keywords: Any) -> Any:
    before = set(backend.stacks)
    try:
        return _moto_create_stack(backend, name, *arguments, **keywords)
    except Exception as error:
        for stack_id in set(backend.stacks) - before:
            stack = backend.stacks[stack_id]
            updates.delete_new(stack.resource_map)
            stack.status = updates.rolled_back(stack.resource_map, "")
            # It has no outputs, and to look at them would make the resources that they name again.
            stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack_id)
            for export in [each for each in backend.exports.values() if each.exporting_stack_id == stack_id]:
                del backend.exports[export.name]
            if not isinstance(error, ServiceException):
                raise _shown(stack, error) from error
        raise


def _shown(stack: Any, error: Exception) -> ValidationError:
    """Turn an error into one that the cdk CLI shows."""
    logger.error("stack %s", stack.name, exc_info=error)
    return ValidationError(message=f"stack {stack.name}: {type(error).__name__}: {error}")


def _resource_diff(resources: Any, other_template: Mapping[str, Any], said: Any = None) -> dict[str, list[str]]:
    """What differs from another template, by properties only, with all that refers to what is modified."""
    old, new = resources._resource_json_map, other_template["Resources"]  # noqa: SLF001
    diff: dict[str, list[str]] = _moto_resource_diff(resources, other_template, said)
    modified = {name for name in diff["Modify"] if _properties(old[name]) != _properties(new[name])}
    modified |= subnets.moved(resources, new)
    values = parameters.changed(resources, other_template, said)
    order = in_order(new)
    for name in order:
        if name in modified or name not in old or not _can_be_updated(new[name]):
            continue
        if references(new[name]) & (modified | values):
            modified.add(name)
    return {**diff, "Modify": [name for name in order if name in modified]}


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource's properties; moto writes an empty word into a template that has none."""
    return resource.get("Properties") or {}


def _delete_resources(resources: Any) -> None:
    """Delete each resource before those it refers to, except what is to be retained; the first error ends it."""
    templates, made = resources._resource_json_map, resources._parsed_resources  # noqa: SLF001
    # In a copy: moto makes a resource again that was taken out of its own collection, as soon as it looks for it.
    gone = resources.__dict__.setdefault("_gone", set())
    for name in reversed(in_order(templates)):
        resource = made.get(name)
        if resource is None or isinstance(resource, str) or name in gone:
            continue
        try:
            resources._delete_resource(resource, templates[name])  # noqa: SLF001
        except Exception as error:
            raise ValidationError(message=f"{name} was not deleted: {type(error).__name__}: {error}") from error
        gone.add(name)


def _delete_or_retain(resources: Any, resource: Any, template: Mapping[str, Any]) -> None:
    policy = template.get("DeletionPolicy")
    if policy == "Snapshot":
        resource.remember()
    if policy not in RETAINED:
        _moto_delete_resource(resources, resource, template)


def _can_be_updated(resource: Mapping[str, Any]) -> bool:
    model = get_model_map().get(resource["Type"])
    return model is not None and not hasattr(model.update_from_cloudformation_json, "__isabstractmethod__")


def _update_resource(logical_id: str, resource_json: Mapping[str, Any], resources: Any, **where: str) -> Any:
    if resource_json["Type"] in _NOTHING_TO_MAKE:
        return None
    if not _can_be_updated(resource_json):
        raise ValidationError(
            message=f"the local cloud cannot update {logical_id} ({resource_json['Type']}); "
            "take it down and up again (totes local down, totes local up)"
        )
    if resource_json["Type"] in _OUTLIVING and issubclass(get_model_map()[resource_json["Type"]], Resource):
        resource_json = _tagged(resource_json, resources.tags)  # it may be another that takes its place
    return _moto_update_resource(logical_id, resource_json, resources, **where)


def _create_resource(
    logical_id: str, resource_json: Mapping[str, Any], resources_map: Any, *arguments: Any, **keywords: Any
) -> Any:
    if resource_json["Type"] in _OUTLIVING:
        resource_json = _tagged(resource_json, resources_map.tags)
    return _moto_create_resource(logical_id, resource_json, resources_map, *arguments, **keywords)


def _tagged(resource: Mapping[str, Any], tags: Mapping[str, str]) -> Mapping[str, Any]:
    """A resource's template with its stack's tags added after its own."""
    properties = resource.get("Properties", {})
    own = properties.get("Tags", [])
    keys = {tag["Key"] for tag in own}
    stacks = [
        {"Key": key, "Value": value} for key, value in tags.items() if key not in keys and not key.startswith("aws:")
    ]
    return {**resource, "Properties": {**properties, "Tags": [*own, *stacks]}}
