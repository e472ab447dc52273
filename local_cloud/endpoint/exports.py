"""Exports that another stack imports can be neither changed nor removed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from collections.abc import Iterable
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from local_cloud.endpoint.templates import imports


def refuse_used(backend: Any, stack_id: str, wanted: Iterable[Any]) -> None:
    """Check that a stack may have these exports in place of those that it has.

    Args:
        backend: moto's CloudFormation of a region.
        stack_id: the stack.
        wanted: the exports that it is to have.

    Raises:
        ValidationError: another stack imports one that would be changed or removed.
    """
    values = {export.name: export.value for export in wanted}
    for name, export in backend.exports.items():
        if export.exporting_stack_id != stack_id or values.get(name) == export.value:
            continue
        if users := _importing(backend, name, stack_id):
            what = "updated" if name in values else "deleted"
            raise ValidationError(message=f"Export {name} cannot be {what} as it is in use by {', '.join(users)}")


def replace(backend: Any, stack: Any) -> None:
    """Let a stack have the exports that it says, and no others."""
    for name in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    backend.exports.update({export.name: export for export in stack.exports})


def _importing(backend: Any, name: str, exporting: str) -> list[str]:
    others = (stack for stack in backend.stacks.values() if stack.stack_id != exporting)
    return sorted(stack.name for stack in others if name in imports(stack.template_dict))
