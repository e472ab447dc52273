"""Exchange rates reach the warehouse beside the batches, whatever their source does, and convert amounts there."""

import http.server
import json
import re
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline, keys_of
from tests.support.snapshots import folder_of
from totes.answers import quarantine
from totes.dashboard_snapshot import publish
from totes.lake import Bucket
from totes.rates import Fetched, RateSource, RatesUnavailable, fetch_rates, source
from totes.star import STAR_TABLES
from totes.star.iso_4217 import CURRENCY_NAMES
from totes.warehouse import LoadedRates, load, load_rates

FIRST = date(2024, 3, 4)
"""The first day that the site has."""


class Site:
    """A source of rates on this machine.

    Attributes:
        answers: what it says of a day, as JSON or as it is; a number is a status, and 0 hangs up.
        down: whether it answers nothing but an error.
        asked: the paths that were asked for.
    """

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, object] | bytes | int] = {}
        self.down = False
        self.asked: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                day = self.path.split("/")[1]
                found = site.answers.get(max(site.answers) if day == "latest" else day)
                if found == 0:
                    return
                status = found if isinstance(found, int) else 404 if found is None else 200
                self.send_response(503 if site.down else status)
                self.end_headers()
                self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/{{day}}/{{base}}.json"

    def says(self, day: date, **rates: object) -> None:
        """Publish a day."""
        self.answers[day.isoformat()] = {"date": day.isoformat(), "gbp": rates}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.says(FIRST, usd=1.25, eur=1.6, btc=0.00002)
    yield made
    made.close()


def fetch(pipeline: Pipeline, *sites: Site) -> Fetched:
    return fetch_rates(
        RateSource([each.url for each in sites]),
        pipeline.ingestion,
        pipeline.processed,
        base="GBP",
        since=FIRST,
        codes=CURRENCY_NAMES,
    )


def brought(pipeline: Pipeline) -> LoadedRates:
    with session(pipeline.warehouse) as connection:
        loaded = load_rates(connection, pipeline.processed, "GBP")
    assert loaded is not None
    return loaded


def held(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return rows(pipeline.warehouse, "SELECT rate_date, currency, rate FROM fact_exchange_rate ORDER BY 1, 2")


def sell_on(pipeline: Pipeline, day: date, currency: str, *, units: int = 3, price: str = "2.50") -> int:
    """Have an order made on a day, in a currency; return its key."""
    execute(
        pipeline.source,
        """
            INSERT INTO sales_order
            SELECT (SELECT max(sales_order_id) + 1 FROM sales_order), %(day)s, %(day)s, design_id, staff_id,
                counterparty_id, %(units)s, %(price)s,
                (SELECT currency_id FROM currency WHERE currency_code = %(currency)s),
                agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id
            FROM sales_order ORDER BY sales_order_id LIMIT 1
        """,
        {"day": day, "units": units, "price": Decimal(price), "currency": currency},
    )
    return int(value(pipeline.source, "SELECT max(sales_order_id) FROM sales_order"))


def converted(pipeline: Pipeline, order: int) -> tuple[object, ...]:
    [found] = rows(
        pipeline.warehouse, "SELECT converted, rate_day FROM report.sales_orders WHERE sales_order_id = %s", [order]
    )
    return found


def test_an_amount_is_converted_by_the_rate_of_its_day_or_of_the_last_day_before(
    pipeline: Pipeline, site: Site
) -> None:
    site.says(FIRST + timedelta(days=3), usd=1.5, eur=1.6)
    days = {
        name: FIRST + timedelta(days=number) for name, number in {"none": -1, "own": 0, "gap": 2, "next": 3}.items()
    }
    orders = {name: sell_on(pipeline, day, "USD") for name, day in days.items()}
    pounds = sell_on(pipeline, FIRST, "GBP")
    halves = sell_on(pipeline, FIRST, "EUR", units=1, price="2.52")
    pipeline.tick()
    assert fetch(pipeline, site) == Fetched(days=2, newest=FIRST + timedelta(days=3))
    assert brought(pipeline) == LoadedRates(days=2, up_to=FIRST + timedelta(days=3))
    assert converted(pipeline, orders["none"]) == (None, None)
    assert converted(pipeline, orders["own"]) == (Decimal("6.00"), FIRST)
    assert converted(pipeline, orders["gap"]) == (Decimal("6.00"), FIRST)
    assert converted(pipeline, orders["next"]) == (Decimal("5.00"), FIRST + timedelta(days=3))
    assert converted(pipeline, pounds) == (Decimal("7.50"), None)
    assert converted(pipeline, halves) == (Decimal("1.58"), FIRST)  # 1.575


def test_what_a_view_says_of_converted_money_is_the_sum_of_its_rows(pipeline: Pipeline, site: Site) -> None:
    site.says(FIRST, usd=1.26607284, eur=1.16768833)
    for number, currency in enumerate(("USD", "EUR", "GBP", "USD")):
        sell_on(pipeline, FIRST + timedelta(days=number), currency, units=17 + number, price="3.33")
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    every = value(pipeline.warehouse, "SELECT sum(converted) FROM report.sales_orders")
    assert every > 0
    for view in ("sales_by_day", "sales_by_design", "sales_by_staff", "sales_by_country", "sales_by_counterparty"):
        assert value(pipeline.warehouse, f"SELECT sum(converted) FROM report.{view}") == every, view
    traded = "SELECT sum(converted_revenue), sum(converted_cost) FROM report.purchases_against_sales"
    bought = value(pipeline.warehouse, "SELECT sum(converted) FROM report.purchase_orders")
    assert rows(pipeline.warehouse, traded) == [(every, bought)]
    assert value(pipeline.warehouse, "SELECT sum(converted) FROM report.purchases_by_counterparty") == bought
    due = "SELECT (SELECT sum(converted) FROM report.{}), (SELECT sum(converted) FROM report.payments WHERE NOT paid)"
    assert len({*rows(pipeline.warehouse, due.format("open_payments"))[0]}) == 1


@pytest.mark.begun
def test_a_cost_that_cannot_be_converted_is_no_cost_of_nothing(pipeline: Pipeline, site: Site) -> None:
    sell_on(pipeline, FIRST, "USD", units=2, price="2.50")
    sell_on(pipeline, FIRST, "EUR", units=2, price="2.50")
    execute(
        pipeline.source,
        """
            UPDATE purchase_order SET created_at = %s, item_quantity = 3, item_unit_price = 5,
                currency_id = (SELECT currency_id FROM currency WHERE currency_code = 'USD')
            WHERE purchase_order_id = 1
        """,
        [FIRST - timedelta(days=1)],
    )
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    said = "SELECT * FROM report.purchases_against_sales WHERE month = %s ORDER BY currency"
    month = FIRST.replace(day=1)
    assert rows(pipeline.warehouse, said, [month]) == [
        (month, "EUR", 5, 0, 5, Decimal("3.13"), 0),
        (month, "USD", 5, 15, -10, Decimal("4.00"), None),
    ]


@pytest.mark.begun
def test_a_day_comes_once_into_the_lake_and_once_into_the_warehouse(pipeline: Pipeline, site: Site) -> None:
    assert fetch(pipeline, site).days == 1
    assert brought(pipeline).days == 1
    site.asked.clear()
    assert fetch(pipeline, site) == Fetched(days=0, newest=FIRST)
    assert site.asked == ["/latest/gbp.json"]
    assert brought(pipeline) == LoadedRates(days=0, up_to=FIRST)
    assert held(pipeline) == [(FIRST, "EUR", Decimal("1.6")), (FIRST, "USD", Decimal("1.25"))]
    kept = [key for key in keys_of(pipeline.ingestion) if key.startswith("rates/")]
    assert kept == ["rates/GBP/2024-03-04.json"]
    assert json.loads(pipeline.ingestion.get(kept[0])) == site.answers["2024-03-04"]


def test_what_a_killed_call_has_kept_and_not_read_is_read_by_the_next(pipeline: Pipeline, site: Site) -> None:
    pipeline.ingestion.put_new("rates/GBP/2024-03-04.json", json.dumps(site.answers["2024-03-04"]).encode())
    assert fetch(pipeline, site).days == 0
    pipeline.tick()
    assert brought(pipeline).days == 1


@pytest.mark.begun
def test_a_source_that_is_down_fails_nothing_and_another_site_stands_in(pipeline: Pipeline, site: Site) -> None:
    down = Site()
    down.down = True
    down.says(FIRST)
    try:
        fetched = fetch(pipeline, down)
        assert (fetched.days, fetched.newest) == (0, None)
        assert "status 503" in fetched.failed
        assert brought(pipeline) == LoadedRates()
        assert fetch(pipeline, down, site) == Fetched(days=1, newest=FIRST)
    finally:
        down.close()
    assert "no site of rates answers" in fetch(pipeline, down).failed


def test_a_site_that_accepts_and_says_nothing_does_not_take_the_time_of_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watchdog = threading.Timer(5, silent.shutdown, [socket.SHUT_RDWR])  # else nothing ends the test that fails
        watchdog.start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{{day}}/{{base}}.json"
        assert RateSource([url, site.url]).newest_day("GBP") == FIRST
        assert watchdog.is_alive()
        watchdog.cancel()


def test_what_one_site_lacks_or_garbles_another_has(pipeline: Pipeline, site: Site) -> None:
    days = [FIRST + timedelta(days=number) for number in range(3)]
    site.answers[days[1].isoformat()] = b"<html>try later</html>"
    site.says(days[2], usd=1.26)
    site.answers.pop(FIRST.isoformat())
    other = Site()
    try:
        for day in days:
            other.says(day, usd=1.27)
        assert fetch(pipeline, site, other) == Fetched(days=3, newest=days[2])
    finally:
        other.close()
    pipeline.tick()
    assert brought(pipeline).days == 3
    assert held(pipeline) == [
        (days[0], "USD", Decimal("1.27")),
        (days[1], "USD", Decimal("1.27")),
        (days[2], "USD", Decimal("1.26")),
    ]


@pytest.mark.parametrize(
    ("says", "other_says"), [(503, 404), (404, 503), (0, 404), (404, 0), (503, b"<html>"), (b"<html>", 0)]
)
@pytest.mark.begun
def test_a_day_is_given_up_only_when_every_site_has_answered_that_it_has_none(
    pipeline: Pipeline, site: Site, says: int | bytes, other_says: int | bytes
) -> None:
    days = [FIRST + timedelta(days=number) for number in range(3)]
    other = Site()
    try:
        for day in days:
            site.says(day, usd=1.27)
            other.says(day, usd=1.27)
        site.answers[days[1].isoformat()], other.answers[days[1].isoformat()] = says, other_says
        fetched = fetch(pipeline, site, other)
        assert (fetched.days, fetched.newest) == (1, days[0])
        assert site.url.split("/{")[0] in fetched.failed
        assert other.url.split("/{")[0] in fetched.failed
        site.says(days[1], usd=1.28)
        assert fetch(pipeline, site, other) == Fetched(days=2, newest=days[2])
    finally:
        other.close()


@pytest.mark.parametrize(
    ("says", "other_says", "kept"),
    [(404, 404, 2), (b"<html>", b"<html>", 3), (b"<html>", 404, 3), (404, b"<html>", 3)],
)
@pytest.mark.begun
def test_a_day_that_every_site_lacks_or_garbles_keeps_no_other_back(
    pipeline: Pipeline, site: Site, says: int | bytes, other_says: int | bytes, kept: int
) -> None:
    gap, last = (FIRST + timedelta(days=number) for number in (1, 2))
    site.says(last, usd=1.27)
    other = Site()
    site.answers[gap.isoformat()], other.answers[gap.isoformat()] = says, other_says
    try:
        assert fetch(pipeline, site, other) == Fetched(days=kept, newest=last)
    finally:
        other.close()


def test_a_day_that_has_not_come_is_no_newest_day(pipeline: Pipeline, site: Site) -> None:
    site.says(date(9999, 12, 30), usd=1.27)
    assert "has not come yet" in fetch(pipeline, site).failed


def test_the_newest_day_may_be_tomorrow_which_has_begun_elsewhere_and_no_later_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "datetime", Mock(now=Mock(return_value=datetime(2024, 3, 4, 23, 59, tzinfo=UTC))))
    site.says(date(2024, 3, 5), usd=1.27)
    assert RateSource([site.url]).newest_day("GBP") == date(2024, 3, 5)
    site.says(date(2024, 3, 6), usd=1.27)
    with pytest.raises(RatesUnavailable, match="2024-03-06 is the newest day, which has not come yet"):
        RateSource([site.url]).newest_day("GBP")


def test_the_site_that_says_what_cannot_be_is_the_one_that_is_named(pipeline: Pipeline, site: Site) -> None:
    site.down = True
    other = Site()
    try:
        other.says(date(9999, 12, 30), usd=1.27)
        failed = fetch(pipeline, site, other).failed
    finally:
        other.close()
    assert failed.startswith(other.url.format(day="latest", base="gbp"))


def test_a_source_that_is_late_brings_its_days_later(pipeline: Pipeline, site: Site) -> None:
    order = sell_on(pipeline, FIRST + timedelta(days=9), "USD")
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    assert converted(pipeline, order) == (Decimal("6.00"), FIRST)
    for number in (8, 9):
        site.says(FIRST + timedelta(days=number), usd=1.5)
    fetch(pipeline, site)
    brought(pipeline)
    assert converted(pipeline, order) == (Decimal("5.00"), FIRST + timedelta(days=9))


def test_nonsense_waits_in_quarantine_where_people_look_until_the_next_day_comes(
    pipeline: Pipeline, site: Site
) -> None:
    order = sell_on(pipeline, FIRST + timedelta(days=1), "USD")
    site.says(FIRST + timedelta(days=1), usd=12.5, eur=0, jpy=-1)
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    assert converted(pipeline, order) == (Decimal("6.00"), FIRST)
    reason = "EUR is not above zero; USD is 12.5, a factor of ten from 1.25 of 2024-03-04"
    assert rows(pipeline.warehouse, "SELECT star_table, key, reason FROM report.open_quarantine") == [
        ("fact_exchange_rate", 20240305, reason)
    ]
    with session(pipeline.warehouse) as connection:
        [row] = quarantine(connection).rows
        assert (row.star_table, row.key, row.source_row) == (
            "fact_exchange_rate",
            20240305,
            {"EUR": "0", "USD": "12.5"},
        )
        assert load(connection, pipeline.processed, STAR_TABLES).quarantined == 1
    assert value(pipeline.warehouse, "SELECT quarantined FROM report.freshness") == 1
    site.says(FIRST + timedelta(days=2), usd=1.26)
    fetch(pipeline, site)
    brought(pipeline)
    assert rows(pipeline.warehouse, "SELECT * FROM report.open_quarantine") == []


def test_an_answer_that_is_none_is_kept_and_the_days_go_on(pipeline: Pipeline, site: Site) -> None:
    site.answers[(FIRST + timedelta(days=1)).isoformat()] = b"<html>"
    site.says(FIRST + timedelta(days=2), usd=1.26)
    pipeline.tick()
    assert fetch(pipeline, site).days == 3
    assert brought(pipeline).days == 3
    assert rows(pipeline.warehouse, "SELECT reason FROM etl.rate_quarantine") == [("GBP the answer is no JSON",)]


_PAGE = Path(__file__).parents[3] / "docs" / "runbook.md"


def take_back(pipeline: Pipeline) -> None:
    """Take the days of a wrong rate out of the warehouse, as the runbook says it."""
    [statements] = re.findall(r"```sql\n(BEGIN;.+?)```", _PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    execute(pipeline.warehouse, statements.replace("DAY", str(FIRST + timedelta(days=1))))


def test_a_wrong_rate_that_was_believed_is_corrected_for_good(pipeline: Pipeline, site: Site) -> None:
    """In the warehouse, on the page and in a warehouse that is filled again, without asking for any other day."""
    wrong, later = (FIRST + timedelta(days=number) for number in (1, 2))
    site.says(wrong, usd=0.2, eur=1.6)
    site.says(later, usd=2.5, eur=1.6)
    orders = [sell_on(pipeline, day, "USD") for day in (wrong, later)]
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    assert [converted(pipeline, order) for order in orders] == [(Decimal("37.50"), wrong), (Decimal("37.50"), wrong)]
    page = folder_of(MemoryStore())
    with session(pipeline.warehouse) as connection:
        before = publish(connection, page)

    key = f"rates/GBP/{wrong}.json"
    pipeline.ingestion.delete(key)
    pipeline.ingestion.put_new(key, json.dumps({"date": str(wrong), "gbp": {"usd": 1.25, "eur": 1.6}}).encode())
    pipeline.processed.delete(key)
    site.asked.clear()
    fetch(pipeline, site)
    assert site.asked == ["/latest/gbp.json"]
    take_back(pipeline)
    assert brought(pipeline).days == 2
    right = [(Decimal("6.00"), wrong), (Decimal("3.00"), later)]
    assert [converted(pipeline, order) for order in orders] == right

    # As many rates as before, and the newest day is the same, where all days were believed.
    with session(pipeline.warehouse) as connection:
        after = publish(connection, page)
        execute(pipeline.warehouse, "UPDATE fact_exchange_rate SET rate = 2.6 WHERE currency = 'USD' AND rate = 2.5")
        assert len({each and each.manifest for each in (before, after, publish(connection, page))}) == 3

    execute(pipeline.warehouse, "DROP SCHEMA public, etl, report CASCADE; CREATE SCHEMA public")
    pipeline.load()
    brought(pipeline)
    assert [converted(pipeline, order) for order in orders] == right


@pytest.mark.begun
def test_days_that_are_taken_back_while_a_load_reads_come_with_the_next(pipeline: Pipeline, site: Site) -> None:
    site.says(FIRST + timedelta(days=1), usd=0.8, eur=1.6)
    fetch(pipeline, site)
    brought(pipeline)
    site.says(FIRST + timedelta(days=2), usd=1.25, eur=1.6)
    fetch(pipeline, site)

    class Meanwhile(Bucket):
        def get(self, key: str) -> bytes:
            take_back(pipeline)
            return super().get(key)

    with session(pipeline.warehouse) as connection:
        load_rates(connection, Meanwhile(pipeline.processed.name, pipeline.processed.client), "GBP")
    brought(pipeline)
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.rate_day") == 3


def test_text_that_no_database_holds_is_escaped_and_the_days_go_on(pipeline: Pipeline, site: Site) -> None:
    site.says(FIRST + timedelta(days=1), usd="\x00", eur="\ud800")
    site.says(FIRST + timedelta(days=2), usd=1.26)
    pipeline.tick()
    assert fetch(pipeline, site).days == 3
    assert brought(pipeline) == LoadedRates(days=3, up_to=FIRST)
    assert rows(pipeline.warehouse, "SELECT currency, said, reason FROM etl.refused_rate ORDER BY 1") == [
        ("EUR", r"\ud800", "is no number"),
        ("USD", r"\x00", "is no number"),
    ]


@pytest.mark.begun
def test_a_currency_that_the_source_drops_makes_the_rates_old_and_is_named(
    pipeline: Pipeline, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Its orders are converted by its last rate for ever, whatever rates the others have."""
    caplog.set_level("INFO")
    site.says(FIRST + timedelta(days=9), usd=1.26)
    fetch(pipeline, site)
    assert brought(pipeline) == LoadedRates(days=2, up_to=FIRST)
    assert "newer exchange rates than EUR (newest: 2024-03-04)" in caplog.text
    execute(pipeline.warehouse, "UPDATE dim_currency SET is_deleted = true WHERE currency_code = 'EUR'")
    assert brought(pipeline).up_to == FIRST + timedelta(days=9), "of a currency that the shop has no more, nobody asks"


@pytest.mark.begun
def test_a_currency_that_no_source_has_makes_no_rates_old(
    pipeline: Pipeline, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    execute(pipeline.warehouse, "UPDATE dim_currency SET currency_code = 'XDR' WHERE currency_code = 'EUR'")
    fetch(pipeline, site)
    assert brought(pipeline) == LoadedRates(days=1, up_to=FIRST)
    assert "newer exchange rates than XDR (newest: none)" in caplog.text


@pytest.mark.begun
def test_a_day_that_cannot_be_read_fails_no_run(pipeline: Pipeline, site: Site) -> None:
    fetch(pipeline, site)
    pipeline.processed.put_new("rates/GBP/2024-03-05.json", b"{}")
    loaded = brought(pipeline)
    assert loaded.days == 0
    assert loaded.failed
    assert pipeline.tick().newest == 1


def test_a_lost_warehouse_gets_all_rates_again(pipeline: Pipeline, site: Site) -> None:
    site.says(FIRST + timedelta(days=1), usd=1.3, eur=0)
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    before = held(pipeline)
    execute(pipeline.warehouse, "DROP SCHEMA public, etl, report CASCADE; CREATE SCHEMA public")
    pipeline.load()
    assert brought(pipeline).days == 2
    assert held(pipeline) == before


@pytest.mark.begun
def test_a_table_of_rates_that_somebody_dropped_is_filled_again(pipeline: Pipeline, site: Site) -> None:
    fetch(pipeline, site)
    brought(pipeline)
    before = held(pipeline)
    execute(pipeline.warehouse, "DROP TABLE fact_exchange_rate CASCADE")
    pipeline.load()
    assert brought(pipeline).days == 1
    assert held(pipeline) == before
    assert value(pipeline.warehouse, "SELECT count(*) FROM report.exchange_rates") > 0


def test_somebodys_own_table_of_that_name_stops_no_batch(pipeline: Pipeline, site: Site) -> None:
    execute(pipeline.warehouse, "CREATE TABLE fact_exchange_rate (theirs text)")
    assert pipeline.tick().newest == 1
    fetch(pipeline, site)
    assert "rate_date" in brought(pipeline).failed
    assert rows(pipeline.warehouse, "SELECT * FROM fact_exchange_rate") == []


def test_a_rebuild_leaves_rates_as_they_are(pipeline: Pipeline, site: Site) -> None:
    order = sell_on(pipeline, FIRST, "USD")
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    before = held(pipeline)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert held(pipeline) == before
    assert brought(pipeline).days == 0
    assert converted(pipeline, order) == (Decimal("6.00"), FIRST)


def test_without_a_reporting_currency_nothing_is_converted(pipeline: Pipeline, site: Site) -> None:
    order, pounds = sell_on(pipeline, FIRST, "USD"), sell_on(pipeline, FIRST, "GBP")
    pipeline.tick()
    fetch(pipeline, site)
    brought(pipeline)
    reported_in = "SELECT reporting_currency FROM report.exchange_rates LIMIT 1"
    assert rows(pipeline.warehouse, reported_in) == [("GBP",)]
    with session(pipeline.warehouse) as connection:
        load_rates(connection, pipeline.processed, "USD")
        assert rows(pipeline.warehouse, reported_in) == [("USD",)]
        assert converted(pipeline, order) == (Decimal("7.50"), None), "of another currency only its own amounts"
        assert converted(pipeline, pounds) == (None, None)
        assert load_rates(connection, pipeline.processed, None) is None
    assert rows(pipeline.warehouse, reported_in) == []
    assert converted(pipeline, order) == (None, None)
    assert rows(pipeline.warehouse, "SELECT * FROM report.rates") == []


def test_before_the_first_batch_no_rates_are_loaded(pipeline: Pipeline, site: Site) -> None:
    fetch(pipeline, site)
    pipeline.load()
    assert brought(pipeline) == LoadedRates()
    pipeline.tick()
    assert brought(pipeline).days == 1


@pytest.mark.begun
def test_an_idle_load_asks_for_one_list(pipeline: Pipeline, site: Site, store: MemoryStore) -> None:
    fetch(pipeline, site)
    brought(pipeline)
    store.asked.clear()
    brought(pipeline)
    assert store.asked == ["list"]
