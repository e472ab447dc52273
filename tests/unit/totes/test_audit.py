"""An audit names what is missing, truncated, not what was written, or unreadable in the lake, and nothing else."""

import importlib
import json
import math
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import polars as pl
import pytest

from tests.support.memory_store import MemoryStore
from totes.lake import (
    Bucket,
    CapturedTable,
    CaptureManifest,
    Journal,
    Part,
    SortedRun,
    SourceColumn,
    SourceIdentity,
    StarJournal,
    StarManifest,
    StarParts,
    audit,
    write_part,
)
from totes.lake.audit import NIGHTS, Audited
from totes.lake.manifests import digest
from totes.lake.parts import fetch_part

_AUDIT = importlib.import_module("totes.lake.audit")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = SourceIdentity(system_identifier="1", timeline=1, database=1, started="1")


@cache
def written(number: int) -> tuple[Part, bytes]:
    """A part of one row, and its bytes: as many lie in a large lake as take seconds to write."""
    bucket = MemoryStore().bucket("any")
    part = write_part(bucket, "any", pl.DataFrame({"design_id": [number]}))
    return part, bucket.get(part.key)


def put_part(bucket: Bucket, place: str, batch: int) -> Part:
    """Put a part as `write_part` does; it is not like those of the batches around."""
    part, body = written(batch % 97)
    key = part.key.replace("any", place)
    bucket.put_new(key, body)
    return replace(part, key=key)


class Lake:
    """A lake of batches, each with a change, what it holds of a table, and a star row."""

    def __init__(self, batches: int) -> None:
        self.store = MemoryStore()
        self.ingestion, self.processed = self.store.bucket("ingestion"), self.store.bucket("processed")
        self.held: list[Part] = []
        self.stars: list[Part] = []
        parent = None
        for batch in range(1, batches + 1):
            change = put_part(self.ingestion, f"batches/{batch:010d}/design/changes-00000", batch)
            self.held = [*self.held[-3:], put_part(self.ingestion, f"holdings/design/{batch:010d}-00000", batch)]
            table = CapturedTable(
                columns=(SourceColumn(name="design_id", type="integer"),),
                held=batch,
                changes=(change,),
                holdings=tuple(SortedRun(parts=(part,)) for part in self.held),
            )
            captured = CaptureManifest(
                batch=batch,
                parent=parent,
                captured_at=NOW,
                horizon=1,
                source=SOURCE,
                drift=(),
                tables={"design": table},
            )
            body = captured.to_json()
            Journal(self.ingestion).commit(batch, body)
            star = put_part(self.processed, f"batches/{batch:010d}/dim_design/rows-00000", batch)
            self.stars.append(star)
            StarJournal(self.processed).commit(
                batch,
                StarManifest(
                    batch=batch,
                    capture=digest(body),
                    parent=parent,
                    captured_at=NOW,
                    horizon=1,
                    drift=(),
                    tables={"dim_design": StarParts(rows_in=1, parts=(star,))},
                ).to_json(),
            )
            parent = digest(body)

    def week(self, every: int = 1) -> list[Audited]:
        return [audit(self.ingestion, self.processed, day=day, every=every) for day in range(NIGHTS)]

    def found(self) -> list[str]:
        return [finding for night in self.week() for finding in night.findings]

    def overwrite(self, bucket: str, key: str, body: bytes) -> None:
        assert (bucket, key) in self.store._objects
        self.store.put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def lake() -> Lake:
    return Lake(12)


@pytest.fixture(scope="module")
def large_lake() -> Lake:
    """It takes seconds to write, and is left as it was."""
    return Lake(2000)


@pytest.mark.usefixtures("small_stretches")
def test_a_healthy_lake_of_many_batches_is_seen_whole_in_a_week_and_nothing_is_found(large_lake: Lake) -> None:
    nights = large_lake.week(every=50)
    assert [night.findings for night in nights] == [()] * NIGHTS
    assert sum(night.batches for night in nights) == sum(night.of for night in nights) == 2000
    assert max(night.batches for night in nights) == 300, "a seventh a night"
    assert sum(night.objects for night in nights) == 3 * 2000, "each object once"
    assert 0 < sum(night.sampled for night in nights) < 400
    assert not {"put", "delete"} & set(large_lake.store.asked[-100:])


@pytest.fixture
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A night looks at a hundred batches between two looks at the clock."""
    monkeypatch.setattr(_AUDIT, "_STRETCH", 100)


def test_an_object_that_is_missing_is_named(lake: Lake) -> None:
    [key] = [key for key in lake.store.keys if key.startswith("batches/0000000005/design/")]
    lake.store.delete_object(Bucket="ingestion", Key=key)
    [finding] = lake.found()
    assert finding.startswith(f"s3://ingestion/{key} is missing; restore it")


def test_an_object_that_is_truncated_is_named(lake: Lake) -> None:
    key = lake.held[-1].key
    lake.overwrite("ingestion", key, b"PAR1")
    [finding] = lake.found()
    assert finding.startswith(f"s3://ingestion/{key} has 4 bytes of {lake.held[-1].bytes}; restore it")


def test_an_object_with_other_bytes_is_named(lake: Lake) -> None:
    part = lake.stars[7]
    lake.overwrite("processed", part.key, b"x" * part.bytes)
    [finding] = lake.found()
    assert finding.startswith(f"s3://processed/{part.key} is not the object that its manifest names")


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_object_that_was_archived_is_named_though_it_is_there_with_its_size(lake: Lake, storage_class: str) -> None:
    key = lake.stars[7].key
    lake.store.archived[key] = storage_class
    findings = [finding for night in lake.week(every=10**9) for finding in night.findings]
    assert findings == [f"s3://processed/{key} was archived, as by a lifecycle rule; restore the object"]


def test_an_object_that_was_written_again_is_named_within_a_week(large_lake: Lake) -> None:
    part, began = large_lake.stars[888], NOW.toordinal() + 100
    body = large_lake.processed.get(part.key)
    large_lake.store.now = NOW + timedelta(days=100)
    large_lake.overwrite("processed", part.key, b"x" * part.bytes)
    nights = [
        audit(large_lake.ingestion, large_lake.processed, day=began + day, every=10**9) for day in range(3 * NIGHTS)
    ]
    [finding, *_] = [finding for night in nights[:NIGHTS] for finding in night.findings]
    assert finding.startswith(f"s3://processed/{part.key} is not the object that its manifest names")
    assert [night.sampled for night in nights[2 * NIGHTS :]] == [0] * NIGHTS, "a lake that was copied is read once"
    large_lake.overwrite("processed", part.key, body)


def test_an_object_that_was_written_again_after_the_audit_of_its_turn_is_named_at_the_next(lake: Lake) -> None:
    began, part = NOW.toordinal() + 100, lake.stars[7]
    lake.store.now = NOW + timedelta(days=100)
    nights = [audit(lake.ingestion, lake.processed, day=began + day, every=10**9) for day in range(NIGHTS)]
    [turn] = [day for day, night in enumerate(nights) if night.batches]
    lake.store.now += timedelta(days=turn, hours=23)
    lake.overwrite("processed", part.key, b"x" * part.bytes)
    night = audit(lake.ingestion, lake.processed, day=began + turn + NIGHTS, every=10**9)
    [finding] = night.findings
    assert finding.startswith(f"s3://processed/{part.key} is not the object that its manifest names")


def test_a_manifest_that_is_missing_is_named(lake: Lake) -> None:
    key = Journal(lake.ingestion).place(5).removeprefix("s3://ingestion/")
    lake.store.delete_object(Bucket="ingestion", Key=key)
    [finding] = lake.found()
    assert finding.startswith(f"s3://ingestion/{key} is missing; restore")


def test_a_manifest_that_cannot_be_read_is_named(lake: Lake) -> None:
    place = Journal(lake.ingestion).place(5)
    lake.overwrite("ingestion", place.removeprefix("s3://ingestion/"), b"{")
    found = lake.found()
    assert any(finding.startswith(f"{place} cannot be read as a manifest") for finding in found)
    assert all(place in finding for finding in found)


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_a_manifest_that_is_not_the_one_that_was_written_is_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(_AUDIT, "_MANIFESTS_AT_ONCE", at_once)
    journal = Journal(lake.ingestion)
    values = {**json.loads(journal.read(5)), "horizon": 7}
    lake.overwrite("ingestion", journal.place(5).removeprefix("s3://ingestion/"), json.dumps(values).encode())
    found = lake.found()
    assert f"{journal.place(5)} is not the manifest that {journal.place(6)} names" in "".join(found)
    assert all(finding.startswith(journal.place(5)) for finding in found)


def test_star_manifests_that_cannot_be_read_are_named(lake: Lake) -> None:
    [key] = [key for key in lake.store.keys if key.startswith("manifests/edition-") and "batch-0000000003" in key]
    lake.overwrite("processed", key, b"[]")
    [finding] = lake.found()
    assert finding.startswith("the star manifest of batch 3 cannot be read")


def test_what_a_stopped_run_a_replay_and_a_sweep_leave_is_no_finding(lake: Lake) -> None:
    frame = pl.DataFrame({"design_id": [0]})
    write_part(lake.ingestion, "batches/0000000005/design/changes-00009", frame)  # of a run that was killed
    write_part(lake.ingestion, "batches/0000000013/design/changes-00000", frame)  # of one that is under way
    write_part(lake.processed, "batches/0000000013/dim_design/rows-00000", frame)
    StarJournal(lake.processed).begin(3, "other code")  # a replay that is not done
    Journal(lake.ingestion, "sweeps/").commit(5, b"{}")
    Journal(lake.ingestion).commit(
        13,
        CaptureManifest(
            batch=13,
            parent=digest(Journal(lake.ingestion).read(12)),
            captured_at=NOW,
            horizon=1,
            source=SOURCE,
            drift=(),
            tables={},
        ).to_json(),
    )  # not transformed yet
    assert lake.found() == []


@pytest.mark.usefixtures("small_stretches")
def test_a_night_whose_time_is_up_says_that_it_has_not_seen_all() -> None:
    lake = Lake(101)
    answers = iter([False, True])
    night = audit(lake.ingestion, lake.processed, day=0, time_is_up=lambda: next(answers))
    assert (night.batches, night.of) == (100, 100)
    night = audit(lake.ingestion, lake.processed, day=0, time_is_up=lambda: True)
    assert (night.batches, night.of, night.is_whole) == (0, 100, False)


def test_of_very_many_findings_only_the_first_are_reported(lake: Lake) -> None:
    for key in lake.store.keys[:]:
        if key.startswith(("batches/", "holdings/")):
            for bucket in ("ingestion", "processed"):
                lake.store.delete_object(Bucket=bucket, Key=key)
    document = audit(lake.ingestion, lake.processed, day=0).to_dict()
    assert document["found"] == len(document["findings"]) == 3 * 12
    many = Audited(batches=1, of=1, objects=0, sampled=0, findings=("x",) * 1000).to_dict()
    assert (many["found"], len(many["findings"])) == (1000, 100)


def test_an_empty_lake_is_in_order() -> None:
    assert Lake(0).found() == []


def test_a_manifest_that_is_missing_between_two_looks_is_told_once() -> None:
    lake = Lake(260)
    lake.store.delete_object(Bucket="ingestion", Key=Journal(lake.ingestion)._key(250))
    findings = audit(lake.ingestion, lake.processed, day=0).findings
    assert len(findings) == len(set(findings)) > 0


def test_a_night_whose_time_is_up_within_a_stretch_says_what_it_has_found() -> None:
    """In a copied lake each object is read, which takes S3 minutes for a stretch."""
    lake = Lake(251)
    lake.overwrite("processed", lake.stars[40].key, b"other")
    answers = iter([False, True])
    night = audit(lake.ingestion, lake.processed, day=0, time_is_up=lambda: next(answers))
    assert (night.batches, night.of, night.is_whole) == (250, 251, False)
    [finding] = night.findings
    assert lake.stars[40].key in finding


def test_of_a_copied_lake_each_object_is_read_a_few_at_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.store.now = NOW + timedelta(days=30)
    for bucket, key in [*lake.store._objects]:
        lake.store.put_object(Bucket=bucket, Key=key, Body=lake.store._objects[bucket, key][0])
    at_once = threading.Barrier(4, timeout=30)

    def fetched(bucket: Bucket, part: Part) -> object:
        at_once.wait()
        return fetch_part(bucket, part)

    monkeypatch.setattr(_AUDIT, "fetch_part", fetched)
    night = audit(lake.ingestion, lake.processed, day=lake.store.now.toordinal() // NIGHTS * NIGHTS, every=10**9)
    assert (night.sampled, night.findings) == (3 * 12, ())


class Clock:
    """Time for some looks of each night."""

    def __init__(self, looks: int) -> None:
        self._looks = self._left = looks

    def is_up(self) -> bool:
        self._left -= 1
        return self._left < 0

    def next_night(self) -> None:
        self._left = self._looks


@pytest.mark.parametrize("new_a_week", [0, 7 * 288])
@pytest.mark.parametrize("a_night", [19, 201])
def test_where_the_time_never_suffices_all_is_seen_in_twice_the_weeks_that_it_takes(
    monkeypatch: pytest.MonkeyPatch, a_night: int, new_a_week: int
) -> None:
    """A lake of five years, also one that goes on growing; only what is read of it is left out."""
    batches, at_once, first_week = 525_600, _AUDIT._LOOKED_AT_AT_ONCE, NOW.toordinal() // NIGHTS
    bucket, clock = MemoryStore().bucket("any"), Clock(a_night)
    seen: set[int] = set()
    newest = batches
    monkeypatch.setattr(Journal, "newest", lambda _: newest)
    monkeypatch.setattr(_AUDIT._Audit, "_look_at", lambda _, looked_at: seen.add(looked_at.start))
    weeks = 0
    while not seen >= set(range(1, batches, at_once)):
        for night in range(NIGHTS):
            clock.next_night()
            audit(bucket, bucket, day=(first_week + weeks) * NIGHTS + night, time_is_up=clock.is_up)
        weeks += 1
        newest += new_a_week
        assert weeks <= 2 * math.ceil(newest / at_once / NIGHTS / a_night)


@pytest.mark.usefixtures("small_stretches")
def test_what_one_weeks_time_did_not_suffice_for_another_finds(large_lake: Lake) -> None:
    lake = large_lake
    lost = lake.stars[750]  # of the second of this night's stretches
    body = lake.processed.get(lost.key)
    lake.store.delete_object(Bucket=lake.processed.name, Key=lost.key)

    def night(day: int) -> Audited:
        answers = iter([False, True])
        return audit(lake.ingestion, lake.processed, day=day, time_is_up=lambda: next(answers))

    found = [night(week * NIGHTS).findings for week in range(4)]
    assert found[0] == ()
    [finding] = {finding for findings in found for finding in findings}
    assert lost.key in finding
    lake.processed.put_new(lost.key, body)
