"""The whole warehouse, made beside the live one in steps that go on where the last run ended, and swapped in."""

from totes.warehouse.rebuild.progress import is_under_way
from totes.warehouse.rebuild.room import NO_ROOM
from totes.warehouse.rebuild.setbacks import CrashedAgain, PutOff, rebuild_put_off
from totes.warehouse.rebuild.steps import Rebuild, StepResult

__all__ = ["NO_ROOM", "CrashedAgain", "PutOff", "Rebuild", "StepResult", "is_under_way", "rebuild_put_off"]
