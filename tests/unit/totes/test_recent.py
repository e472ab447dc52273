"""Small objects are asked of the store once a batch; what is remembered is what the store has."""

import pytest

from tests.support.memory_store import MemoryStore
from totes.lake import RecentObjects
from totes.lake.recent import REMEMBERED_BYTES, SMALL_BYTES


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def recent(store: MemoryStore) -> RecentObjects:
    return RecentObjects.of(store.bucket("lake"))


def test_what_was_written_or_read_is_not_asked_for_again(store: MemoryStore, recent: RecentObjects) -> None:
    store.bucket("lake").put_new("before", b"older")
    assert recent.put_new("now", b"newer")
    assert [recent.get(key) for key in ("before", "now", "before", "now")] == [b"older", b"newer"] * 2
    assert store.reads == ["before"]


def test_an_object_that_was_there_is_read_as_it_is(store: MemoryStore, recent: RecentObjects) -> None:
    store.bucket("lake").put_new("part", b"damaged")
    assert not recent.put_new("part", b"whole")
    assert recent.get("part") == b"damaged"


def test_large_objects_and_more_than_there_is_room_for_are_not_kept(store: MemoryStore, recent: RecentObjects) -> None:
    recent.put_new("large", bytes(SMALL_BYTES + 1))
    assert len(recent.get("large")) == SMALL_BYTES + 1
    keys = [f"{number:03d}" for number in range(REMEMBERED_BYTES // SMALL_BYTES + 2)]
    for key in keys:
        recent.put_new(key, bytes(SMALL_BYTES))
        assert len(recent.get(key)) == SMALL_BYTES
    assert store.reads == ["large", *keys[-2:]]
