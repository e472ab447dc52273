"""A deployment's warehouse made again from its lake by runs of the state machine, which are followed until it is done.

Nothing here connects to a database, so it works from a machine that cannot reach one. The runs do the work: whoever
stops following them does not stop them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from command_line.deployment import Deployment
from command_line.execution import Follow, RunResult, run, run_or_meet
from command_line.following import Reached, Request
from totes import payloads
from totes.errors import TotesError, UserError
from totes.lake import Journal, StarJournal
from totes.outcomes import ASK_AGAIN
from totes.star import STAR_TABLES, how_far

_SECONDS_BETWEEN_LOOKS = 2.0
_NOT_CAPTURED = "Capture."
_NOT_LOADED = "Load."

_LOADING = "Loading"

ReportBatches = Callable[[str, int, int | None], None]
"""Told what is being done to batches, how many of them are done, and how many there are (None: not known yet)."""


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """A warehouse that was made again: of how many batches, by how many runs, in how many seconds."""

    batches: int
    runs: int
    seconds: float


def rebuild(deployment: Deployment, follow: Follow, progress: ReportBatches, request: Request | None = None) -> Rebuilt:
    """Have everything that the lake holds loaded into the warehouse again, and wait until it is.

    Args:
        deployment: whose warehouse.
        follow: called with the name of each state as it is entered.
        progress: told how far it is.
        request: is told how far what is asked has come.

    Raises:
        UserError: a run failed.
    """
    return _Rebuilding(deployment, follow, progress, request).until_done({payloads.REBUILD: True})


def replay(
    deployment: Deployment, first: int, follow: Follow, progress: ReportBatches, request: Request | None = None
) -> Rebuilt:
    """Have a batch and all that follow transformed again and the warehouse loaded again, and wait until it is.

    Args:
        deployment: whose lake and warehouse.
        first: the batch.
        follow: called with the name of each state as it is entered.
        progress: told how far it is.
        request: is told how far what is asked has come.

    Raises:
        UserError: there is no such batch, or a run failed.
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    newest = Journal(deployment.ingestion).newest()
    if not 1 <= first <= newest:
        raise UserError(f"the lake has no batch {first}; " + (f"it has 1 to {newest}" if newest else "it is empty"))
    edition = StarJournal(deployment.processed).edition
    rebuilt = _Rebuilding(deployment, follow, progress, request).until_done({payloads.REPLAY_FROM: first})
    if StarJournal(deployment.processed).edition == edition:  # given up with a failed run that nobody followed
        raise UserError(
            "the replay was given up, for a run failed with it (totes status); ask for it again when that is fixed"
        )
    return rebuilt


class _Rebuilding:
    """Runs, one after another, until one says that nothing is left."""

    def __init__(
        self, deployment: Deployment, follow: Follow, progress: ReportBatches, request: Request | None
    ) -> None:
        self._deployment = deployment
        self._request = request or Request()
        self._follow = follow
        self._progress = progress
        self._ingestion = deployment.ingestion
        self._processed = deployment.processed
        self._looked = 0.0
        self._doing = ""

    def until_done(self, asked: Mapping[str, Any]) -> Rebuilt:
        started, runs, source = time.monotonic(), 0, dict[str, Any]()
        # Until a run has accepted the request; every later run goes on with it.
        ask: Callable[..., RunResult] = partial(run, request=self._request)
        while True:
            result = ask(self._deployment, self._entered, {**asked, **source}, self._look)
            runs += 1
            if not result.succeeded:
                source = self._without_the_source(result, asked)
                continue
            source = {}  # the source may be reachable again, and without it no new rows arrive
            if not result.waiting:
                return Rebuilt(batches=result.newest, runs=runs, seconds=time.monotonic() - started)
            self._request.reached = Reached.KEPT
            ask, asked = run_or_meet, {}
            if result.rebuilding is not None:
                self._tell(_LOADING, result.rebuilding["staged"], result.rebuilding["of"])

    def _without_the_source(self, result: RunResult, asked: Mapping[str, Any]) -> dict[str, Any]:
        """If a run failed because of the source, have the next run work on the lake alone."""
        error = result.error or ""
        if not error.startswith(_NOT_CAPTURED):
            raise UserError(f"a run failed: {result.error}{_what_now(error, asked)}")
        self._follow(f"the source cannot be captured, so the next run asks the lake alone ({result.error})")
        return {payloads.LAKE_ALONE: True}

    def _entered(self, state: str) -> None:
        self._follow(state)
        if state == "Load" and self._doing != _LOADING:
            self._tell(_LOADING, 0, None)

    def _tell(self, doing: str, done: int, of: int | None) -> None:
        self._doing = doing
        self._progress(doing, done, of)

    def _look(self) -> None:
        """See how far a replay has come; what cannot be seen now is seen at the next look."""
        if time.monotonic() - self._looked < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked = time.monotonic()
        try:
            replayed = how_far(self._ingestion, self._processed, STAR_TABLES)
        except TotesError:
            return
        if replayed is not None:
            self._tell("Transforming", replayed.done, replayed.of)


def _what_now(error: str, asked: Mapping[str, Any]) -> str:
    """Say what a failed run leaves, and what to do.

    Args:
        error: what it failed with.
        asked: what was asked of it; nothing, where an earlier run has recorded it. The transformation records a replay,
            the load a rebuild; both are done where Athena's lists alone could not be written.
    """
    if ASK_AGAIN in error:
        return ""
    is_recorded = (
        not asked
        or error.startswith(payloads.NOT_LISTED)
        or (payloads.REPLAY_FROM in asked and error.startswith(_NOT_LOADED))
    )
    if not is_recorded:
        return "; what you ask for may not be recorded yet: once that is fixed, type the same command again"
    return "; what is done is kept, and the next run goes on"
