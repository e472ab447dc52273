"""A standby can be the source: one that is named, and none that goes back behind what was captured."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import build
from tests.support.databases import execute, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import catch_up, run_alone, standby_of
from totes.errors import ConfigurationError, SourceUnavailable
from totes.lake import Bucket, CaptureManifest, Journal


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "primary")
    server.start()
    server.create_database("shop")
    build(server.uri("shop"), orders=60, seed=1)
    yield server
    server.stop()


@pytest.fixture
def shop(primary: EmbeddedPostgres, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    return Pipeline(source=primary.uri("shop"), warehouse=empty_database, ingestion=lake[0], processed=lake[1])


def edit(primary: EmbeddedPostgres, units: int) -> None:
    execute(primary.uri("shop"), "UPDATE sales_order SET units_sold = %s WHERE sales_order_id = 9", [units])


def test_of_two_standbys_behind_one_name_none_goes_back_and_no_batch_alternates(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "first") as first, standby_of(primary, folder / "second") as second:
        one, two = (dataclasses.replace(shop, source=server.uri("shop")) for server in (first, second))
        for units in (11, 12):
            edit(primary, units)
            catch_up(first, primary)
            one.tick()
            assert_warehouse_mirrors(one.source, one.warehouse)
        assert one.capture().batch is None
        catch_up(second, primary)
        run_alone(second.uri("postgres"), "SELECT pg_wal_replay_pause()")
        edit(primary, 13)
        catch_up(first, primary)
        one.tick()
        with pytest.raises(
            SourceUnavailable, match=r"a standby that has replayed up to .* wait until it has caught up"
        ):
            two.capture()
        assert one.capture().batch is None
        run_alone(second.uri("postgres"), "SELECT pg_wal_replay_resume()")
        catch_up(second, primary)
        assert two.capture().batch == 4, "it may be the same name's new server"
        with pytest.raises(ConfigurationError, match=r"several servers answer to the name 127\.0\.0\.1"):
            one.capture()
        named = dataclasses.replace(one, source=one.source.replace("127.0.0.1", "localhost"))
        assert named.capture().batch == 5
        assert named.capture().batch is None
        named.transform()
        named.load()
        assert value(shop.warehouse, "SELECT count(*) FROM fact_sales_order WHERE sales_order_id = 9") == 3


def test_a_standby_that_is_promoted_is_seen_at_once_and_nothing_is_lost(
    primary: EmbeddedPostgres, shop: Pipeline, folder: Path
) -> None:
    with standby_of(primary, folder / "promoted") as standby:
        catch_up(standby, primary)
        replica = dataclasses.replace(shop, source=standby.uri("shop"))
        replica.tick()
        assert CaptureManifest.from_json(Journal(shop.ingestion).read(1)).source.in_recovery
        run_alone(standby.uri("postgres"), "SELECT pg_promote(true)")
        execute(replica.source, "UPDATE sales_order SET units_sold = 88 WHERE sales_order_id = 10")
        assert replica.tick().tables["fact_sales_order"].versions == 1
        assert not CaptureManifest.from_json(Journal(shop.ingestion).read(2)).source.in_recovery
        assert_warehouse_mirrors(replica.source, replica.warehouse)
