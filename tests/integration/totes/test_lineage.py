"""A bucket is put back alone, or both are, by a person, a lifecycle rule or a copy: nothing is lost without a word."""

import dataclasses
import re
from collections.abc import Mapping
from functools import partial

import pytest

from tests.integration.totes.test_rebuild import after, rebuilt
from tests.support.content import content_of
from tests.support.databases import execute
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.errors import LakeCorrupted
from totes.lake import Bucket, Journal, StarJournal, sweep
from totes.star import STAR_TABLES, transform


def edit(pipeline: Pipeline, order: int) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id = %s", [order])


def manifests(pipeline: Pipeline, *numbers: int) -> Mapping[str, bytes]:
    """Manifests of the ingestion bucket, by key."""
    keys = (Journal(pipeline.ingestion)._key(number) for number in numbers)
    return {key: pipeline.ingestion.get(key) for key in keys}


def copied(store: MemoryStore, bucket: Bucket, name: str) -> Bucket:
    for key in keys_of(bucket):
        store.put_object(Bucket=name, Key=key, Body=bucket.get(key))
    return store.bucket(name)


def set_back(pipeline: Pipeline, store: MemoryStore, moment: Mapping[str, bytes]) -> None:
    """Every object of the lake is what it was at a moment, and no other one is there."""
    for place in pipeline.objects().keys() - moment.keys():
        bucket, _, key = place.partition("/")
        store.delete_object(Bucket=bucket, Key=key)
    for place, body in moment.items():
        bucket, _, key = place.partition("/")
        store.put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def four(pipeline: Pipeline) -> Pipeline:
    """A pipeline that has had four batches."""
    pipeline.tick()
    for order in (1, 2, 3):
        edit(pipeline, order)
        pipeline.tick()
    return pipeline


def test_numbers_that_are_given_twice_are_told_at_once_and_nothing_is_lost(four: Pipeline, store: MemoryStore) -> None:
    lost = manifests(four, 3, 4)
    for key in lost:
        four.ingestion.delete(key)
    edit(four, 5)
    with pytest.raises(LakeCorrupted, match=r"ends with batch 3, and s3://\S+ was made of batches up to 4.*disasters"):
        four.tick()
    edit(four, 6)
    with pytest.raises(LakeCorrupted, match=r"batch-0000000004.json is another manifest than s3://\S+ was made of"):
        four.tick()
    edit(four, 7)
    with pytest.raises(LakeCorrupted, match=r"batch-0000000005.json follows another manifest than .* for batch 4"):
        four.tick()
    with pytest.raises(LakeCorrupted, match=r"batch-0000000004.json is another manifest .* nothing is swept"):
        sweep(four.ingestion, four.processed, written_before=store.now)
    # As docs/disasters.md says: those that were lost are put back, and what came behind them is taken away.
    for key, body in lost.items():
        store.put_object(Bucket=four.ingestion.name, Key=key, Body=body)
    for key in manifests(four, 5):
        four.ingestion.delete(key)
    assert four.tick().newest == 5
    assert_warehouse_mirrors(four.source, four.warehouse)


def test_a_quiet_shop_is_told_too(four: Pipeline, store: MemoryStore) -> None:
    [(key, body)] = manifests(four, 4).items()
    store.put_object(Bucket=four.ingestion.name, Key=key, Body=body + b"\n")
    with pytest.raises(LakeCorrupted, match=r"batch-0000000004.json is another manifest"):
        four.tick()
    store.put_object(Bucket=four.ingestion.name, Key=key, Body=body)
    edit(four, 5)
    assert four.tick().newest == 5


def test_a_copy_whose_ingestion_bucket_is_the_older_is_refused_until_it_is_copied_again(
    four: Pipeline, store: MemoryStore, another_database: str
) -> None:
    before = copied(store, four.ingestion, "copied-ingestion")
    edit(four, 5)
    four.tick()
    copy = dataclasses.replace(
        four,
        ingestion=before,
        processed=copied(store, four.processed, "copied-processed"),
        warehouse=another_database,
    )
    with pytest.raises(LakeCorrupted, match="ends with batch 4"):
        copy.transform()
    copied(store, four.ingestion, "copied-ingestion")
    edit(four, 6)
    assert copy.tick().newest == 6
    assert_warehouse_mirrors(copy.source, copy.warehouse)


def test_a_processed_bucket_that_is_put_back_is_made_good_by_the_next_run(four: Pipeline) -> None:
    then = set(keys_of(four.processed))
    for order in (5, 6):
        edit(four, order)
        four.tick()
    for key in set(keys_of(four.processed)) - then:
        four.processed.delete(key)
    edit(four, 7)
    assert four.tick().newest == 7
    assert_warehouse_mirrors(four.source, four.warehouse)


def test_a_lake_that_is_put_back_as_a_whole_is_told_at_once_and_its_manifests_are_asked_for(
    four: Pipeline, store: MemoryStore, another_database: str
) -> None:
    then = four.objects()
    for order in (5, 6, 7):
        edit(four, order)
        four.tick()
    late, held = four.objects(), content_of(four.warehouse)
    set_back(four, store, then)
    told = r"put back to batch 4, and the warehouse holds 7: .* of batches 5 to 7 are restored in both buckets"
    edit(four, 8)
    for run in (four.load, four.tick, partial(rebuilt, four)):
        with pytest.raises(LakeCorrupted, match=told):
            run()
    assert content_of(four.warehouse) == held
    # If batches 5 to 7 are lost for good: what is left fills an empty warehouse beside the one that still has them.
    beside = dataclasses.replace(four, warehouse=another_database)
    for order in (1, 2, 3):
        edit(four, order)
        beside.tick()
    assert_warehouse_mirrors(beside.source, beside.warehouse)
    # If not: as docs/disasters.md says, they are put back over those that came under their numbers.
    for place, body in late.items():
        name, _, key = place.partition("/")
        store.put_object(Bucket=name, Key=key, Body=body)
    with pytest.raises(
        LakeCorrupted, match=r"batch 8 .* follows another batch 7 .* delete the manifests after 7 in both"
    ):
        four.tick()
    for bucket in (four.ingestion, four.processed):
        for key in keys_of(bucket):
            if re.search(r"manifests/.*-batch-0{8}(08|09)", key):
                bucket.delete(key)
    assert four.tick().newest == 8
    assert_warehouse_mirrors(four.source, four.warehouse)


def test_a_processed_bucket_that_has_fewer_batches_than_the_warehouse_stops_no_load(four: Pipeline) -> None:
    """A lost one is filled again by several runs."""
    for key in keys_of(four.processed):
        four.processed.delete(key)
    transform(four.ingestion, four.processed, STAR_TABLES, time_is_up=after(2))
    assert StarJournal(four.processed).newest() < 4
    assert four.load().newest == 4
