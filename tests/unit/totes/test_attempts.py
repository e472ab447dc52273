"""Attempts that are killed at one place are counted; any that comes to an end begins the count again."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support.killed import Killed
from tests.support.memory_store import MemoryStore
from totes.errors import LakeUnavailable
from totes.lake import Bucket
from totes.lake.attempts import Attempts


@pytest.fixture
def bucket() -> Bucket:
    return MemoryStore().bucket("processed")


def attempt(bucket: Bucket, place: int, ends: Callable[[], None] = lambda: None) -> bool:
    """Make an attempt, and return whether two before it were killed at the same place."""
    with suppress(Killed, LakeUnavailable), Attempts(bucket, "attempts/any/").at(place, 2) as killed:
        ends()
    return killed


def is_killed() -> None:
    raise Killed


def is_refused() -> None:
    raise LakeUnavailable("gone")


def test_two_that_were_killed_at_one_place_are_enough(bucket: Bucket) -> None:
    assert [attempt(bucket, 7, is_killed) for _ in range(4)] == [False, False, True, True]


def test_at_another_place_the_count_begins_again(bucket: Bucket) -> None:
    assert [attempt(bucket, place, is_killed) for place in (7, 8, 8, 8)] == [False, False, False, True]


@pytest.mark.parametrize("ends", [lambda: None, is_refused], ids=["well", "with an error"])
def test_one_that_comes_to_an_end_begins_the_count_again(bucket: Bucket, ends: Callable[[], None]) -> None:
    attempt(bucket, 7, is_killed)
    attempt(bucket, 7, ends)
    attempt(bucket, 7, is_killed)
    assert not attempt(bucket, 7, is_killed)
    assert attempt(bucket, 7, is_killed)


class WithoutEnds(Bucket):
    """A bucket that refuses what says that an attempt has ended."""

    def put_new(self, key: str, body: bytes) -> bool:
        if b"ended" in body:
            raise LakeUnavailable("gone")
        return super().put_new(key, body)


def test_one_that_could_not_say_that_it_has_ended_counts_as_killed_and_is_no_error(bucket: Bucket) -> None:
    refusing = WithoutEnds(bucket.name, bucket.client)
    assert [attempt(refusing, 7) for _ in range(3)] == [False, False, True]
