"""The moments of a day: each is in its document once, and none that was undone."""

from datetime import UTC, datetime, timedelta

from totes.dashboard_snapshot.manifest import Manifest, Moments, Status

EIGHT = datetime(2026, 11, 29, 8, tzinfo=UTC)


def snapshot(batch: int, minute: int) -> Manifest:
    captured_at = EIGHT + timedelta(minutes=minute)
    return Manifest(
        batch=batch,
        capture=f"{batch} at {minute}",
        captured_at=captured_at,
        loaded_at=captured_at,
        published_at=captured_at,
        status=Status(checked_at=captured_at, verified=None),
        warehouse="one",
        made_by="this",
        money_digits=2,
        rates=None,
        tables={},
    )


def moments(*snapshots: Manifest) -> dict[int, datetime]:
    """What is in the document after all of these were published, one after the other."""
    found = Moments()
    for each in snapshots:
        found = Moments.from_body(found.with_one(each).body())
    return {batch: at for batch, (at, _) in found.of.items()}


def at(minute: int) -> datetime:
    return EIGHT + timedelta(minutes=minute)


def test_batches_that_were_undone_are_dropped_when_the_next_is_published() -> None:
    before = [snapshot(1, 0), snapshot(2, 5), snapshot(3, 10), snapshot(4, 15), snapshot(5, 20)]
    assert moments(*before, snapshot(3, 30)) == {1: at(0), 2: at(5), 3: at(30)}


def test_a_batch_that_is_published_again_drops_none_of_those_after_it() -> None:
    """A new warehouse that is being filled from the lake publishes old batches again."""
    before = [snapshot(1, 0), snapshot(2, 5), snapshot(3, 10)]
    assert moments(*before, snapshot(2, 5)) == {1: at(0), 2: at(5), 3: at(10)}
