"""Functions and layers of a stack, with all their properties.

moto's CloudFormation leaves out a function's layers, architecture and log settings, and cannot update a layer; and it
gives a function any memory and any time. An account's own quota of memory may be lower than the limit that is checked
here:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.cloudformation.exceptions import ValidationError

from local_cloud.endpoint.patches import add, patch

_LIMITS = {"MemorySize": (128, 10_240), "Timeout": (1, 900)}
"""The least and the most of each: megabytes and seconds."""

_moto_create = LambdaFunction.create_from_cloudformation_json.__func__
_moto_update = LambdaFunction.update_from_cloudformation_json.__func__


def install() -> None:
    """Patch moto's functions and layers."""
    patch(
        LambdaFunction,
        "create_from_cloudformation_json",
        classmethod(_create),
        why="moto leaves out layers, architecture and log settings",
    )
    patch(
        LambdaFunction,
        "update_from_cloudformation_json",
        classmethod(_update),
        why="moto leaves out layers, architecture and log settings",
    )
    patch(
        LayerVersion, "update_from_cloudformation_json", classmethod(_replace_layer), why="moto cannot update a layer"
    )
    add(
        LayerVersion,
        "physical_resource_id",
        property(lambda version: version.arn),
        why="moto's layer version is not known by its ARN",
    )
    add(LayerVersion, "delete", _keep_layer, why="moto's CloudFormation deletes no layer version")


def _create(cls: Any, resource_name: str, cloudformation_json: Any, *arguments: Any, **keywords: Any) -> Any:
    _refuse(cloudformation_json["Properties"])
    function = _moto_create(cls, resource_name, cloudformation_json, *arguments, **keywords)
    return _completed(function, cloudformation_json["Properties"])


def _update(cls: Any, /, **keywords: Any) -> Any:
    properties = keywords["cloudformation_json"]["Properties"]
    _refuse(properties)
    return _completed(_moto_update(cls, **keywords), properties)


def _refuse(properties: Mapping[str, Any]) -> None:
    """Refuse a function whose memory or time is outside of Lambda's limits."""
    for word, (least, most) in _LIMITS.items():
        value = int(properties.get(word, least))
        if not least <= value <= most:
            bound = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
            raise ValidationError(
                message=f"1 validation error detected: Value '{value}' at '{word[0].lower()}{word[1:]}' failed to "
                f"satisfy constraint: Member must have value {bound}"
            )


def _completed(function: Any, properties: Mapping[str, Any]) -> Any:
    function.update_configuration({"Layers": properties.get("Layers", [])})
    function.architectures = properties.get("Architectures", ["x86_64"])
    logging = properties.get("LoggingConfig", {})
    function.logs_group_name = logging.get("LogGroup", f"/aws/lambda/{function.function_name}")
    function.log_format = logging.get("LogFormat", "Text")
    return function


def _replace_layer(
    cls: Any, /, original_resource: Any, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
) -> Any:
    """A layer's version never changes: new words for it make the next version."""
    return cls.create_from_cloudformation_json(original_resource.name, cloudformation_json, account_id, region_name)


def _keep_layer(version: Any, account_id: str, region: str) -> None:
    """Functions of other stacks may still use it; it ends with the cloud."""
