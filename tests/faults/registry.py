"""All faults by name: each is a run, or a few, in which something goes wrong, and what a person then does about it.

A fault leaves the world so that two ordinary runs heal it, and so that every other fault can follow.
"""

from collections.abc import Mapping

from tests.faults import content, crashes, ddl, networks, objects, outages, people, replays, sessions, standbys, steps
from tests.faults.scene import Fault

_GROUPS = (steps, objects, outages, content, ddl, crashes, networks, sessions, replays, people, standbys)

FAULTS: Mapping[str, Fault] = {name: fault for group in _GROUPS for name, fault in group.FAULTS.items()}
