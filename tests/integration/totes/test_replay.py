"""A replay grows over many runs beside the schedule's ticks, whatever dies or overlaps; whole, it is published."""

import dataclasses
import json
import random
import threading
from collections.abc import Callable

import pytest

from simulator import Shop
from tests.support.content import content_of
from tests.support.databases import execute, rows, session, value
from tests.support.earlier import capture_nothing_as_an_earlier_totes
from tests.support.killed import Killed
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.capture import SOURCE_TABLES, capture
from totes.errors import BatchTaken, ConfigurationError, LakeUnavailable, ReplayKilled
from totes.lake import Bucket, StarJournal, StarManifest
from totes.lake.journal import Journal
from totes.lake.manifests import digest
from totes.outcomes import Span
from totes.star import STAR_TABLES, Replayed, batch, replay, transform
from totes.star.transform import Transformation
from totes.star_schema import Dimension, Join, StarTable, text
from totes.warehouse import load

NOTHING = Span(first=None, last=None, count=0)


def times(number: int) -> Callable[[], bool]:
    """What says that time is up once it has been asked so many times."""
    left = iter(range(number))
    return lambda: next(left, None) is None


def change(pipeline: Pipeline, payment: int) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = %s", [payment])


def live(pipeline: Pipeline, ticks: int) -> None:
    """Some batches."""
    pipeline.tick()
    for tick in range(ticks - 1):
        Shop(pipeline.source, seed=tick).trade(10)
        pipeline.tick()


def a_run(pipeline: Pipeline, batches: int, first: int | None = None) -> Replayed | None:
    """A run of the state machine whose transformation has time for so many batches of a replay."""
    pipeline.capture()
    pipeline.transform()
    replayed = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=first, time_is_up=times(batches))
    pipeline.load()
    return replayed


def test_transforming_and_loading_stop_when_time_is_up_and_the_next_run_goes_on(pipeline: Pipeline) -> None:
    for payment in range(1, 4):
        pipeline.capture()
        change(pipeline, payment)
    pipeline.capture()
    transformed = transform(pipeline.ingestion, pipeline.processed, STAR_TABLES, time_is_up=times(3))
    assert (transformed.batches, transformed.waiting) == (Span(first=1, last=3, count=3), True)
    with session(pipeline.warehouse) as connection:
        loaded = load(connection, pipeline.processed, STAR_TABLES, time_is_up=lambda: True)
    assert loaded.batches.count or loaded.rebuilding
    transformed = pipeline.transform()
    assert (transformed.batches, transformed.waiting) == (Span(first=4, last=4, count=1), False)
    pipeline.load()
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.batch") == 4
    assert pipeline.tick().batches == NOTHING


class Remembered(Bucket):
    """A bucket in memory."""

    def __init__(self) -> None:
        self.name = "remembered"
        self._objects: dict[str, bytes] = {}

    def put_new(self, key: str, body: bytes) -> bool:
        return self._objects.setdefault(key, body) is body

    def get(self, key: str) -> bytes:
        return self._objects[key]

    def first_keys(self, prefix: str, most: int) -> list[str]:
        return sorted(key for key in self._objects if key.startswith(prefix))[:most]


def test_what_a_run_tells_of_50_000_batches_is_no_longer_than_what_it_tells_of_one(pipeline: Pipeline) -> None:
    pipeline.capture()
    captured, ingestion = json.loads(Journal(pipeline.ingestion).read(1)), Remembered()
    parent = None
    for number in range(1, 50_001):
        body = json.dumps({**captured, "batch": number, "parent": parent, "tables": {}}).encode()
        Journal(ingestion).commit(number, body)
        parent = digest(body)
    transformed = transform(ingestion, Remembered(), ())
    assert transformed.batches == Span(first=1, last=50_000, count=50_000)
    assert len(json.dumps(dataclasses.asdict(transformed))) < 200


@pytest.mark.begun
def test_a_replay_goes_on_in_every_run_until_it_has_caught_up_with_the_ticks_between(pipeline: Pipeline) -> None:
    live(pipeline, 3)
    replayed = a_run(pipeline, 1, first=1)
    assert replayed == Replayed(edition=2, first=1, done=1, of=3, published=False)
    seen: list[Replayed | None] = []
    while replayed is not None and not replayed.published:
        assert StarJournal(pipeline.processed).edition == 1
        change(pipeline, 7 + len(seen))
        replayed = a_run(pipeline, 2)
        seen.append(replayed)
    assert [each and (each.done, each.of) for each in seen] == [(3, 4), (5, 5)]
    assert StarJournal(pipeline.processed).edition == 2
    before = content_of(pipeline.warehouse)
    assert a_run(pipeline, 2) is None
    assert pipeline.tick().batches == NOTHING
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_a_run_that_is_tried_again_after_its_replay_was_published_makes_no_second_edition(pipeline: Pipeline) -> None:
    """Its answer was lost, so Step Functions invokes the function again with the same event."""
    live(pipeline, 2)

    def asked(run: str) -> Replayed | None:
        return replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, asked_by=run)

    first = asked("run 1")
    assert first is not None
    assert (first.edition, first.published) == (2, True)
    assert asked("run 1") is None
    assert StarJournal(pipeline.processed).edition == 2
    second = asked("run 2")
    assert second is not None
    assert (second.edition, second.published) == (3, True)


@pytest.mark.begun
def test_a_run_that_finishes_what_another_began_is_not_asked_twice_either(pipeline: Pipeline) -> None:
    live(pipeline, 2)

    def asked(run: str, batches: int) -> Replayed | None:
        ends = times(batches)
        return replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, asked_by=run, time_is_up=ends)

    begun = asked("run 1", 1)
    assert begun is not None
    assert (begun.edition, begun.published) == (2, False)
    finished = asked("run 2", 100)
    assert finished is not None
    assert (finished.edition, finished.published) == (2, True)
    assert asked("run 2", 100) is None
    assert StarJournal(pipeline.processed).edition == 2


@pytest.mark.begun
def test_a_run_that_is_tried_again_makes_no_second_edition_where_another_has_asked_for_its_draft(
    pipeline: Pipeline,
) -> None:
    live(pipeline, 2)

    def asked(run: str, batches: int) -> Replayed | None:
        ends = times(batches)
        return replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, asked_by=run, time_is_up=ends)

    begun = asked("run 1", 1)
    assert begun is not None
    assert not begun.published
    finished = asked("run 2", 100)
    assert finished is not None
    assert finished.published
    assert asked("run 1", 100) is None
    assert asked("run 2", 100) is None
    assert StarJournal(pipeline.processed).edition == 2


@pytest.mark.begun
def test_a_run_that_nobody_asks_for_a_replay_reads_the_last_draft_and_no_other(
    pipeline: Pipeline, store: MemoryStore
) -> None:
    live(pipeline, 2)
    for run in ("run 1", "run 2", "run 3"):
        replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, asked_by=run)
    store.reads.clear()
    assert replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, asked_by="run 4") is None
    assert sorted(key.partition("/")[0] for key in store.reads) == ["drafts", "editions"]


@pytest.mark.begun
def test_how_far_a_draft_has_come_is_found_by_a_few_requests_however_long_it_is(
    pipeline: Pipeline, store: MemoryStore
) -> None:
    live(pipeline, 3)
    a_run(pipeline, 2, first=1)
    store.asked.clear()
    [draft] = [StarJournal(pipeline.processed).unfinished()]
    assert draft is not None
    assert draft.done(32) == 2
    assert store.asked == ["list", "list", "get", "list"]


@pytest.mark.begun
def test_a_batch_that_is_committed_while_an_edition_is_published_is_transformed_again_by_the_next_run(
    pipeline: Pipeline,
) -> None:
    live(pipeline, 2)

    class Publishing(Bucket):
        """A bucket in which another run does its work at the moment of publishing."""

        def put_new(self, key: str, body: bytes) -> bool:
            if key.startswith("editions/"):
                change(pipeline, 7)
                assert pipeline.tick().newest == 3
            return super().put_new(key, body)

    publishing = Publishing(pipeline.processed.name, pipeline.processed.client)
    replayed = replay(pipeline.ingestion, publishing, STAR_TABLES, first=1)
    assert replayed == Replayed(edition=2, first=1, done=2, of=2, published=True)
    before = content_of(pipeline.warehouse)
    assert StarManifest.from_json(StarJournal(pipeline.processed).read(3)).batch == 3
    assert pipeline.load().batches == NOTHING
    assert content_of(pipeline.warehouse) == before
    assert pipeline.transform().batches == Span(first=3, last=3, count=1)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_two_replays_at_once_make_one_edition(pipeline: Pipeline) -> None:
    live(pipeline, 5)
    before = content_of(pipeline.warehouse)
    failed: list[Exception] = []

    def again() -> None:
        try:
            replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=2)
        except BatchTaken as error:  # retried by the state machine
            failed.append(error)

    threads = [threading.Thread(target=again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) < 2
    assert StarJournal(pipeline.processed).edition in {2, 3}
    assert StarJournal(pipeline.processed).unfinished() is None
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_a_replay_of_batches_whose_turn_has_not_come_waits_for_those_before(pipeline: Pipeline) -> None:
    """Published, it would leave these out: nobody transforms what an edition has passed."""
    for payment in (3, 4):
        change(pipeline, payment)
        pipeline.capture()
    asked = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=3)
    assert asked == Replayed(edition=2, first=3, done=0, of=1, published=False)
    assert StarJournal(pipeline.processed).newest() == 1
    pipeline.transform()
    replayed = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES)
    assert replayed == Replayed(edition=2, first=3, done=1, of=1, published=True)
    assert pipeline.load().newest == 3
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.begun
def test_of_two_replays_of_different_batches_the_one_that_covers_more_is_made(pipeline: Pipeline) -> None:
    live(pipeline, 4)
    assert a_run(pipeline, 1, first=3) == Replayed(edition=2, first=3, done=1, of=2, published=False)
    assert a_run(pipeline, 1, first=2) == Replayed(edition=3, first=2, done=1, of=3, published=False)
    assert a_run(pipeline, 1, first=4) == Replayed(edition=3, first=2, done=2, of=3, published=False)
    assert a_run(pipeline, 9) == Replayed(edition=3, first=2, done=3, of=3, published=True)


@pytest.mark.begun
def test_a_draft_of_other_code_is_given_up_and_begun_again_by_the_code_that_is_deployed(pipeline: Pipeline) -> None:
    live(pipeline, 3)
    before = content_of(pipeline.warehouse)
    mistaken = tuple(
        dataclasses.replace(table, columns=[dataclasses.replace(column, names=None) for column in table.columns])
        for table in STAR_TABLES
    )
    replay(pipeline.ingestion, pipeline.processed, mistaken, first=2, time_is_up=times(1))
    assert a_run(pipeline, 1) == Replayed(edition=3, first=2, done=1, of=2, published=False)
    assert a_run(pipeline, 9) == Replayed(edition=3, first=2, done=2, of=2, published=True)
    assert content_of(pipeline.warehouse) == before


class Failing(Bucket):
    """A bucket that refuses one in so many puts, by chance: in step with the attempts it would refuse one for ever."""

    def __init__(self, bucket: Bucket, every: int) -> None:
        super().__init__(bucket.name, bucket.client)
        self._every = every
        self._chance = random.Random(every)  # noqa: S311 - chance, and no secret
        self._lock = threading.Lock()

    def put_new(self, key: str, body: bytes) -> bool:
        with self._lock:
            if self._chance.randrange(self._every) == 0:
                raise LakeUnavailable("gone")
        return super().put_new(key, body)


@pytest.mark.parametrize("every", [7, 11])
@pytest.mark.begun
def test_a_replay_that_dies_again_and_again_with_batches_at_once_leaves_none_out(
    pipeline: Pipeline, every: int
) -> None:
    live(pipeline, 6)
    before = content_of(pipeline.warehouse)
    failing, replayed = Failing(pipeline.processed, every), None
    for _ in range(200):
        try:
            replayed = replay(pipeline.ingestion, failing, STAR_TABLES, first=None if replayed else 1)
        except LakeUnavailable:
            continue
        break
    assert replayed == Replayed(edition=2, first=1, done=6, of=6, published=True)
    assert sum("manifests/edition-0002" in key for key in keys_of(pipeline.processed)) == 6
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.begun
def test_a_large_batch_goes_on_where_the_last_attempt_ended_and_its_bytes_are_the_same(
    pipeline: Pipeline, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, 2)
    whole = pipeline.objects()
    monkeypatch.setattr(batch, "PARTS_IN_ONE_GO", 2)
    monkeypatch.setattr(batch, "PARTS_BETWEEN_BOOKMARKS", 2)
    again = dataclasses.replace(pipeline, processed=store.bucket("another"))
    attempts = 0
    while transform(again.ingestion, again.processed, STAR_TABLES, time_is_up=times(4)).waiting:
        attempts += 1
        assert attempts < 20
    assert attempts > 2
    made = {key.partition("/")[2]: body for key, body in again.objects().items() if key.startswith("another/")}
    marks = {key for key in made if key.startswith("bookmarks/")}
    assert len(marks) > 5
    assert {f"processed/{key}": body for key, body in made.items() if key not in marks} == {
        key: body for key, body in whole.items() if key.startswith("processed/")
    }


def test_what_other_code_has_begun_of_a_large_batch_is_not_gone_on_with(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "PARTS_IN_ONE_GO", 2)
    monkeypatch.setattr(batch, "PARTS_BETWEEN_BOOKMARKS", 2)
    pipeline.capture()
    other = tuple(dataclasses.replace(table, columns=table.columns[:2]) for table in STAR_TABLES)
    assert transform(pipeline.ingestion, pipeline.processed, other, time_is_up=times(3)).waiting
    pipeline.transform()
    pipeline.load()
    assert value(pipeline.warehouse, "SELECT count(*) FROM fact_sales_order") == 100


def test_a_star_manifest_of_a_newer_format_is_refused_and_one_without_format_is_read(pipeline: Pipeline) -> None:
    pipeline.capture()
    pipeline.transform()
    body = StarJournal(pipeline.processed).read(1)
    assert StarManifest.from_json(body.replace(b' "format": 2,\n', b"")).format == 1
    with pytest.raises(ConfigurationError, match=r"batch 1 was written by a newer totes \(its manifest is of format 3"):
        StarManifest.from_json(body.replace(b'"format": 2', b'"format": 3'))


@pytest.mark.begun
def test_a_replay_that_an_older_totes_left_is_not_in_the_way(pipeline: Pipeline) -> None:
    live(pipeline, 2)
    Journal(pipeline.processed, "manifests/edition-0002/").commit(1, b"{}")
    assert a_run(pipeline, 9, first=1) == Replayed(edition=3, first=1, done=2, of=2, published=True)


@pytest.mark.begun
def test_a_replay_goes_back_to_before_the_source_had_what_the_star_asks_for(pipeline: Pipeline) -> None:
    """A column of a table, and a table that completes it, which the lake's first batch knows nothing of."""
    execute(
        pipeline.source,
        "ALTER TABLE department ADD COLUMN floor_name text; UPDATE department SET floor_name = 'red';"
        "CREATE TABLE brand (brand_id int PRIMARY KEY, brand_name text NOT NULL); INSERT INTO brand VALUES (1, 'a');"
        "ALTER TABLE design ADD COLUMN brand_id int DEFAULT 1",
    )
    pipeline.tick()
    floor = text("floor_name", meaning="", nullable=True, of="department.floor_name")
    brand = text("brand_name", meaning="", nullable=True, of="brand.brand_name")
    stars: list[StarTable] = []
    for table in STAR_TABLES:
        if isinstance(table, Dimension) and table.name == "dim_staff":
            stars.append(dataclasses.replace(table, columns=(*table.columns, floor)))
        elif isinstance(table, Dimension) and table.name == "dim_design":
            join = Join(table="brand", key="brand_id", on="brand_id")
            stars.append(dataclasses.replace(table, columns=(*table.columns, brand), joins=(join,)))
        else:
            stars.append(table)
    replayed = replay(pipeline.ingestion, pipeline.processed, stars, first=1)
    assert replayed is not None
    assert replayed.published
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, stars)
    assert value(pipeline.warehouse, "SELECT array_agg(DISTINCT floor_name) FROM dim_staff") == ["red"]
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 0


@pytest.mark.parametrize("by", ["this totes", "an earlier totes"])
@pytest.mark.begun
def test_two_tables_that_the_lake_held_are_joined_by_the_next_batch(pipeline: Pipeline, by: str) -> None:
    """Nobody has changed them, and no batch has what completes their rows."""
    if by == "an earlier totes":
        capture_nothing_as_an_earlier_totes(pipeline)
    tables = [
        dataclasses.replace(table, completed_by={"sales_order_id": "sales_order"})
        if table.name == "transaction"
        else table
        for table in SOURCE_TABLES
    ]
    agreed = text("agreed", meaning="", nullable=True, of="sales_order.agreed_payment_date")
    join = Join(table="sales_order", key="sales_order_id", on="sales_order_id")
    stars = [
        dataclasses.replace(table, columns=(*table.columns, agreed), joins=(join,))
        if isinstance(table, Dimension) and table.name == "dim_transaction"
        else table
        for table in STAR_TABLES
    ]
    with session(pipeline.source) as source, session(pipeline.warehouse) as warehouse:
        assert capture(source, pipeline.ingestion, tables).batch == (2 if by == "this totes" else 3)
        assert capture(source, pipeline.ingestion, tables).batch is None
        replay(pipeline.ingestion, pipeline.processed, stars, first=1)
        load(warehouse, pipeline.processed, stars)
    expected = rows(
        pipeline.source,
        "SELECT transaction_id, agreed_payment_date FROM transaction LEFT JOIN sales_order USING (sales_order_id) "
        "ORDER BY 1",
    )
    assert any(day for _, day in expected)
    assert any(day is None for _, day in expected)
    assert rows(pipeline.warehouse, "SELECT transaction_id, agreed FROM dim_transaction ORDER BY 1") == expected


def raising_at(where: int, error: BaseException) -> Callable[[Transformation, int], StarManifest | None]:
    """What transforms a batch, but for one."""
    work = Transformation.__call__

    def transformed(transformation: Transformation, batch: int) -> StarManifest | None:
        if batch == where:
            raise error
        return work(transformation, batch)

    return transformed


@pytest.mark.begun
def test_a_replay_that_kills_its_function_is_given_up_and_stops_no_later_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For want of memory, say: the runs that are killed come to no load, so there must not be many of them."""
    live(pipeline, 3)
    with monkeypatch.context() as patched:
        patched.setattr(Transformation, "__call__", raising_at(2, Killed()))
        for first in (1, None, None, None):  # the first of them has brought batch 1
            with pytest.raises(Killed):
                replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=first)
        with pytest.raises(ReplayKilled, match=r"killed in 3 runs at batch 2, .* more memory \(transform in stacks"):
            a_run(pipeline, batches=1)
        change(pipeline, 1)
        assert a_run(pipeline, batches=5) is None
    replayed = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    assert replayed is not None
    assert replayed.published


@pytest.mark.begun
def test_a_replay_goes_on_after_functions_that_are_killed_now_and_then(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes to its end, if only to nothing for want of time, shows that nothing kills it at that place."""
    live(pipeline, 3)
    begun = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, time_is_up=lambda: True)
    assert begun is not None
    for _ in range(3):
        for _ in range(2):
            with monkeypatch.context() as patched:
                patched.setattr(Transformation, "__call__", raising_at(1, Killed()))
                with pytest.raises(Killed):
                    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES)
        replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, time_is_up=lambda: True)
    replayed = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES)
    assert replayed is not None
    assert replayed.published


def test_a_replay_that_cannot_go_on_fails_one_run_and_no_other(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one by code that does not know what the first batches were like; the fixed one is asked for again."""
    live(pipeline, 3)
    with monkeypatch.context() as patched:
        patched.setattr(Transformation, "__call__", raising_at(2, KeyError("colour")))
        with pytest.raises(KeyError, match="colour"):
            replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1, asked_by="a run")
        change(pipeline, 1)
        assert a_run(pipeline, batches=5) is None
        assert value(pipeline.warehouse, "SELECT max(batch_id) FROM etl.batch") == 4
    replayed = replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    assert replayed is not None
    assert (replayed.published, replayed.edition) == (True, 3)
    assert not StarJournal(pipeline.processed).has_done("a run"), "that was another one's"
