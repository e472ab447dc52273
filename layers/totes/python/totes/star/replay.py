"""Batches are transformed again, as this version of totes does it, into an edition of their own, over many runs."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from totes.errors import BatchTaken, ConfigurationError, ReplayKilled, RetryableError
from totes.lake import Bucket, Draft, Journal, StarJournal
from totes.star.code import fingerprint
from totes.star.concurrency import MOST_AHEAD, map_in_order
from totes.star.transform import Transformation
from totes.star_schema import StarTable

logger = logging.getLogger(__name__)

_MOST_KILLED = 3
"""How many functions in a row may be killed at one batch of a replay: each was a run that came to no load."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How far a replay has come.

    Attributes:
        edition: the edition that it makes.
        first: the first batch that the edition covers.
        done: how many batches it has.
        of: how many it is to have.
        published: whether it has them all and is what a loader reads from now on.
        unknown: columns that it is to have and this code does not know: it waits for code that does.
    """

    edition: int
    first: int
    done: int
    of: int
    published: bool
    unknown: Sequence[str] = ()


def replay(
    ingestion: Bucket,
    processed: Bucket,
    tables: Sequence[StarTable],
    *,
    first: int | None = None,
    asked_by: str | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Replayed | None:
    """Transform a batch and all that follow again into a new edition, or go on with one that is not finished.

    Nothing has changed until the last of them is done; then a loader reads the new edition. A draft that other code has
    begun is given up, and begun again by this code: whoever asked for it still wants it. One that is to have columns
    that this code does not know waits for code that does, unless somebody asks for a replay by this one. A draft that
    ends in a lasting error is given up too, so that the scheduled runs go on, and so is one at which the function is
    killed again and again, for want of memory, say.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.
        first: the first batch to transform again; None: only go on with what is not finished.
        asked_by: the execution that asks; if it is tried again after its replay was published, it asks for nothing.
        time_is_up: asked before each batch, and within a large one; what is left then is the next call's.

    Returns:
        How far the replay has come; None where there is nothing to replay.

    Raises:
        ConfigurationError: the lake has no such batch; see also `totes.lake`.
        BatchTaken: another replay was begun or published meanwhile.
        LakeUnavailable, LakeCorrupted: see `totes.lake`.
        ReplayKilled: the function was killed at the same batch in so many calls.
        Exception: an earlier batch is not what this star's code expects.
    """
    captured, stars = Journal(ingestion), StarJournal(processed)
    if first is not None:
        _check(first, captured.newest())
        if asked_by is not None and stars.has_done(asked_by):
            first = None
    draft = _draft(stars, first, tables, asked_by)
    if draft is None:
        return None
    work = Transformation(ingestion, processed, tables, time_is_up)
    begun = _Replay(captured, draft, work, time_is_up)
    has_its_turn = stars.newest() >= draft.edition.first - 1
    try:
        return begun.attempt(asked=first is not None) if has_its_turn else begun.wait()
    except (RetryableError, ConfigurationError):
        raise
    except (Exception, pl.exceptions.PanicException):
        # The next run would go on with it, fail in the same way, and never come to its load.
        logger.exception("edition %d is given up; ask for the replay again when this is fixed", draft.edition.number)
        with suppress(BatchTaken):
            stars.give_up(draft)
        raise


def how_far(ingestion: Bucket, processed: Bucket, tables: Sequence[StarTable]) -> Replayed | None:
    """Return how far an unfinished replay has come, by a few requests; None where there is none.

    Args:
        ingestion: the bucket of captured batches.
        processed: the bucket of star rows.
        tables: the star tables.

    Raises:
        LakeUnavailable, LakeCorrupted, ConfigurationError: see `totes.lake`.
    """
    draft = StarJournal(processed).unfinished()
    if draft is None:
        return None
    number, first = draft.edition.number, draft.edition.first
    done, newest = draft.done(MOST_AHEAD), Journal(ingestion).newest()
    return Replayed(
        edition=number,
        first=first,
        done=done - first + 1,
        of=newest - first + 1,
        published=False,
        unknown=sorted(draft.columns - _columns(tables)),
    )


def _check(first: int, newest: int) -> None:
    if not 1 <= first <= newest:
        known = f"it has 1 to {newest}" if newest else "it is empty"
        raise ConfigurationError(f"the lake has no batch {first}; {known}")


def _draft(stars: StarJournal, first: int | None, tables: Sequence[StarTable], asked_by: str | None) -> Draft | None:
    """The draft to go on with: the unfinished one, if it covers what is asked and this code has begun it."""
    asked_by = asked_by if first is not None else None
    code, columns = fingerprint(tables), _columns(tables)
    unfinished = stars.unfinished()
    if first is None and unfinished is not None and (unknown := unfinished.columns - columns):
        logger.warning(
            "edition %d, which is to have %s, waits for the totes that has begun it: deploy that again, or have this "
            "one make the star (totes replay --from 1)",
            *(unfinished.edition.number, ", ".join(sorted(unknown))),
        )
        return None
    firsts = [each for each in (first, unfinished.edition.first if unfinished else None) if each is not None]
    if not firsts:
        return None
    if unfinished is not None and unfinished.code == code and unfinished.edition.first == min(firsts):
        return unfinished if asked_by in (None, unfinished.asked_by) else stars.ask_for(unfinished, asked_by)
    if unfinished is not None:
        logger.warning("edition %d is given up unfinished, and begun again", unfinished.edition.number)
    return stars.begin(min(firsts), code, columns, asked_by or (unfinished.asked_by if unfinished else None))


def _columns(tables: Sequence[StarTable]) -> set[str]:
    return {f"{table.name}.{column.name}" for table in tables for column in table.columns}


class _Replay:
    """A draft that grows."""

    def __init__(
        self,
        captured: Journal,
        draft: Draft,
        work: Transformation,
        time_is_up: Callable[[], bool],
    ) -> None:
        self._captured = captured
        self._draft = draft
        self._work = work
        self._time_is_up = time_is_up
        self._first = draft.edition.first
        self._done = draft.done(MOST_AHEAD)

    def attempt(self, *, asked: bool) -> Replayed:
        """Go on, unless too many have been killed where it is now, and nobody asks for it again."""
        with self._draft.attempts.at(self._done, _MOST_KILLED) as killed:
            if killed and not asked:
                raise ReplayKilled(
                    f"the function was killed in {_MOST_KILLED} runs at batch {self._done + 1}, so the replay is given "
                    "up: give the function more memory (transform in stacks/config.py), and ask for the replay again"
                )
            return self._go_on()

    def _go_on(self) -> Replayed:
        newest = self._captured.newest()
        while self._done < newest:
            if not self._covered(newest):
                return self._state(newest, published=False)
            newest = self._captured.newest()  # what the schedule has captured meanwhile belongs to it too
        self._draft.publish()
        logger.info("edition %d has batches %d to %d", self._draft.edition.number, self._first, newest)
        return self._state(newest, published=True)

    def wait(self) -> Replayed:
        """Do nothing yet: a batch before the draft has no star rows, and the published edition would leave it out."""
        logger.info("edition %d waits for the batches before %d", self._draft.edition.number, self._first)
        return self._state(self._captured.newest(), published=False)

    def _covered(self, newest: int) -> bool:
        """Transform up to a batch; say whether there was time for it."""
        for batch, _ in map_in_order(self._transformed, range(self._done + 1, newest + 1), self._time_is_up):
            self._done = batch
        return self._done == newest

    def _transformed(self, batch: int) -> bool | None:
        manifest = self._work(batch)
        if manifest is None:
            return None
        self._draft.commit(batch, manifest.to_json())
        return True

    def _state(self, newest: int, *, published: bool) -> Replayed:
        return Replayed(
            edition=self._draft.edition.number,
            first=self._first,
            done=self._done - self._first + 1,
            of=newest - self._first + 1,
            published=published,
        )
