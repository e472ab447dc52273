import datetime as dt
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import EventCounts, Shop, build
from simulator.event_context import utc_now
from simulator.schema import TABLES
from simulator.writer import write_event
from tests.support.databases import execute, rows, session, value
from totes.errors import UserError

NOON = dt.datetime(2026, 3, 4, 12)  # noqa: DTZ001 - as the application stamps it
PATIENCE = 30
"""Seconds after which a test has failed."""


def _content(uri: str) -> dict[str, list[str]]:
    content = {}
    with session(uri) as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT line::text FROM {table} AS line ORDER BY 1")
            content[table] = [text for (text,) in cursor.fetchall()]
    return content


def _wait_for(shop: Shop, *, events: int = 0, retries: int = 0) -> None:
    waiting = threading.Event()
    for _ in range(PATIENCE * 100):
        if shop.events.total >= events and shop.events.retries >= retries:
            return
        waiting.wait(0.01)
    pytest.fail(f"the shop did not come that far: {shop.events}")


def _wait_for_none(database: str, query: str) -> None:
    """A session that its client has closed is listed until its backend has ended."""
    waiting = threading.Event()
    for _ in range(PATIENCE * 100):
        if value(database, query) == 0:
            return
        waiting.wait(0.01)
    pytest.fail(f"there are some left: {query}")


def test_a_trade_is_exactly_as_many_events_as_asked(source: str) -> None:
    assert Shop(source, seed=1).trade(75).total == 75
    assert Shop(source, seed=1).trade(0) == EventCounts()


def test_the_same_seed_does_the_same_to_the_same_shop(source: str, empty_database: str) -> None:
    build(empty_database, orders=100, seed=1)
    assert _content(source) == _content(empty_database)
    first = Shop(source, seed=9, clock=lambda: NOON).trade(150)
    second = Shop(empty_database, seed=9, clock=lambda: NOON).trade(150)
    assert first == second
    assert _content(source) == _content(empty_database)


def test_amounts_stay_right_whatever_happens(source: str) -> None:
    Shop(source, seed=2).trade(300)
    assert not rows(
        source,
        """SELECT payment_id FROM payment JOIN transaction USING (transaction_id)
        LEFT JOIN sales_order USING (sales_order_id) LEFT JOIN purchase_order USING (purchase_order_id)
        WHERE payment_amount IS DISTINCT FROM coalesce(units_sold * unit_price, item_quantity * item_unit_price)""",
    )


def test_a_shop_goes_on_where_it_stopped(source: str) -> None:
    shop = Shop(source, seed=3)
    assert shop.trade(10) != shop.trade(10)
    assert shop.events.total == 20


def test_nothing_of_an_open_transaction_is_seen(source: str) -> None:
    seen = []

    def look() -> None:
        seen.append(_content(source))

    before = _content(source)
    generator = np.random.Generator(np.random.PCG64(1))
    with session(source) as connection:
        for _ in range(5):
            write_event(connection, generator, utc_now, look)
            assert seen.pop() == before
            before = _content(source)


def test_writers_side_by_side_live_until_told_to_stop(source: str) -> None:
    shop, stop = Shop(source, seed=4), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        life = pool.submit(shop.live, 200.0, 3, stop)
        _wait_for(shop, events=30)
        connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'totes simulator'"
        assert value(source, connections) == 3
        stop.set()
        events = life.result(timeout=PATIENCE)
    assert events == shop.events
    _wait_for_none(source, connections)


def test_a_shop_lives_as_long_as_asked(source: str) -> None:
    before = value(source, "SELECT max(sales_order_id) FROM sales_order")
    events = Shop(source, seed=5).live(100.0, 2, threading.Event(), 0.5)
    assert events.total > 0
    assert value(source, "SELECT max(sales_order_id) FROM sales_order") > before


def test_a_writer_survives_a_database_that_goes_away_and_comes_back(
    postgres: EmbeddedPostgres, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    administration, name = postgres.uri("postgres"), value(source, "SELECT current_database()")
    shop, stop = Shop(source, seed=6), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        life = pool.submit(shop.live, 200.0, 2, stop)
        _wait_for(shop, events=10)
        execute(administration, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        execute(administration, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        _wait_for(shop, retries=3)
        execute(administration, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        _wait_for(shop, events=shop.events.total + 20)
        stop.set()
        events = life.result(timeout=PATIENCE)
    assert events.retries >= 3
    assert "a writer tries again in" in caplog.text
    assert "the database cannot be reached" in caplog.text


def test_a_writer_that_cannot_go_on_ends_the_shop_with_a_sentence(source: str) -> None:
    shop = Shop(source, seed=7)
    with ThreadPoolExecutor(1) as pool:
        life = pool.submit(shop.live, 100.0, 2, threading.Event())
        _wait_for(shop, events=5)
        execute(source, "ALTER TABLE payment RENAME TO payments")
        with pytest.raises(UserError, match='does not take what a shop does: relation "payment" does not exist'):
            life.result(timeout=PATIENCE)


@pytest.mark.parametrize(("rate", "writers"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_a_life_without_rate_or_writers_is_refused(source: str, rate: float, writers: int) -> None:
    with pytest.raises(UserError, match="a rate above 0 and at least one writer"):
        Shop(source, seed=1).live(rate, writers, threading.Event())


def test_a_database_that_is_no_shop_is_refused(empty_database: str) -> None:
    with pytest.raises(UserError, match="does not take what a shop does"):
        Shop(empty_database, seed=1).trade(1)


def test_a_shop_that_has_nothing_to_sell_is_refused(source: str) -> None:
    execute(source, f"TRUNCATE {', '.join(TABLES)}")
    with pytest.raises(UserError, match="the shop has nothing to sell"):
        Shop(source, seed=1).trade(1)
    with pytest.raises(UserError, match="the shop has nothing to sell"):
        Shop(source, seed=1).live(100.0, 2, threading.Event())


def test_a_database_that_does_not_answer_is_refused() -> None:
    with pytest.raises(UserError, match="the database cannot be reached"):
        Shop("postgresql://shop@localhost:1/shop", seed=1).live(1.0, 1, threading.Event())
