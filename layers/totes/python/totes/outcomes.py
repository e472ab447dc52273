"""How a run can end well: words that the state machine says and the command line reads."""

from dataclasses import dataclass

LOADED = "loaded"
NOTHING_CHANGED = "nothing changed"
GOING_ON = "the next run goes on"
ANOTHER_RUN = "another run is under way"
NO_LOGIN = "a login is not filled in yet"

STEPPED_BACK = (ANOTHER_RUN, NO_LOGIN)
"""Such a run has done nothing."""

ASK_AGAIN = "then ask for the rebuild again (totes rebuild)"
"""How the error of a rebuild ends that was refused and that no later run goes on with."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Batches that a step has done: first and last (None: none) and how many."""

    first: int | None
    last: int | None
    count: int
