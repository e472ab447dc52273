"""A source in which no transaction has ended since the last batch is not read; what changes otherwise is found."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import QUICK, execute, own_session, rows, session, value
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.servers import copy_of, crash_in_place, run_alone, shop_server
from tests.support.what_was_read import await_statistics
from totes.capture import SOURCE_TABLES, pending
from totes.capture.source.snapshot import snapshot_of
from totes.errors import MassDeletion
from totes.lake import Bucket, Journal
from totes.lake.manifests import last_capture

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server with a shop to copy, in which no transaction ends but those of the tests."""
    with shop_server(folder / "server", orders=20, settings={**QUICK, "autovacuum": "off"}) as server:
        yield server


@pytest.fixture
def shop(server: EmbeddedPostgres, empty_database: str, lake: tuple[Bucket, Bucket]) -> Pipeline:
    name = f"shop_{next(_numbers)}"
    run_alone(server.uri("postgres"), copy_of("shop", name))
    return Pipeline(source=server.uri(name), warehouse=empty_database, ingestion=lake[0], processed=lake[1])


def scans(uri: str) -> dict[str, int]:
    """How often each table was read."""
    await_statistics(uri)
    return dict(rows(uri, "SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables ORDER BY relname"))


def is_quiet(shop: Pipeline) -> bool:
    """Whether no transaction of the source has ended since the last batch."""
    last = last_capture(Journal(shop.ingestion))
    assert last
    with session(shop.source) as connection, snapshot_of(connection) as snapshot:
        return snapshot.is_as_it_was(last)


def tick_until_quiet(shop: Pipeline) -> None:
    """Load the shop; on a busy machine a capture may have to end a transaction of its own after it has read."""
    shop.tick()
    while not is_quiet(shop):
        execute(shop.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 6")
        shop.tick()


def test_a_source_in_which_no_transaction_has_ended_is_not_read(shop: Pipeline) -> None:
    tick_until_quiet(shop)
    before = scans(shop.source)
    assert before["sales_order"]
    assert shop.capture().batch is None
    with own_session(shop.source, "source") as connection, snapshot_of(connection) as snapshot:
        found = pending(snapshot, shop.ingestion, SOURCE_TABLES)
    assert all(keys.changed.is_empty() and keys.deleted.is_empty() for keys in found.values())
    assert scans(shop.source) == before
    execute(shop.source, "CREATE TABLE of_others ()")
    assert shop.capture().batch is None
    assert scans(shop.source)["sales_order"] > before["sales_order"]


def test_what_was_open_at_the_last_batch_and_ends_after_it_is_read(shop: Pipeline) -> None:
    with session(shop.source) as late, late.cursor() as cursor:
        cursor.execute("DELETE FROM payment WHERE payment_id = 3")
        cursor.execute("UPDATE payment SET paid = NOT paid WHERE payment_id = 4")
        execute(shop.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 5")
        shop.tick()
        assert not is_quiet(shop)
        late.commit()
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)


def test_what_begins_after_the_last_batch_and_is_open_still_is_read_once_it_has_ended(shop: Pipeline) -> None:
    tick_until_quiet(shop)
    with session(shop.source) as late, late.cursor() as cursor:
        cursor.execute("DELETE FROM payment WHERE payment_id = 3")
        assert is_quiet(shop)
        assert shop.capture().batch is None
        late.commit()
    assert not is_quiet(shop)
    shop.tick()
    assert_warehouse_mirrors(shop.source, shop.warehouse)


def test_what_a_crash_takes_out_of_an_unlogged_table_is_found_though_no_transaction_has_ended(shop: Pipeline) -> None:
    execute(shop.source, "ALTER TABLE payment SET UNLOGGED")
    tick_until_quiet(shop)
    crash_in_place(shop.source)
    assert is_quiet(shop)
    assert value(shop.source, "SELECT count(*) FROM payment") == 0
    with pytest.raises(MassDeletion, match="payment"):
        shop.capture()
