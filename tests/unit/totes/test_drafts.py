"""Of two runs that begin a draft at once, one does; each edition has one draft, and who asked for it has asked once."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from totes.errors import BatchTaken, LakeCorrupted
from totes.lake import Bucket, StarJournal
from totes.lake.journal import Journal


class Overtaken(Bucket):
    """A bucket in which another run does something, once, before a listing of some keys."""

    def __init__(self, store: Any, prefix: str, other: Callable[[], object]) -> None:
        super().__init__("processed", store)
        self._before = prefix
        self._other: Callable[[], object] | None = other

    def first_keys(self, prefix: str, most: int) -> list[str]:
        if prefix.startswith(self._before) and self._other is not None:
            other, self._other = self._other, None
            other()
        return super().first_keys(prefix, most)


@pytest.fixture
def store() -> Any:
    return MemoryStore()


@pytest.fixture
def bucket(store: Any) -> Bucket:
    """A processed bucket with a hundred batches."""
    bucket = Bucket("processed", store)
    for batch in range(1, 101):
        StarJournal(bucket).commit(batch, b"{}")
    return bucket


def records(bucket: Bucket) -> int:
    return Journal(bucket, "drafts/").newest()


def test_of_two_replays_that_begin_at_once_one_has_the_number_and_the_other_is_tried_again(
    store: Any, bucket: Bucket
) -> None:
    overtaken = Overtaken(store, "manifests/edition-0002", lambda: StarJournal(bucket).begin(60, "code"))
    with pytest.raises(BatchTaken):
        StarJournal(overtaken).begin(1, "code")
    draft = StarJournal(bucket).unfinished()
    assert draft is not None
    assert (draft.edition.number, draft.edition.first) == (2, 60)
    assert StarJournal(bucket).begin(1, "code").edition.number == 3


def test_a_draft_that_was_begun_since_somebody_looked_is_not_given_up_unseen(bucket: Bucket) -> None:
    """Who begins another has to see it, for what it covers is to be covered by that other."""
    journal = StarJournal(bucket)
    assert journal.unfinished() is None
    StarJournal(bucket).begin(1, "code", asked_by="somebody")
    with pytest.raises(BatchTaken):
        journal.begin(60, "code", asked_by="me")
    assert records(bucket) == 1


def test_nobody_asks_for_a_draft_that_was_given_up_meanwhile(bucket: Bucket) -> None:
    StarJournal(bucket).begin(60, "code", asked_by="somebody")
    journal = StarJournal(bucket)
    draft = journal.unfinished()
    assert draft is not None
    StarJournal(bucket).begin(1, "other code", asked_by="somebody else")
    with pytest.raises(BatchTaken):
        journal.ask_for(draft, "me")
    last = StarJournal(bucket).unfinished()
    assert last is not None
    assert (last.edition.number, last.code, last.asked_by) == (3, "other code", "somebody else")


def test_one_journal_can_begin_and_ask_one_after_the_other(bucket: Bucket) -> None:
    journal = StarJournal(bucket)
    asked = journal.ask_for(journal.begin(60, "code", asked_by="me"), "somebody")
    assert journal.begin(1, "code", asked_by="me").edition.number == asked.edition.number + 1 == 3
    assert records(bucket) == 3


def test_whoever_asked_for_an_edition_that_is_published_has_it(bucket: Bucket) -> None:
    journal = StarJournal(bucket)
    draft = journal.begin(60, "code", asked_by="first")
    journal.ask_for(draft, "second")
    assert not StarJournal(bucket).has_done("first")
    draft.publish()
    later = StarJournal(bucket)
    later.begin(1, "code", asked_by="third")
    for journal in (later, StarJournal(bucket)):
        assert [journal.has_done(each) for each in ("first", "second", "third", "fourth")] == [True, True, False, False]


def test_whoever_asked_for_a_draft_that_was_given_up_has_the_edition_that_covers_it(bucket: Bucket) -> None:
    StarJournal(bucket).begin(60, "code", asked_by="first")
    StarJournal(bucket).begin(1, "code", asked_by="second").publish()
    assert StarJournal(bucket).has_done("first")


def test_an_edition_is_told_from_another_of_its_number_by_the_code_that_made_it_and_what_it_covers(
    bucket: Bucket,
) -> None:
    def edition_digest(*made: tuple[int, str]) -> str | None:
        """That of the newest edition, once some are made after the first; then the bucket is put back."""
        for first, code in made:
            draft = StarJournal(bucket).begin(first, code)
            draft.publish()
        found = StarJournal(bucket).edition_digest()
        for prefix in ("drafts/", "editions/"):
            for listed in [*bucket.listed(prefix)]:
                bucket.delete(listed.key)
        return found

    assert edition_digest() is None, "the first edition is known by its batches"
    second = edition_digest((1, "code"))
    assert second is not None
    assert edition_digest((1, "code")) == second
    others = [edition_digest((1, "other")), edition_digest((2, "code")), edition_digest((1, "code"), (1, "code"))]
    assert len({second, *others}) == 4


def test_a_manifest_that_an_edition_has_lost_is_named_and_no_earlier_editions_is_read_in_its_place(
    bucket: Bucket,
) -> None:
    """Only a batch that came to the edition before as this one was published is read there."""
    draft = StarJournal(bucket).begin(60, "code")
    for batch in range(60, 101):
        draft.commit(batch, b'{"replayed": true}')
    StarJournal(bucket).commit(101, b'{"late": true}')
    draft.publish()
    journal = StarJournal(bucket)
    assert [journal.read(batch) for batch in (59, 60, 101)] == [b"{}", b'{"replayed": true}', b'{"late": true}']
    bucket.delete(Journal(bucket, "manifests/edition-0002/")._key(70))
    with pytest.raises(LakeCorrupted, match=r"edition-0002/.*batch-0000000070"):
        StarJournal(bucket).read(70)
