"""A lake of 20,000 batches, ten weeks of busy ticks: what is asked of it costs what it costs at ten.

LAKE_BATCHES=200 makes it younger, to try the tests themselves.
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.faults.aged import Memory, age
from tests.faults.world import Ground
from tests.support.content import content_of
from tests.support.databases import execute, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import copy_of, run_alone
from totes.lake import Bucket, Journal, StarJournal
from totes.star import STAR_TABLES, replay
from totes.warehouse import load

BATCHES = int(os.environ.get("LAKE_BATCHES", "20000"))
YOUNG = 10
TAIL = min(100, BATCHES)
"""Batches that are replayed: to replay all of them is a benchmark's work."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shop:
    """A pipeline over a lake of some age, and the lake's store, which counts what it is asked."""

    pipeline: Pipeline
    store: Memory

    def copy(self, ground: Ground) -> "Shop":
        """The same shop and lake with a warehouse like its own, to be changed by one test alone."""
        return _shop(ground, self.store.copy(), self.pipeline.source, self.pipeline.warehouse)

    def requests_of(self, act: Callable[[], object]) -> dict[str, int]:
        self.store.requests.clear()
        act()
        return dict(self.store.requests)


def _database(ground: Ground, template: str) -> str:
    name = f"aged_{next(_numbers)}"
    run_alone(ground.postgres.uri("postgres"), copy_of(template, name))
    return ground.postgres.uri(name)


def _name_of(uri: str) -> str:
    return uri.rpartition("/")[2]


def _shop(ground: Ground, store: Memory, source: str, warehouse: str) -> Shop:
    ingestion, processed = (Bucket(name, store) for name in ("ingestion", "processed"))  # type: ignore[arg-type]
    return Shop(
        Pipeline(
            source=source, warehouse=_database(ground, _name_of(warehouse)), ingestion=ingestion, processed=processed
        ),
        store,
    )


def _aged(ground: Ground, batches: int) -> Shop:
    """A shop whose lake has so many batches, all of them in its warehouse."""
    shop = _shop(ground, Memory(), _database(ground, "shop"), "template1")
    shop.pipeline.capture()
    shop.pipeline.transform()
    age(shop.pipeline.ingestion, shop.pipeline.processed, batches)
    shop.pipeline.load()
    return shop


@pytest.fixture(scope="module")
def young(common_ground: Ground) -> Shop:
    return _aged(common_ground, YOUNG)


@pytest.fixture(scope="module")
def old(common_ground: Ground) -> Shop:
    return _aged(common_ground, BATCHES)


@pytest.fixture
def shop(common_ground: Ground, old: Shop) -> Shop:
    return old.copy(common_ground)


def test_a_lost_warehouse_is_filled_from_an_old_lake(old: Shop) -> None:
    assert value(old.pipeline.warehouse, "SELECT count(*) FROM etl.batch") == BATCHES + 1
    # Two payments changed with every batch.
    assert value(old.pipeline.warehouse, "SELECT count(*) FROM fact_payment WHERE batch_id > 1") == 2 * BATCHES
    assert_warehouse_mirrors(old.pipeline.source, old.pipeline.warehouse)


def test_an_idle_tick_asks_as_often_as_in_a_young_lake(young: Shop, old: Shop) -> None:
    assert old.requests_of(old.pipeline.tick) == young.requests_of(young.pipeline.tick)
    assert Journal(old.pipeline.ingestion).newest() == BATCHES + 1


def test_a_tick_with_a_change_asks_as_often_as_in_a_young_lake(common_ground: Ground, young: Shop, shop: Shop) -> None:
    both = young.copy(common_ground), shop
    asked = []
    for each in both:
        source = _database(common_ground, _name_of(each.pipeline.source))
        changed = Shop(
            Pipeline(
                source=source,
                warehouse=each.pipeline.warehouse,
                ingestion=each.pipeline.ingestion,
                processed=each.pipeline.processed,
            ),
            each.store,
        )
        changed.pipeline.tick()  # another database is read whole once
        execute(source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 1")
        asked.append(changed.requests_of(changed.pipeline.tick))
        assert_warehouse_mirrors(source, changed.pipeline.warehouse)
    assert asked[0] == asked[1]


def test_a_rebuild_leaves_what_was_there(shop: Shop, old: Shop) -> None:
    with session(shop.pipeline.warehouse) as connection:
        load(connection, shop.pipeline.processed, STAR_TABLES, rebuild=True)
    assert content_of(shop.pipeline.warehouse) == content_of(old.pipeline.warehouse)


def test_a_replay_of_the_last_batches_leaves_what_was_there(shop: Shop, old: Shop) -> None:
    replay(shop.pipeline.ingestion, shop.pipeline.processed, STAR_TABLES, first=BATCHES + 2 - TAIL)
    assert StarJournal(shop.pipeline.processed).edition == 2
    shop.pipeline.load()
    assert content_of(shop.pipeline.warehouse) == content_of(old.pipeline.warehouse)
