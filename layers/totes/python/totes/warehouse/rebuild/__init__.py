"""The whole warehouse, made beside the live one in steps that go on where the last run ended, and swapped in."""

from totes.warehouse.rebuild.progress import is_under_way
from totes.warehouse.rebuild.steps import Rebuild, StepResult

__all__ = ["Rebuild", "StepResult", "is_under_way"]
