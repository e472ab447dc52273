"""What is said where a run is followed no longer, since a person stops or AWS does not answer: the run goes on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from botocore.exceptions import BotoCoreError, ClientError

from command_line.refusals import refusal
from totes import payloads
from totes.errors import UserError

_AT_WORK = frozenset(step.capitalize() for step in (payloads.CAPTURE, payloads.TRANSFORM, payloads.LOAD))
"""A run that has entered one of these states does not step back any more."""


class Reached(Enum):
    """How far what a person asks for is known to have come."""

    NOTHING = auto()
    """No run has been started."""
    WAITING = auto()
    """Each run that was started has stepped back behind another one."""
    BEGUN = auto()
    """A run is under way with it, and may still step back."""
    TAKEN = auto()
    """The run that is under way with it does not step back."""
    KEPT = auto()
    """It is recorded, so that every later run goes on with it."""


@dataclass
class Request:
    """What a person asks of a run, and how far that has come."""

    reached: Reached = Reached.NOTHING

    def watched(self, follow: Callable[[str], None]) -> Callable[[str], None]:
        """Return what is to be called with each state of the run that is asked: it goes on to `follow`."""

        def entered(state: str) -> None:
            if state in _AT_WORK:
                self.reached = Reached.TAKEN
            follow(state)

        return entered


_OF_A_RUN: Mapping[Reached, str] = MappingProxyType(
    {
        Reached.WAITING: "what you ask for has not begun yet: type the same command again",
        Reached.BEGUN: "the run has just begun and goes on, unless another one is under way, behind which it steps "
        "back (totes status): then type the same command again",
        Reached.TAKEN: "the run goes on and ends by itself; totes status says how it ended",
    }
)

_OF_MANY_RUNS: Mapping[Reached, str] = MappingProxyType(
    {
        **_OF_A_RUN,
        Reached.TAKEN: "the run under way goes on by itself; once it has taken up what you ask for, every later one "
        "goes on until all is done; totes status says how far it is; if this run fails before, type the same command "
        "again",
        Reached.KEPT: "the run under way ends by itself, and every later one, the schedule's or one of totes run, goes "
        "on until all is done; totes status says how far it is",
    }
)


@contextmanager
def following(*, many_runs: bool = False) -> Iterator[Request]:
    """Within this context runs are followed; where that ends early, say what goes on and what has to be asked again.

    Args:
        many_runs: whether runs after the one that is asked go on with the request, as with a rebuild.

    Raises:
        UserError: somebody has stopped following, or AWS did not answer.
    """
    request, sentences = Request(), _OF_MANY_RUNS if many_runs else _OF_A_RUN
    with going_on(lambda: sentences.get(request.reached)):
        yield request


@contextmanager
def going_on(what: Callable[[], str | None]) -> Iterator[None]:
    """Within this context something is waited for that goes on by itself; where that ends early, say so.

    Args:
        what: asked then; returns the sentence about what goes on. None: nothing does, and the error is passed on.

    Raises:
        UserError: somebody has stopped waiting, or AWS did not answer.
    """
    try:
        yield
    except (KeyboardInterrupt, BotoCoreError, ClientError) as left:
        sentence = what()
        if sentence is None:
            raise
        why = "" if isinstance(left, KeyboardInterrupt) else f"{refusal(left)}; "
        raise UserError(f"{why}no longer following, and nothing is stopped: {sentence}") from None
