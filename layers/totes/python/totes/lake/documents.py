"""JSON that a newer totes may have written: after a rollback, the older one reads what is there."""

from collections.abc import Hashable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

from totes.errors import ConfigurationError

_Kind = TypeVar("_Kind")


def read_as(kind: type[_Kind], values: Mapping[str, Any]) -> _Kind:
    """Make a dataclass of what JSON says of its fields; keys that it does not have are a newer totes' and are ignored.

    What must not be ignored, a newer totes says in another format.

    Args:
        kind: the dataclass.
        values: the JSON object, with values as the fields have them.

    Raises:
        ConfigurationError: its `format` is above 1, and the dataclass has none.
    """
    names = _names(cast("Hashable", kind))
    if values.get("format", 1) > 1 and "format" not in names:
        raise ConfigurationError(
            f"the lake has a document that was written by a newer totes (a {kind.__name__} of format "
            f"{values['format']}); deploy that one"
        )
    return kind(**{name: values[name] for name in names & values.keys()})


@cache
def _names(kind: Hashable) -> frozenset[str]:
    """The names of a dataclass's fields; a lake has a hundred thousand parts."""
    return frozenset(field.name for field in fields(cast("type[Any]", kind)))
