"""A step of a run as the state machine makes it: with the pieces that it asks for, and tried again where that helps."""

from collections.abc import Generator, Mapping
from typing import Any

from tests.faults.boundary import Paused, Script
from tests.faults.functions import CAPTURE, TRANSFORM, Function, Outcome
from tests.faults.worker import Raised, Returned
from totes import payloads
from totes.errors import RetryableError

RETRYABLE = {error.__name__ for error in RetryableError.__subclasses__()}
TRIES = 5
"""Of each invocation, as the state machine has it; without its waits."""

_MOST_ROUNDS = 20
"""So often a step may ask for pieces; a plan is given up now and then, because its source has been restored, say."""

Event = Mapping[str, Any]

_PIECES = {
    CAPTURE: (payloads.UNREAD, payloads.PLAN, payloads.READ),
    TRANSFORM: (payloads.UNTRANSFORMED, payloads.BATCH, payloads.TRANSFORMED),
}
"""How a step's answer asks for pieces, of what they are, and how the step is told what came of them."""


class Step:
    """A step: its function's invocations, one after the other, until nothing more is asked for.

    Attributes:
        outcome: what the last invocation has come to.
        missed: whether no invocation has come to the boundary that the script is of.
    """

    outcome: Outcome

    def __init__(self, function: Function, event: Event, script: Script | None = None, *, tries: int = TRIES) -> None:
        """Name the function, what it is invoked with, what happens to one invocation, and how often each is tried."""
        self._function = function
        self._script = script
        self._tries = tries
        self._invocations = _invocations(function.name, event)
        self._next: Event | None = next(self._invocations)
        self.missed = script is not None

    @property
    def has_more(self) -> bool:
        """Whether an invocation is left."""
        return self._next is not None

    def go_on(self) -> Outcome:
        """Make the next invocation; each has the script, until one has come to its boundary."""
        assert self._next is not None
        outcome = self._function.invoke(self._next, self._script if self.missed else None)
        self.missed = self.missed and isinstance(outcome, Returned) and outcome.missed
        for _ in range(self._tries - 1):
            if getattr(outcome, "error", "") not in RETRYABLE:
                break
            outcome = self._function.invoke(self._next)
        return self._goes_on_after(outcome)

    def whole(self) -> Outcome:
        """Make all invocations that are left; return how the last one ended."""
        while self.has_more:
            self.go_on()
        return self.outcome

    def pause(self, where: str, *, after: bool) -> bool:
        """Go on until an invocation waits at a boundary; False where the step came to its end without."""
        while self._next is not None:
            self._function.start(self._next, Script(action="pause", where=where, after=after))
            answer = self._function.answer()
            if isinstance(answer, Paused):
                return True
            self._goes_on_after(answer)
        return False

    def _goes_on_after(self, outcome: Outcome) -> Outcome:
        self.outcome = outcome
        try:
            self._next = self._invocations.send(outcome)
        except StopIteration as end:
            self._next = None
            self.outcome = end.value or outcome
        return self.outcome


def _invocations(name: str, event: Event) -> Generator[Event, Outcome, Outcome | None]:
    """What a step's function is invoked with, one event after the other; it is sent what each has come to.

    A step that asks for pieces again and again has failed: that is what is returned.
    """
    outcome = yield event
    if name not in _PIECES:
        return None
    asked, of, word = _PIECES[name]
    if name == TRANSFORM:  # once what comes before is loaded, nothing more is asked
        event = {}
    for _ in range(_MOST_ROUNDS):
        if not isinstance(outcome, Returned) or asked not in outcome.value:
            return None
        left, came_of = outcome.value[asked], []
        for piece in reversed(left[payloads.PIECES]):
            named = {of: left[of], payloads.PIECE: piece}
            done = yield named
            failed = named | {payloads.ERROR: getattr(done, "error", "Died")}
            came_of.append(done.value if isinstance(done, Returned) else failed)
        outcome = yield {**event, word: came_of}
    return Raised(error="EndlessStep", message=f"{name} asked for pieces {_MOST_ROUNDS} times, and is not done")


def whole(function: Function, event: Event | None = None, script: Script | None = None) -> Outcome:
    """Make a step of which no invocation is tried again; return how the last one ended."""
    return Step(function, event or {}, script, tries=1).whole()


def pause(function: Function, where: str, *, after: bool = False) -> bool:
    """Begin a step and wait until an invocation is at a boundary; False where it came to its end without."""
    return Step(function, {}, tries=1).pause(where, after=after)
