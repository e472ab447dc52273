"""To be written."""

from collections.abc import Mapping

from tests.faults.scene import Fault

FAULTS: Mapping[str, Fault] = {}
