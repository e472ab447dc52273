"""JSON that a newer totes may have written: after a rollback, the older one reads what is there."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from totes.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Kind = TypeVar("_Kind", bound="DataclassInstance")


def read_as(kind: type[_Kind], values: Mapping[str, Any]) -> _Kind:
    """Make a dataclass of what JSON says of its fields; keys that it does not have are a newer totes' and are ignored.

    What must not be ignored, a newer totes says in another format.

    Args:
        kind: the dataclass.
        values: the JSON object, with values as the fields have them.

    Raises:
        ConfigurationError: its `format` is above 1, and the dataclass has none.
    """
    names = _names(kind)
    if values.get("format", 1) > 1 and "format" not in names:
        raise ConfigurationError(
            f"the lake has a document that was written by a newer totes (a {kind.__name__} of format "
            f"{values['format']}); deploy that one"
        )
    return kind(**{name: values[name] for name in names & values.keys()})


@cache
def _names(kind: "type[DataclassInstance]") -> frozenset[str]:
    """The names of a dataclass's fields; a lake has a hundred thousand parts."""
    return frozenset(field.name for field in fields(kind))
