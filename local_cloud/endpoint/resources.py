"""What the types of resources have in common that moto's services support and its CloudFormation does not.

Each type is in the module of its service. A resource is made, changed and deleted by the calls of the service's public
API, on this very endpoint.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Self

import boto3
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.settings import moto_server_port

from local_cloud.endpoint.patches import patch

Properties = Mapping[str, Any]

_MAKING = threading.Lock()
"""To make a client is all that a session may not do in two threads at once."""

_moto_class_of = parsing.resource_class_from_type


class Resource(ABC):
    """One resource of a stack; the methods named cloudformation and cfn are what moto asks of a model.

    Attributes:
        cloudformation: the type's name in a template.
        service: whose API makes it, in boto3's words.
        name_property: the property that names it; empty: it has none.
        replaced_by: the properties whose change replaces the resource.
        physical_resource_id: what Ref gives.
        attributes: what Fn::GetAtt gives, by name.
    """

    cloudformation: ClassVar[str]
    service: ClassVar[str]
    name_property: ClassVar[str] = ""
    replaced_by: ClassVar[tuple[str, ...]] = ()
    attribute_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, properties: Properties, region: str) -> None:
        self.name = name
        self.properties = properties
        self.region = region
        self.physical_resource_id = name
        self.attributes: dict[str, str] = {}
        self._is_as_it_says = True

    @property
    def client(self) -> Any:
        """The service's client."""
        return client_of(self.service, self.region)

    def typed(self, operation: str, words: Iterable[str]) -> dict[str, Any]:
        """Return some of its properties, with the types that an API call's parameters of their names have."""
        return with_types(self.client, operation, some(self.properties, *words))

    def said(self, operation: str, properties: Properties) -> dict[str, Any]:
        """Return those of properties that an API call has parameters for, with the types of these."""
        parameters = self.client.meta.service_model.operation_model(operation).input_shape.members
        return with_types(self.client, operation, some(properties, *parameters))

    @abstractmethod
    def make(self) -> None:
        """Make it as its properties say."""

    @abstractmethod
    def change(self, properties: Properties) -> None:
        """Make it as new properties say; `self.properties` are still the old ones."""

    @abstractmethod
    def remove(self) -> None:
        """Delete it."""

    @classmethod
    def cloudformation_type(cls) -> str:
        """The type's name in a template."""
        return cls.cloudformation

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """The property that names it."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether Fn::GetAtt may ask for the attribute."""
        return attr in cls.attribute_names

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What Fn::GetAtt gives."""
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """Whether it is ready for use."""
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,  # noqa: ARG003 - moto's signature
        region_name: str,
        **_: Any,
    ) -> Self:
        """Make one from a template's words."""
        resource = cls(resource_name, cloudformation_json["Properties"], region_name)
        resource.make()
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: Mapping[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """Change one as a template's new words say, or make another: who calls removes the old one.

        A new name makes another, or none any more, and so does what `replaced_by` says, unless the template names it.
        One whose properties have the same values as before is not touched, unless the change before was never
        finished.
        """
        properties, old = cloudformation_json["Properties"], original_resource.properties
        had_a_name = cls.name_property in old
        name = properties.get(cls.name_property, new_resource_name if had_a_name else original_resource.name)
        is_replaced = any(properties.get(word) != old.get(word) for word in cls.replaced_by)
        if is_replaced and name == properties.get(cls.name_property) == original_resource.name:
            raise ValidationError(
                message="CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
        if is_replaced or name != original_resource.name:
            return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        if original_resource._is_as_it_says and properties == old:
            return original_resource
        original_resource._is_as_it_says = False
        original_resource.change(properties)
        original_resource.properties, original_resource._is_as_it_says = properties, True
        return original_resource

    def remember(self) -> None:  # noqa: B027 - most have nothing to do here
        """Have its deletion leave what is to be left of it where the policy for it is a snapshot."""

    def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002 - moto's signature
        """Delete it with its stack."""
        self.remove()


def install(models: Iterable[type[Resource]]) -> None:
    """Let moto's CloudFormation make these resources."""
    patch(
        parsing,
        "resource_class_from_type",
        _class_of,
        why="moto takes every custom resource for a function in a container",
    )
    for model in models:
        get_model_map()[model.cloudformation] = model
        get_name_type_map()[model.cloudformation] = model.name_property


def _class_of(kind: str) -> Any:
    """The model of a type; moto takes every custom resource for a function in a container."""
    return get_model_map().get(kind) or _moto_class_of(kind)


@cache
def client_of(service: str, region: str) -> Any:
    """A client of this very endpoint, whom no policy holds back."""
    with _MAKING:
        return _session(region).client(service, endpoint_url=f"http://localhost:{moto_server_port()}")


@cache
def _session(region: str) -> Any:
    """One for all clients of a region: to make one costs as much as to make a client."""
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)  # noqa: S106


def some(properties: Properties, *words: str) -> dict[str, Any]:
    """Those of the words that properties have, with their values."""
    return {word: properties[word] for word in words if word in properties}


def with_types(client: Any, operation: str, properties: Properties) -> dict[str, Any]:
    """The properties with the types of an API call's parameters, which have the same names.

    CloudFormation accepts "5" and "true" for a number and a boolean.
    """
    result: dict[str, Any] = _as_shape(client.meta.service_model.operation_model(operation).input_shape, properties)
    return result


_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
    "boolean": lambda value: str(value).lower() == "true",
}


def _as_shape(shape: Any, value: Any) -> Any:
    kind = "unknown" if shape is None else shape.type_name
    if kind == "structure":
        return {word: _as_shape(shape.members.get(word), each) for word, each in value.items()}
    if kind == "list":
        return [_as_shape(shape.member, each) for each in value]
    cast = _CASTS.get(kind)
    return value if cast is None else cast(value)
