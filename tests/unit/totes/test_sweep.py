"""What no manifest names is deleted after a time; what any manifest names never is."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.memory_store import MemoryStore
from totes.capture.holdings.merging import with_sorted_run
from totes.errors import BatchTaken, LakeCorrupted
from totes.lake import (
    CapturedTable,
    CaptureManifest,
    Journal,
    SortedRun,
    SourceIdentity,
    StarJournal,
    StarManifest,
    sweep,
    write_part,
)
from totes.lake.manifests import digest

DAY = timedelta(days=1)
TABLES = ("payment", "sales_order")


class Lake:
    """A lake that runs write to: each captures a few rows; some never commit."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.bucket = self.store.bucket("lake")
        self.processed = self.store.bucket("stars")
        self.named: set[str] = set()

    def run(self, rows: int) -> CaptureManifest:
        """All that a run writes before it commits."""
        journal = Journal(self.bucket)
        newest = journal.newest()
        last = CaptureManifest.from_json(journal.read(newest)).tables if newest else {}
        return CaptureManifest(
            batch=newest + 1,
            parent=digest(journal.read(newest)) if newest else None,
            captured_at=datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=rows),  # a clock that nobody trusts
            horizon=1,
            source=SourceIdentity(system_identifier="", timeline=1, database=1, started=""),
            drift=(),
            tables={name: self._table(last.get(name), newest + 1, name, rows) for name in TABLES},
        )

    def commit(self, manifest: CaptureManifest) -> None:
        self.commit_as(manifest, manifest.to_json())

    def commit_as(self, manifest: CaptureManifest, body: bytes) -> None:
        self.capture(manifest, body)
        stars = StarManifest(
            batch=manifest.batch,
            capture=digest(body),
            parent=manifest.parent,
            captured_at=manifest.captured_at,
            horizon=1,
            drift=(),
            tables={},
        )
        StarJournal(self.processed).commit(manifest.batch, stars.to_json())

    def capture(self, manifest: CaptureManifest, body: bytes | None = None) -> None:
        Journal(self.bucket).commit(manifest.batch, body or manifest.to_json())
        self.named |= manifest.objects()

    def sweep(self) -> int:
        return sweep(self.bucket, self.processed, written_before=self.store.now - DAY).deleted

    def objects(self) -> set[str]:
        return {key for key in self.store.keys if key.startswith(("batches/", "holdings/"))}

    def _table(self, last: CapturedTable | None, batch: int, name: str, rows: int) -> CapturedTable:
        place = f"batches/{batch:010d}/{name}"
        part, gone, context = (
            write_part(
                self.bucket, f"{place}/{role}-00000", pl.DataFrame({"id": range(first, rows + first)}), row_key="id"
            )
            for role, first in (("changes", 0), ("deletes", 100), ("context", 200))
        )
        newest = SortedRun(parts=(part,), deleted=(gone,))
        sorted_runs = with_sorted_run(
            last.holdings if last else (), newest, "id", self.bucket, f"holdings/{name}/{batch:010d}"
        )
        return CapturedTable(
            columns=(), held=rows, changes=(part,), deletes=(gone,), context=(context,), holdings=sorted_runs
        )


@pytest.fixture
def lake() -> Lake:
    return Lake()


def test_what_a_killed_run_left_is_deleted_a_day_after_its_batch_was_committed(lake: Lake) -> None:
    lake.run(5)
    committed = lake.run(3)
    lake.commit(committed)
    assert lake.sweep() == 0, "the batch is young"
    assert lake.objects() > lake.named
    lake.store.now += DAY
    assert lake.sweep() > 0
    assert lake.objects() == lake.named
    assert lake.sweep() == 0


def test_what_the_loser_of_a_race_left_is_deleted(lake: Lake) -> None:
    winner, loser = lake.run(3), lake.run(4)
    lake.commit(winner)
    with pytest.raises(BatchTaken):
        lake.commit(loser)
    lake.store.now += DAY
    assert lake.sweep() > 0
    assert lake.objects() == winner.objects()


def test_a_batch_in_flight_is_never_touched_however_old_it_is(lake: Lake) -> None:
    lake.commit(lake.run(3))
    flying = lake.run(4)
    lake.store.now += 9 * DAY
    lake.sweep()
    lake.commit(flying)
    lake.store.now += DAY
    lake.sweep()
    assert lake.objects() == lake.named


def test_what_a_run_that_has_lost_its_batch_is_still_writing_is_left_alone(lake: Lake) -> None:
    lake.run(5)
    lake.commit(lake.run(3))
    lake.store.now += DAY
    late = write_part(lake.bucket, "batches/0000000001/payment/changes-00000", pl.DataFrame({"id": [7]}), row_key="id")
    assert lake.sweep() > 0
    assert lake.objects() == {*lake.named, late.key}


def test_a_strangers_object_is_left_alone(lake: Lake) -> None:
    lake.bucket.put_new("batches/notes.txt", b"")
    lake.bucket.put_new("holdings/payment/notes.txt", b"")
    lake.commit(lake.run(3))
    lake.store.now += DAY
    assert lake.sweep() == 0


def test_a_manifest_of_an_older_totes_is_understood(lake: Lake) -> None:
    lake.run(5)
    manifest = lake.run(3)
    body = manifest.to_json().replace(b'"ranges": null', b'"context": []')
    assert b"ranges" not in body
    lake.commit_as(manifest, body)
    lake.store.now += DAY
    assert lake.sweep() > 0
    assert lake.objects() >= CaptureManifest.from_json(body).objects()


def test_a_sweep_whose_time_is_up_goes_on_the_next_night(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("totes.lake.sweeping"), "_BATCHES_AT_ONCE", 2)
    for rows in range(1, 6):
        lake.run(rows + 20)
        lake.commit(lake.run(rows))
    lake.store.now += DAY
    answers = iter([False, True])
    first = sweep(lake.bucket, lake.processed, written_before=lake.store.now - DAY, time_is_up=lambda: next(answers))
    assert (first.batch, first.last) == (2, 5)
    assert first.deleted > 0
    lake.store.reads.clear()
    second = sweep(lake.bucket, lake.processed, written_before=lake.store.now - DAY)
    assert second.batch == 5
    assert [key for key in lake.store.reads if "-batch-000000000" in key and key[-6] in "12"] == []
    assert lake.objects() == lake.named


def test_where_manifests_were_lost_nothing_is_swept_until_batches_have_passed_the_bookmark(lake: Lake) -> None:
    for rows in range(1, 4):
        lake.commit(lake.run(rows))
    lake.store.now += DAY
    lake.sweep()
    for key in lake.store.keys:
        if key.startswith("manifests/"):
            lake.bucket.delete(key)
    lake.capture(lake.run(9))
    lake.store.now += DAY
    assert lake.sweep() == 0
    assert lake.objects() >= lake.named


def test_a_batch_whose_star_rows_are_not_there_yet_is_left_alone(lake: Lake) -> None:
    lake.run(5)
    lake.capture(lake.run(3))
    lake.store.now += DAY
    assert lake.sweep() == 0


def test_what_lost_manifests_name_is_not_swept_for_those_that_came_in_their_place(lake: Lake) -> None:
    for rows in range(1, 5):
        lake.commit(lake.run(rows))
    journal = Journal(lake.bucket)
    lost = {key: lake.bucket.get(key) for key in map(journal._key, (3, 4))}
    for key in lost:
        lake.bucket.delete(key)
    for rows in range(11, 14):
        lake.capture(lake.run(rows))
    before = lake.objects()
    lake.store.now += DAY
    with pytest.raises(LakeCorrupted, match=r"batch-0000000004.json is another manifest .* nothing is swept"):
        lake.sweep()
    assert lake.objects() == before
    for key, body in lost.items():
        lake.store.put_object(Bucket=lake.bucket.name, Key=key, Body=body)
    lake.store.now += DAY
    assert lake.sweep() > 0, "what the others have left"
    assert lake.objects() >= CaptureManifest.from_json(journal.read(4)).objects()


def test_nor_is_it_swept_for_one_manifest_that_is_another_among_those_that_are_right(lake: Lake) -> None:
    for rows in range(1, 5):
        lake.commit(lake.run(rows))
    key = Journal(lake.bucket)._key(2)
    lake.store.put_object(Bucket=lake.bucket.name, Key=key, Body=lake.bucket.get(key).replace(b"batches/", b"other/"))
    lake.store.now += DAY
    with pytest.raises(LakeCorrupted, match=r"batch-0000000002.json is another manifest"):
        lake.sweep()
    assert lake.objects() == lake.named


class History(Lake):
    """Runs that begin, commit, lose or die, and sweeps, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.flying: list[CaptureManifest] = []

    def play(self, step: str, number: int) -> None:
        match step:
            case "commit":
                self.commit(self.run(number))
            case "begin":
                self.flying.append(self.run(number))
            case "finish" if self.flying:
                self._finish(self.flying.pop(0))
            case "die" if self.flying:
                self.flying.pop()
            case "sweep":
                self.sweep()
            case "hours":
                self.store.now += timedelta(hours=number)

    def _finish(self, manifest: CaptureManifest) -> None:
        try:
            self.commit(manifest)
        except BatchTaken:
            assert manifest.batch <= Journal(self.bucket).newest()


steps = st.tuples(st.sampled_from(["commit", "begin", "finish", "die", "sweep", "hours"]), st.integers(1, 40))


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=40))
def test_in_no_order_of_commits_kills_races_and_sweeps_is_anything_deleted_that_a_manifest_names(
    steps: list[tuple[str, int]],
) -> None:
    lake = History()
    for step, number in steps:
        lake.play(step, number)
        assert lake.named <= lake.objects()
    lake.store.now += DAY
    lake.sweep()
    assert lake.named <= lake.objects()
    newest = Journal(lake.bucket).newest()
    assert all(flying.objects() <= lake.objects() for flying in lake.flying if flying.batch > newest)


@settings(max_examples=50, deadline=None)
@given(st.lists(steps.filter(lambda step: step[0] not in {"sweep", "hours"}), max_size=40))
def test_nothing_is_left_but_what_is_named_and_what_is_in_flight(steps: list[tuple[str, int]]) -> None:
    lake = History()
    for step, number in steps:
        lake.play(step, number)
    lake.store.now += DAY
    lake.sweep()
    in_flight = f"{Journal(lake.bucket).newest() + 1:010d}"
    assert {key for key in lake.objects() if in_flight not in key} == lake.named
