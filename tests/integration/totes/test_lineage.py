"""One of the two buckets is put back alone, by a person, a lifecycle rule or a copy: nothing is lost without a word."""

import dataclasses
from collections.abc import Mapping

import pytest

from tests.support.databases import execute
from tests.support.memory_store import MemoryStore
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline, keys_of
from totes.errors import LakeCorrupted
from totes.lake import Bucket, Journal, sweep


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
