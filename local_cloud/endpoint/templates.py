"""What a template says about how its parts depend on each other."""

from collections.abc import Iterable, Mapping
from typing import Any


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The resources' names, each after those it refers to."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in order or name not in resources:
            return
        for other in sorted(references(resources[name]) - {name}):
            visit(other)
        order[name] = None

    for name in resources:
        visit(name)
    return list(order)


def references(template: Any) -> set[str]:
    """All names that a piece of a template may mean by Ref and Fn::GetAtt."""
    if isinstance(template, Mapping):
        found = set().union(*map(references, template.values()))
        if isinstance(template.get("Ref"), str):
            found.add(template["Ref"])
        if target := template.get("Fn::GetAtt"):
            found.add(target[0] if isinstance(target, list) else target.split(".")[0])
        return found
    return set().union(*map(references, template)) if _is_list(template) else set()


def imports(template: Any) -> set[str]:
    """The names of all exports that a piece of a template imports."""
    if isinstance(template, Mapping):
        name = template.get("Fn::ImportValue")
        return {name} if isinstance(name, str) else set().union(*map(imports, template.values()))
    return set().union(*map(imports, template)) if _is_list(template) else set()


def _is_list(template: Any) -> bool:
    return isinstance(template, Iterable) and not isinstance(template, str)
