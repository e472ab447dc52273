"""totes rebuild and totes replay, as a person types them."""

import pytest

from tests.end_to_end.conftest import Deployed
from tests.support.content import content_of
from tests.support.databases import execute
from workbench.simulator import build


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Deployed:
    build(deployed.cloud.source_uri, orders=30, seed=3)
    deployed.run()
    execute(deployed.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
    deployed.run()
    return deployed


def test_a_lost_warehouse_is_made_anew_without_the_source(shop: Deployed) -> None:
    lost = content_of(shop.cloud.warehouse_uri)
    execute(
        shop.cloud.warehouse_uri,
        "DROP SCHEMA public CASCADE; DROP SCHEMA etl CASCADE; CREATE SCHEMA public",
    )
    answer = shop.totes("rebuild")
    assert answer.code == 0, answer.err
    assert "the warehouse was made anew of 2 batches" in answer.out
    assert content_of(shop.cloud.warehouse_uri) == lost
    assert shop.run()["batch"] is None


def test_batches_are_replayed(shop: Deployed) -> None:
    before = content_of(shop.cloud.warehouse_uri)
    assert shop.totes("replay", "--from", "2", "--json").json() == {"batches": 2, "newest": 2}
    assert content_of(shop.cloud.warehouse_uri) == before
    assert shop.run()["batch"] is None
    execute(shop.cloud.source_uri, "UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
    assert shop.run()["batch"] == 3


@pytest.mark.parametrize("batch", ["0", "99"])
def test_a_batch_that_is_not_there_is_named_in_one_sentence(shop: Deployed, batch: str) -> None:
    answer = shop.totes("replay", "--from", batch)
    assert answer.code == 1
    assert f"the lake has no batch {batch}; it has 1 to" in answer.err
    assert "Traceback" not in answer.err
