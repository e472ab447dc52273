"""Editions of the star: a replay writes batches again without rewriting an object.

The first edition covers every batch. A replay from batch B makes another, which covers B and all that follow; the star
manifest of a batch is the one in the newest edition that covers it. The index, a journal of its own, commits an edition
once all its batches are there; each of its entries lists all editions, so one read tells them. Before that the edition
is a draft. Drafts have a journal too, so that whoever comes next finds the last one at once and goes on with it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from totes.errors import BatchTaken, LakeCorrupted
from totes.lake.attempts import Attempts
from totes.lake.bucket import Bucket
from totes.lake.documents import read_as
from totes.lake.journal import Journal

_INDEX = "editions/"
_DRAFTS = "drafts/"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An edition, and the first batch that it covers."""

    number: int
    first: int


_FIRST = Edition(number=1, first=1)


class StarJournal:
    """The star manifests of the processed bucket, as the editions stood when this was made.

    Drafts are read when one is first asked for, and kept.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        index = Journal(bucket, _INDEX)
        self._revision = index.newest()
        self._editions = (
            tuple(read_as(Edition, edition) for edition in json.loads(index.read(self._revision)))
            if self._revision
            else (_FIRST,)
        )
        self._drafts = Journal(bucket, _DRAFTS)

    @property
    def edition(self) -> int:
        """The number of the newest edition."""
        return self._editions[-1].number

    def newest(self) -> int:
        """Return the number of the newest batch; 0 where there is none."""
        newest = self._editions[-1]
        return max(_journal(self.bucket, newest.number).newest(), newest.first - 1)

    def read(self, batch: int) -> bytes:
        """Return a batch's manifest; raise LakeCorrupted where it is missing.

        A batch that was committed while the newest edition was published is in the one before until the next run has
        transformed it again.
        """
        covering, *older = [edition for edition in reversed(self._editions) if edition.first <= batch]
        try:
            return _journal(self.bucket, covering.number).read(batch)
        except LakeCorrupted:
            if not older or batch <= self.newest():
                raise
            return _journal(self.bucket, older[0].number).read(batch)

    def made_by(self) -> str | None:
        """Return the fingerprint of the code that made the newest edition; None: it is the first, or not known."""
        if self.edition == _FIRST.number:
            return None
        for position in range(self._drafts.newest(), 0, -1):
            record = json.loads(self._drafts.read(position))
            if record["number"] <= self.edition:
                return str(record["code"]) if record["number"] == self.edition else None
        return None

    def edition_digest(self) -> str | None:
        """Return what tells the newest edition from another one of its number; None: it is the first, or not known.

        A number is given again where the bucket was put back to before its edition. Editions are the same where the
        same code has made them of the same batches.
        """
        code = self.made_by()
        if code is None:
            return None
        editions = [asdict(edition) for edition in self._editions]
        return hashlib.sha256(json.dumps([code, editions]).encode()).hexdigest()

    def commit(self, batch: int, manifest: bytes) -> None:
        """Commit the manifest of a batch in the newest edition; see `Journal.commit`."""
        _journal(self.bucket, self.edition).commit(batch, manifest)

    def unfinished(self) -> "Draft | None":
        """Return the draft that was begun last, by two requests; None where it, or a later edition, is published.

        Nor is there one where the last was given up.
        """
        _, draft = self._last
        if draft is None or draft.given_up or draft.edition.number <= self.edition:
            return None
        return draft

    def has_done(self, asked_by: str) -> bool:
        """Whether an edition is published that an execution has asked for, by a request for each draft back to it.

        A draft that another one replaced counts once that is published, because it covers the same batches; not if that
        was given up.
        """
        newest, draft = self._last
        given_up: set[int] = set()
        while draft is not None:
            number = draft.edition.number
            given_up |= {number} if draft.given_up else set()
            published = min((each.number for each in self._editions if each.number >= number), default=None)
            if draft.asked_by == asked_by and published and given_up.isdisjoint(range(number, published)):
                return True
            newest -= 1
            draft = self._recorded(newest)
        return False

    def ask_for(self, draft: "Draft", asked_by: str) -> "Draft":
        """Say of the draft that was begun last that another execution asks for it too.

        Raises:
            BatchTaken: another run has begun one, or asked for this one, since this journal looked.
        """
        return self._record(draft.edition, draft.code, draft.columns, asked_by)

    def give_up(self, draft: "Draft") -> None:
        """Say of the draft that was begun last that nobody goes on with it.

        Raises:
            BatchTaken: another run has begun one, or asked for one, since this journal looked.
        """
        self._record(draft.edition, draft.code, draft.columns, draft.asked_by, given_up=True)

    def begin(self, first: int, code: str, columns: Iterable[str] = (), asked_by: str | None = None) -> "Draft":
        """Begin an edition that covers a batch and all that follow.

        The draft before it, if there is one that is not published, is given up: its manifests stay where they are,
        under a number that is never given again.

        Args:
            first: the first batch that it covers.
            code: the fingerprint of the code that makes it; another code does not go on with it.
            columns: those of the star that it is to have, as `table.column`.
            asked_by: the execution that asks for it, which does not ask again by being tried again; None: none does.

        Raises:
            BatchTaken: another run has begun one, or asked for one, since this journal looked.
        """
        _, last = self._last
        number = max(self.edition, last.edition.number if last else 0) + 1
        while _journal(self.bucket, number).newest():  # left by a replay of a version that kept no journal of drafts
            number += 1
        return self._record(Edition(number=number, first=first), code, frozenset(columns), asked_by)

    def _record(
        self, edition: Edition, code: str, columns: frozenset[str], asked_by: str | None, *, given_up: bool = False
    ) -> "Draft":
        """Commit a record right after the last one that this journal has seen.

        After one that came meanwhile, two drafts could have one number, and share their manifests.
        """
        seen, _ = self._last
        record = {
            **asdict(edition),
            "code": code,
            "columns": sorted(columns),
            "asked_by": asked_by,
            "given_up": given_up,
        }
        self._drafts.commit(seen + 1, json.dumps(record, sort_keys=True).encode())
        draft = self._draft(record)
        self._last = seen + 1, draft
        return draft

    @cached_property
    def _last(self) -> "tuple[int, Draft | None]":
        """The number of the last record of the drafts' journal, 0 where there is none, and its draft.

        Read once and kept, so that a caller who begins a draft acts on the one that it read.
        """
        newest = self._drafts.newest()
        return newest, self._recorded(newest)

    def _recorded(self, record: int) -> "Draft | None":
        return self._draft(json.loads(self._drafts.read(record))) if record else None

    def _draft(self, record: Mapping[str, Any]) -> "Draft":
        edition = Edition(number=record["number"], first=record["first"])
        # Those of an older totes say less.
        return Draft(
            self.bucket,
            self._revision,
            (*self._editions, edition),
            record["code"],
            frozenset(record.get("columns", ())),
            record.get("asked_by"),
            given_up=record.get("given_up", False),
        )


class Draft:
    """An edition that is being written, in one run or many; nobody reads it before it is published.

    Attributes:
        edition: the edition.
        code: the fingerprint of the code that makes it.
        columns: those of the star that it is to have, as `table.column`; none: not known.
        asked_by: the execution that asked for it last; None: not known.
        given_up: whether nobody is to go on with it.
    """

    def __init__(
        self,
        bucket: Bucket,
        revision: int,
        editions: tuple[Edition, ...],
        code: str,
        columns: frozenset[str],
        asked_by: str | None,
        *,
        given_up: bool = False,
    ) -> None:
        self.edition = editions[-1]
        self.code = code
        self.columns = columns
        self.asked_by = asked_by
        self.given_up = given_up
        self._bucket = bucket
        self._revision = revision
        self._editions = editions
        self._journal = _journal(bucket, self.edition.number)

    @property
    def attempts(self) -> Attempts:
        """The attempts at going on with it."""
        return Attempts(self._bucket, f"attempts/edition-{self.edition.number:04d}/")

    def done(self, ahead: int) -> int:
        """Return the batch up to which it has all, by one request; the one before its first where it has none.

        Args:
            ahead: how far commits may run ahead of each other: every batch up to `newest - ahead` is committed.
        """
        last = set(self._journal.last(ahead + 1))
        done = max(self.edition.first - 1, max(last, default=0) - ahead)
        while done + 1 in last:
            done += 1
        return done

    def commit(self, batch: int, manifest: bytes) -> None:
        """Commit the manifest of a batch in this edition; one that is there already stays."""
        # It is of the same batch and the same code, for a number has one draft and a draft one code; so it says the
        # same, however its bytes were written.
        with suppress(BatchTaken):
            self._journal.commit(batch, manifest)

    def publish(self) -> None:
        """Make this the newest edition; done again, it changes nothing.

        Raises:
            BatchTaken: another edition was published meanwhile.
        """
        editions = json.dumps([asdict(edition) for edition in self._editions])
        Journal(self._bucket, _INDEX).commit(self._revision + 1, editions.encode())


def _journal(bucket: Bucket, edition: int) -> Journal:
    return Journal(bucket, f"manifests/edition-{edition:04d}/")
