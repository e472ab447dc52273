"""Parameters of a template that name one in Systems Manager, as CloudFormation reads them.

Each creation and each update looks the value up, also with "use the previous value", for the previous value is the
name. What refers to the parameter changes when the value has changed. moto keeps the value that it has looked up once.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/systems-manager-parameter-types.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.ssm.models import ssm_backends

from local_cloud.endpoint.patches import patch

_KIND = "AWS::SSM::Parameter::"


def install() -> None:
    """Patch how moto reads parameters."""
    patch(ResourceMap, "parse_ssm_parameter", _look_up, why="moto keeps the value that it has looked up once")
    patch(Stack, "stack_parameters", property(_said), why="moto keeps the value that it has looked up once")
    patch(
        CloudFormationBackend,
        "_resolve_update_parameters",
        _of_update,
        why="moto keeps the value that it has looked up once",
    )
    patch(
        CloudFormationResponse,
        "_validate_different_update",
        _refuse_no_change,
        why="moto compares names of parameters, not what they stand for",
    )


def changed(resources: Any, template: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> set[str]:
    """The parameters of a stack's new template whose value in Systems Manager is not what the stack has.

    Args:
        resources: moto's resources of the stack.
        template: the new template.
        said: the values of parameters that an update says.

    Raises:
        ValidationError: Systems Manager has no such parameter.
    """
    had = resources.resolved_parameters
    return {
        key
        for key, slot in template.get("Parameters", {}).items()
        if slot["Type"].startswith(_KIND) and key in had
        if _look_up(resources, (said or {}).get(key, slot.get("Default")), slot["Type"]) != had[key]
    }


def _look_up(resources: Any, name: str, kind: str) -> Any:
    found = ssm_backends[resources._account_id][resources._region_name].get_parameter(name)  # noqa: SLF001
    if found is None:
        raise ValidationError(message=f"Unable to fetch parameters [{name}] from parameter store for this account.")
    return found.value.split(",") if "List" in kind else found.value


def _said(stack: Any) -> dict[str, Any]:
    """What was said of each parameter: of one in Systems Manager its name."""
    resources = stack.resource_map
    slots = resources._template.get("Parameters", {})  # noqa: SLF001
    return {
        key: resources.input_parameters.get(key, slot.get("Default"))
        if (slot := slots.get(key, {})).get("Type", "").startswith(_KIND)
        else value
        for key, value in resources.resolved_parameters.items()
    }


def _of_update(_: Any, instance: Any, incoming_params: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said = instance.stack_parameters
    return {
        each["ParameterKey"]: said[each["ParameterKey"]] if each.get("UsePreviousValue") else each["ParameterValue"]
        for each in incoming_params
    }


def _refuse_no_change(response: Any, incoming: Sequence[Mapping[str, Any]], body: str, stack: Any) -> None:
    """Refuse an update that changes nothing; of a change set that shows when it is described."""
    if response._get_param("ChangeSetName"):  # noqa: SLF001
        return
    template, said = stack.parse_template(body), response._get_param_values(incoming, stack.stack_parameters)  # noqa: SLF001
    same = template == stack.template_dict and said == stack.stack_parameters
    if same and not changed(stack.resource_map, template, said):
        raise ValidationError(stack.name, message="No updates are to be performed.")
