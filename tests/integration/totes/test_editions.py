"""A lost warehouse is rebuilt from the lake alone, and a mistake in a star table that was fixed is replayed."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.support.content import Content, content_of
from tests.support.databases import execute, rows, session, value
from tests.support.lived import live
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline, keys_of
from tests.support.waiting import until
from totes.errors import ConfigurationError, LakeUnavailable
from totes.lake import Bucket, StarJournal
from totes.outcomes import Span
from totes.star import STAR_TABLES, replay, transform
from totes.star_schema import StarTable
from totes.warehouse import Loaded, load
from totes.warehouse.ledger import lock
from totes.warehouse.rebuild import bulk


def rebuilt(pipeline: Pipeline) -> Loaded:
    with session(pipeline.warehouse) as connection:
        return load(connection, pipeline.processed, STAR_TABLES, rebuild=True)


def mistaken() -> Sequence[StarTable]:
    """The star tables with two mistakes: a column made of the wrong one, and a currency that has no name."""
    return tuple(
        dataclasses.replace(
            table,
            columns=[
                dataclasses.replace(column, of="currency_id")
                if column.name == "item_quantity"
                else dataclasses.replace(column, names={"GBP": "Pound"})
                if column.name == "currency_name"
                else column
                for column in table.columns
            ],
        )
        for table in STAR_TABLES
    )


@pytest.mark.lived
def test_an_empty_warehouse_is_rebuilt_from_the_lake_alone(pipeline: Pipeline, another_database: str) -> None:
    lost = content_of(pipeline.warehouse)
    execute(pipeline.source, "DROP SCHEMA public CASCADE")
    again = dataclasses.replace(pipeline, warehouse=another_database)
    assert again.load().batches == Span(first=1, last=6, count=6)
    assert content_of(another_database) == lost


@pytest.mark.lived
def test_a_rebuild_gives_the_same_content_and_forgets_what_was_written_by_hand(pipeline: Pipeline) -> None:
    before, loaded = content_of(pipeline.warehouse), "SELECT batch_id, loaded_at FROM etl.batch ORDER BY 1"
    when = rows(pipeline.warehouse, loaded)
    execute(pipeline.warehouse, "UPDATE fact_payment SET paid = NOT paid; DELETE FROM dim_staff")
    assert rebuilt(pipeline).batches == Span(first=1, last=6, count=6)
    assert content_of(pipeline.warehouse) == before
    assert rows(pipeline.warehouse, loaded) == when, "how late a batch was is not changed by making it again"
    assert pipeline.tick().batches.count == 0


@pytest.mark.lived
def test_a_lost_processed_bucket_is_made_again_from_the_ingestion_bucket(
    pipeline: Pipeline, store: MemoryStore
) -> None:
    before = content_of(pipeline.warehouse)
    again = dataclasses.replace(pipeline, processed=store.bucket("another"))
    again.transform()
    assert again.load().batches.count == 0
    rebuilt(again)
    assert content_of(pipeline.warehouse) == before


@pytest.mark.parametrize("first", [1, 3, 6])
@pytest.mark.lived
def test_a_replay_of_unchanged_code_changes_no_content_and_rewrites_no_object(pipeline: Pipeline, first: int) -> None:
    before, objects = content_of(pipeline.warehouse), pipeline.objects()
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=first)
    assert pipeline.load().batches == Span(first=1, last=6, count=6)
    assert content_of(pipeline.warehouse) == before
    after = pipeline.objects()
    assert {key: after[key] for key in objects} == objects
    assert pipeline.tick().batches.count == 0


def test_a_mistake_that_was_fixed_is_replayed(pipeline: Pipeline, store: MemoryStore, another_database: str) -> None:
    pipeline.capture()
    transform(pipeline.ingestion, pipeline.processed, mistaken())
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, mistaken())
    assert value(pipeline.warehouse, "SELECT max(item_quantity) FROM fact_purchase_order") <= 3
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine WHERE resolved_by IS NULL") == 2
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    pipeline.load()
    right = dataclasses.replace(pipeline, processed=store.bucket("right"), warehouse=another_database)
    right.transform()
    right.load()
    assert content_of(pipeline.warehouse) == content_of(another_database)


@pytest.mark.lived
def test_an_edition_whose_number_was_given_before_is_loaded(pipeline: Pipeline) -> None:
    """The processed bucket is put back to before an edition, and replayed before anything is loaded from it."""
    before, then = content_of(pipeline.warehouse), set(keys_of(pipeline.processed))
    replay(pipeline.ingestion, pipeline.processed, mistaken(), first=1)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, mistaken())
        assert content_of(pipeline.warehouse) != before
        assert load(connection, pipeline.processed, mistaken()).batches.count == 0
    for key in set(keys_of(pipeline.processed)) - then:
        pipeline.processed.delete(key)
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)
    assert StarJournal(pipeline.processed).edition == value(pipeline.warehouse, "SELECT edition FROM etl.content") == 2
    assert pipeline.load().batches.count == 6
    assert content_of(pipeline.warehouse) == before
    assert pipeline.load().batches.count == 0


@pytest.mark.parametrize(
    "written",
    [
        "DROP TABLE etl.content_edition",
        # It goes on knowing editions by their numbers alone, and has rebuilt the warehouse from another one.
        "UPDATE etl.content_edition SET edition = 1, identity = 'of the first'",
    ],
)
@pytest.mark.lived
def test_what_an_earlier_totes_has_loaded_is_taken_up_without_a_rebuild(pipeline: Pipeline, written: str) -> None:
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=5)
    pipeline.load()
    identity = value(pipeline.warehouse, "SELECT identity FROM etl.content_edition WHERE edition = 2")
    execute(pipeline.warehouse, written)
    assert pipeline.load().batches.count == 0
    assert rows(pipeline.warehouse, "SELECT edition, identity FROM etl.content_edition") == [(2, identity)]


@pytest.mark.begun
def test_batches_go_on_in_the_new_edition(pipeline: Pipeline) -> None:
    live(pipeline, ticks=1)
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=2)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 7")
    pipeline.tick()
    before = content_of(pipeline.warehouse)
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=4)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before
    assert rows(pipeline.warehouse, "SELECT DISTINCT edition FROM etl.batch") == [(3,)]


class Dying(Bucket):
    """A bucket whose store goes away after so many puts."""

    def __init__(self, bucket: Bucket, puts: int) -> None:
        super().__init__(bucket.name, bucket.client)
        self._puts = puts

    def put_new(self, key: str, body: bytes) -> bool:
        if self._puts == 0:
            raise LakeUnavailable("gone")
        self._puts -= 1
        return super().put_new(key, body)


@pytest.mark.begun
def test_a_replay_that_dies_anywhere_has_changed_nothing_and_the_next_is_not_in_its_way(pipeline: Pipeline) -> None:
    live(pipeline, ticks=1)
    before = content_of(pipeline.warehouse)
    puts = 0
    while True:
        try:
            replay(pipeline.ingestion, Dying(pipeline.processed, puts), mistaken(), first=2)
        except LakeUnavailable:
            assert pipeline.load().batches.count == 0
            assert StarJournal(pipeline.processed).edition == 1
            puts += 1
            continue
        break
    assert puts > 5
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=2)
    pipeline.load()
    assert content_of(pipeline.warehouse) == before


@pytest.mark.parametrize(("first", "sentence"), [(0, "it has 1 to 1"), (2, "it has 1 to 1"), (-3, "no batch -3")])
@pytest.mark.begun
def test_a_batch_that_the_lake_has_not_cannot_be_replayed(pipeline: Pipeline, first: int, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=first)


@pytest.mark.lived
def test_a_reader_sees_the_old_content_or_the_new_while_all_is_loaded_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK_BATCHES", 1)
    before = content_of(pipeline.warehouse)
    seen: list[Content] = []

    def look() -> bool:
        seen.append(content_of(pipeline.warehouse))
        return False

    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True, time_is_up=look)
    assert len(seen) >= 6
    assert all(content == before for content in seen)


@pytest.mark.lived
def test_a_reload_that_dies_between_two_batches_has_changed_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK_BATCHES", 1)
    before = content_of(pipeline.warehouse)
    replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=1)

    transactions = count()

    def die() -> bool:
        if next(transactions) == 3:
            raise KeyboardInterrupt
        return False

    with session(pipeline.warehouse) as connection, pytest.raises(KeyboardInterrupt):
        load(connection, pipeline.processed, STAR_TABLES, time_is_up=die)
    assert content_of(pipeline.warehouse) == before
    assert pipeline.load().batches == Span(first=1, last=6, count=6)
    assert content_of(pipeline.warehouse) == before


@pytest.mark.lived
def test_a_loader_that_waited_for_the_lock_loads_nothing_older_than_what_it_then_finds(pipeline: Pipeline) -> None:
    with (
        session(pipeline.warehouse) as first,
        session(pipeline.warehouse) as second,
        first.cursor() as cursor,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        lock(cursor)
        waiting = elsewhere.submit(load, second, pipeline.processed, STAR_TABLES)
        until(lambda: value(pipeline.warehouse, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 1)
        replay(pipeline.ingestion, pipeline.processed, STAR_TABLES, first=2)
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 7")
        pipeline.capture()
        pipeline.transform()
        load(first, pipeline.processed, STAR_TABLES)
        waiting.result()  # whichever came to the lock between two steps has done the rest
    assert rows(pipeline.warehouse, "SELECT batch_id FROM etl.batch ORDER BY batch_id") == [(n,) for n in range(1, 8)]
    assert rows(pipeline.warehouse, "SELECT DISTINCT edition FROM etl.batch") == [(2,)]


@pytest.mark.begun
def test_a_rebuild_never_empties_a_warehouse_of_another_lake(pipeline: Pipeline, store: MemoryStore) -> None:
    before = content_of(pipeline.warehouse)
    other = dataclasses.replace(
        pipeline, ingestion=store.bucket("other-ingestion"), processed=store.bucket("other-processed")
    )
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid")
    other.capture()
    other.transform()
    with pytest.raises(ConfigurationError, match="filled from another lake"):
        rebuilt(other)
    assert content_of(pipeline.warehouse) == before
