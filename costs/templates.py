"""The resources of synthesised templates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from totes.errors import UserError


class Unpriceable(Exception):
    """What a resource costs cannot be told; the sentence says why."""


@dataclass(frozen=True)
class TemplateResource:
    """A resource of a template.

    Attributes:
        logical_id: its name in the template.
        kind: its type, such as AWS::S3::Bucket.
        properties: as in the template, expressions and all.
    """

    logical_id: str
    kind: str
    properties: Mapping[str, Any]

    def number(self, name: str, default: int | None = None) -> Decimal:
        """A property that is a number; raise Unpriceable if it is missing without a default, or an expression."""
        value = self.properties.get(name, default)
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise Unpriceable(f"{name} is no number in the template: {value}") from None

    def names(self, other: "TemplateResource", *properties: str) -> bool:
        """Whether an expression in these properties refers to another resource, or imports it from its stack.

        A logical id ends in a hash, and so is found in the text of a Ref, a GetAtt and an import alike.
        """
        return any(other.logical_id in json.dumps(self.properties.get(each)) for each in properties)


def read_resources(folder: Path) -> tuple[TemplateResource, ...]:
    """The resources of all templates in a cloud assembly's folder; raise UserError if it holds none."""
    templates = sorted(folder.glob("*.template.json"))
    if not templates:
        raise UserError(f"there is no template in {folder}")
    return tuple(
        TemplateResource(logical_id, resource["Type"], resource.get("Properties", {}))
        for template in templates
        for logical_id, resource in json.loads(template.read_text()).get("Resources", {}).items()
    )
