"""The three functions, each in a process of its own, as whoever invokes them sees them."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.boundary import Paused, Script
from tests.faults.worker import Invocation, Raised, Returned, Unusable, serve
from tests.support.processes import PROCESSES

CAPTURE = "raw_data_to_ingestion_bucket"
TRANSFORM = "ingestion_to_processed_bucket"
LOAD = "processed_bucket_to_warehouse"
STEPS = (CAPTURE, TRANSFORM, LOAD)

_PATIENCE = 300.0
"""Seconds until a function is taken to hang: many times what one takes, since a busy machine is no violation."""


@dataclass(frozen=True)
class Died:
    """The function's process is gone."""


def batches_of(outcome: "Outcome", word: str) -> set[int]:
    """Return the batches that a step says it has done: it names the first and the last, or each, or the only one."""
    assert isinstance(outcome, Returned), outcome
    said = outcome.value[word]
    if isinstance(said, Mapping):
        return set(range(said["first"], said["last"] + 1)) if said["count"] else set()
    return set(said) if isinstance(said, list) else {said} if said else set()


class UnusableError(Exception):
    """A function's process cannot be what it was to be."""


Outcome = Returned | Raised | Died


class Function:
    """One function; its process is started when it is needed, and again when it has died."""

    def __init__(self, name: str, environment: Mapping[str, str], weakness: str | None = None) -> None:
        self.name = name
        self._environment = dict(environment)
        self._weakness = weakness
        self._process: Any = None
        self._pipe: Any = None

    def start(self, event: Mapping[str, Any] | None = None, script: Script | None = None) -> None:
        """Begin an invocation."""
        if self._process is None or not self._process.is_alive():
            self._pipe, theirs = PROCESSES.Pipe()
            self._process = PROCESSES.Process(
                target=serve, args=(theirs, self.name, self._environment, self._weakness), daemon=True
            )
            self._process.start()
            theirs.close()
        self._pipe.send(Invocation(event=event or {}, script=script))

    def answer(self) -> Outcome | Paused:
        """What the invocation has come to: a pause or an end."""
        try:
            if not self._pipe.poll(_PATIENCE):
                self._say_where_it_is()
                self.kill()
                raise AssertionError(f"{self.name} hangs; its stacks are on stderr")
            answer: Outcome | Paused | Unusable = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return Died()
        if isinstance(answer, Unusable):
            raise UnusableError(answer.why)
        return answer

    def end(self) -> Outcome:
        """How the invocation ended; it must not pause."""
        answer = self.answer()
        assert not isinstance(answer, Paused), answer
        return answer

    def invoke(self, event: Mapping[str, Any] | None = None, script: Script | None = None) -> Outcome:
        """Begin an invocation and wait for its end."""
        self.start(event, script)
        return self.end()

    def pause(self, where: str, *, after: bool = False) -> bool:
        """Begin an invocation and wait until it is at a boundary; False where it came to its end without."""
        self.start(script=Script(action="pause", where=where, after=after))
        return isinstance(self.answer(), Paused)

    def release(self) -> Outcome:
        """Let a paused invocation go on to its end."""
        self._pipe.send("go")
        return self.end()

    def _say_where_it_is(self) -> None:
        os.kill(self._process.pid, signal.SIGUSR1)
        time.sleep(1)

    def kill(self) -> None:
        """Kill the process by SIGKILL, wherever it is."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
