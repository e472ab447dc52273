"""A snapshot says what the warehouse says, is whole or not there, and has nobody's personal data in it."""

import dataclasses
import io
import random
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import polars as pl
import pytest

from simulator import Shop
from tests.integration.totes.test_reports import by_role, loader  # noqa: F401 - fixtures
from tests.integration.totes.test_roles import Role
from tests.support.databases import execute, rows, session, value
from tests.support.memory_store import MemoryStore
from tests.support.pipeline import Pipeline, keys_of
from tests.support.snapshots import folder_of
from totes.dashboard_snapshot import Published, publish, say_failed
from totes.dashboard_snapshot.manifest import LATEST, Latest, Manifest, Moments, moments_key
from totes.dashboard_snapshot.tables import TABLES
from totes.names import DATA
from totes.roles import DASHBOARD
from totes.star import STAR_TABLES
from totes.verify import write_verification
from totes.warehouse import load

_ORDER = (
    "sales_order_id, created_date, sales_staff_id, counterparty_id, units_sold, unit_price, currency_id, design_id, "
)
_ORDER += "agreed_payment_date, agreed_delivery_date, agreed_delivery_location_id, batch_id"
_PURCHASE = "purchase_order_id, created_date, staff_id, counterparty_id, item_code, item_quantity, item_unit_price, "
_PURCHASE += "currency_id, agreed_payment_date, agreed_delivery_date, agreed_delivery_location_id, batch_id"
_PAYMENT = """payment_id, created_date,
    (SELECT sales_order_id FROM dim_transaction AS t WHERE t.transaction_id = f.transaction_id),
    (SELECT purchase_order_id FROM dim_transaction AS t WHERE t.transaction_id = f.transaction_id),
    counterparty_id, payment_amount, currency_id, payment_type_id, paid, payment_date, batch_id"""


# The first of the paid versions behind the last one that was not.
_PAID_SINCE = """,
    (SELECT min(batch_id) FROM fact_payment AS n WHERE n.payment_id = f.payment_id AND f.paid AND n.batch_id >
        (SELECT coalesce(max(batch_id), 0) FROM fact_payment AS u WHERE u.payment_id = f.payment_id AND NOT u.paid))"""


def _current(fact: str, key: str, columns: str, since: str = "") -> str:
    newest = f"NOT EXISTS (SELECT FROM {fact} AS n WHERE n.{key} = f.{key} AND n.batch_id > f.batch_id)"
    held = f"(SELECT count(*) FROM {fact} AS n WHERE n.{key} = f.{key})"
    first = f"(SELECT min(batch_id) FROM {fact} AS n WHERE n.{key} = f.{key})"
    more = f"{columns}, {held}, {first}{since}"
    return f"SELECT {more} FROM {fact} AS f WHERE {newest} AND NOT is_deleted ORDER BY {key}"


def _versions(fact: str, key: str, columns: str) -> str:
    history = f"(SELECT count(*) > 1 OR bool_or(is_deleted) FROM {fact} AS n WHERE n.{key} = f.{key})"
    return f"SELECT {columns}, is_deleted FROM {fact} AS f WHERE {history} ORDER BY {key}, batch_id"


EXPECTED = {
    "sales_order": _current("fact_sales_order", "sales_order_id", _ORDER),
    "sales_order_version": _versions("fact_sales_order", "sales_order_id", _ORDER),
    "purchase_order": _current("fact_purchase_order", "purchase_order_id", _PURCHASE),
    "purchase_order_version": _versions("fact_purchase_order", "purchase_order_id", _PURCHASE),
    "payment": _current("fact_payment", "payment_id", _PAYMENT, _PAID_SINCE),
    "payment_version": _versions("fact_payment", "payment_id", _PAYMENT),
    "batch": """
        SELECT batch_id, date_trunc('milliseconds', captured_at), date_trunc('milliseconds', loaded_at),
            (SELECT coalesce(sum(rows_in), 0)::bigint FROM etl.batch_table AS t WHERE t.batch_id = b.batch_id),
            (SELECT coalesce(sum(versions), 0)::bigint FROM etl.batch_table AS t WHERE t.batch_id = b.batch_id),
            (SELECT coalesce(sum(deleted), 0)::bigint FROM etl.batch_table AS t WHERE t.batch_id = b.batch_id),
            (SELECT coalesce(sum(quarantined), 0)::bigint FROM etl.batch_table AS t WHERE t.batch_id = b.batch_id)
        FROM etl.batch AS b ORDER BY 1""",
    "counterparty": """
        SELECT counterparty_id, counterparty_legal_name, counterparty_legal_city, counterparty_legal_country
        FROM dim_counterparty ORDER BY 1""",
    "staff": "SELECT staff_id, concat(first_name, ' ', last_name), department_name, location FROM dim_staff ORDER BY 1",
    "design": "SELECT design_id, design_name FROM dim_design ORDER BY 1",
    "location": "SELECT location_id, city, country FROM dim_location ORDER BY 1",
    "currency": "SELECT currency_id, currency_code, currency_name FROM dim_currency ORDER BY 1",
    "payment_type": "SELECT payment_type_id, payment_type_name FROM dim_payment_type ORDER BY 1",
    "exchange_rate": """
        SELECT currency_id, rate_date, rate::text
        FROM fact_exchange_rate JOIN dim_currency ON currency_code = currency ORDER BY 1, 2""",
    "open_quarantine": """
        SELECT star_table, key::text, 'payment_date is …, not a date (yyyy-mm-dd) of the years 0001 to 9999', batch_id,
            EXISTS (SELECT FROM current_payment WHERE payment_id = key)
        FROM etl.quarantine WHERE resolved_by IS NULL ORDER BY star_table, etl.quarantine.key""",
    "drift": "SELECT batch_id, what FROM etl.drift ORDER BY 1, 2",
    "verification": """
        SELECT date_trunc('milliseconds', at), batch_id, equal, differences FROM etl.verification ORDER BY 1""",
}


class Reader:
    """Who reads snapshots as the page does: from the document that commits them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def body(self, key: str) -> bytes:
        found: bytes = self._store.get_object(Bucket="dashboard", Key=DATA + key)["Body"].read()
        return found

    @property
    def latest(self) -> Latest:
        found = Latest.from_body(self.body(LATEST))
        assert found is not None
        return found

    def manifest(self, key: str | None = None) -> Manifest:
        found = Manifest.from_body(self.body(key or self.latest.manifest))
        assert found is not None
        return found

    def frames(self, manifest: Manifest) -> dict[str, list[tuple[str, pl.DataFrame]]]:
        """Every table's parts and rows; each file is the one that the manifest names."""
        return {
            table: [
                (part, pl.read_parquet(io.BytesIO(self.body(file.key(table, part)))))
                for part, file in sorted(parts.items())
            ]
            for table, parts in manifest.tables.items()
        }

    def rows(self, manifest: Manifest) -> dict[str, list[tuple[Any, ...]]]:
        """Every table's rows, in the order of its key."""
        found = {}
        for table in TABLES:
            frames = [frame for _, frame in self.frames(manifest)[table.name]]
            both = pl.concat(frames).sort(table.key) if frames else pl.DataFrame()
            found[table.name] = both.rows()
        return found


def as_published(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of the warehouse as the snapshot has it: amounts in hundredths."""
    return tuple(int(each * 100) if isinstance(each, Decimal) else each for each in row)


def expected(uri: str) -> dict[str, list[tuple[Any, ...]]]:
    return {table: [as_published(row) for row in rows(uri, query)] for table, query in EXPECTED.items()}


def published(warehouse: str, store: MemoryStore, checked_at: datetime | None = None) -> Published:
    with session(warehouse) as connection:
        found = publish(connection, folder_of(store), checked_at=checked_at)
    assert found is not None
    return found


def assert_is_the_warehouse(pipeline: Pipeline, store: MemoryStore) -> None:
    reader = Reader(store)
    assert reader.rows(reader.manifest()) == expected(pipeline.warehouse)


CHANGES = (
    "UPDATE payment SET paid = NOT paid WHERE payment_id %% 9 = {n}",
    "UPDATE sales_order SET unit_price = unit_price + 0.07 WHERE sales_order_id %% 8 = {n}",
    "UPDATE sales_order SET created_at = created_at - interval '70 days' WHERE sales_order_id %% 11 = {n}",
    "UPDATE purchase_order SET created_at = created_at + interval '40 days' WHERE purchase_order_id %% 9 = {n}",
    "UPDATE purchase_order SET item_code = '' WHERE purchase_order_id %% 13 = {n}",
    "UPDATE transaction SET sales_order_id = NULL WHERE transaction_id %% 12 = {n}",
    "DELETE FROM payment WHERE payment_id %% 17 = {n}",
    "UPDATE payment SET payment_date = 'call 01632 960 001' WHERE payment_id = {n} + 1",
    "UPDATE payment SET payment_date = '2025-01-0{n}' WHERE payment_date LIKE 'call%%' AND {n} > 0",
    "UPDATE staff SET last_name = 'O''Hara, \"{n}\"' WHERE staff_id = {n} + 1",
)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.begun
def test_what_is_published_bit_by_bit_is_what_is_published_whole(pipeline: Pipeline, seed: int) -> None:
    chosen, store = random.Random(seed), MemoryStore()  # noqa: S311 - no secret is made of it
    pipeline.tick()
    published(pipeline.warehouse, store)
    for _ in range(3):
        for change in chosen.sample(CHANGES, 5):
            execute(pipeline.source, change.format(n=chosen.randrange(8)).replace("%%", "%"))
        Shop(pipeline.source, seed=chosen.randrange(99)).trade(4)
        pipeline.tick()
        published(pipeline.warehouse, store)
        assert_is_the_warehouse(pipeline, store)
        whole = MemoryStore()
        published(pipeline.warehouse, whole)
        assert Reader(store).manifest().tables == Reader(whole).manifest().tables


@pytest.mark.begun
def test_a_file_has_its_month_sorted_by_key_in_the_types_of_the_contract(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE sales_order SET unit_price = unit_price + 1 WHERE sales_order_id < 9")
    pipeline.tick()
    store = MemoryStore()
    published(pipeline.warehouse, store)
    reader = Reader(store)
    manifest = reader.manifest()
    frames = reader.frames(manifest)
    for table in TABLES:
        for part, frame in frames[table.name]:
            assert frame.equals(frame.sort(table.key)), table.name
            assert dict(frame.schema) == {name: encoding.written for name, encoding in table.columns.items()}
            file = manifest.tables[table.name][part]
            assert (file.rows, file.bytes) == (frame.height, len(reader.body(file.key(table.name, part))))
            if table.parted_by:
                assert {f"{day:%Y-%m}" for day in frame[table.parted_by]} == {part}
    assert manifest.as_of_day == datetime.now(UTC).date()
    assert [part for part, _ in frames["staff"]] == ["all"]


@pytest.mark.begun
def test_the_second_publication_writes_the_months_that_have_changed_and_the_third_only_that_it_looked(
    pipeline: Pipeline,
) -> None:
    execute(pipeline.source, "UPDATE sales_order SET created_at = '2024-02-01' WHERE sales_order_id = 5")
    pipeline.tick()
    store = MemoryStore()
    first = published(pipeline.warehouse, store)
    before = set(store.keys)
    execute(pipeline.source, "UPDATE sales_order SET unit_price = unit_price + 1 WHERE sales_order_id = 5")
    pipeline.tick()
    second = published(pipeline.warehouse, store)
    written = sorted(re.sub(r"-[0-9a-f]{8,16}\.", ".", key) for key in set(store.keys) - before)
    assert written == [
        f"data/files/batch/{datetime.now(UTC):%Y-%m}.parquet",
        "data/files/sales_order/2024-02.parquet",
        "data/files/sales_order_version/2024-02.parquet",
        "data/manifests/000000000003.json",
    ]
    assert second.files == 3
    assert second.manifest != first.manifest
    latest, puts = Reader(store).latest, store.calls["put"]
    third = published(pipeline.warehouse, store, latest.status.checked_at + timedelta(minutes=5))
    assert (third.files, third.batch, third.manifest) == (0, 3, second.manifest)
    assert store.calls["put"] == puts + 1
    now = Reader(store).latest
    assert now.status.checked_at == latest.status.checked_at + timedelta(minutes=5)
    assert dataclasses.replace(now, status=latest.status) == latest
    assert store.headers["data/latest.json"]["CacheControl"] == "no-cache"
    assert store.headers[f"data/{second.manifest}"]["CacheControl"] == "private, max-age=31536000, immutable"


def test_every_moment_of_a_day_can_be_read_again(pipeline: Pipeline) -> None:
    store, said = MemoryStore(), []
    for _ in range(3):
        pipeline.tick()
        published(pipeline.warehouse, store)
        said.append(expected(pipeline.warehouse))
        execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id % 7 = 0")
    reader = Reader(store)
    [day] = reader.latest.days
    moments = Moments.from_body(reader.body(moments_key(day)))
    assert sorted(moments.of) == [1, 2, 3]
    assert [reader.rows(reader.manifest(key)) for _, (_, key) in sorted(moments.of.items())] == said


class Stops(Exception):
    """A publisher is killed."""


class Fragile(MemoryStore):
    """A store whose publisher is killed before one of its puts."""

    puts_left = 1_000

    def put_object(self, **arguments: Any) -> None:
        if self.puts_left == 0:
            raise Stops
        self.puts_left -= 1
        super().put_object(**arguments)


@pytest.mark.begun
def test_a_publisher_that_is_killed_before_any_put_leaves_the_snapshot_of_before_and_the_next_run_heals(
    pipeline: Pipeline,
) -> None:
    store = Fragile()
    pipeline.tick()
    published(pipeline.warehouse, store)
    before = expected(pipeline.warehouse)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id % 5 = 0")
    pipeline.tick()
    puts = 0
    while True:
        store.puts_left = puts
        try:
            published(pipeline.warehouse, store)
        except Stops:
            reader = Reader(store)
            assert reader.latest.batch == 1
            assert reader.rows(reader.manifest()) == before
            puts += 1
        else:
            break
    assert puts >= len(["payment_version", "batch", "manifest", "moments", "latest"])
    assert_is_the_warehouse(pipeline, store)


class Overtaken(MemoryStore):
    """A store in which somebody else publishes just before the latest is written."""

    pipeline: Pipeline | None = None

    def put_object(self, **arguments: Any) -> None:
        if self.pipeline is not None and arguments["Key"].endswith(LATEST):
            pipeline, self.pipeline = self.pipeline, None
            execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 7")
            pipeline.tick()
            published(pipeline.warehouse, self)
        super().put_object(**arguments)


@pytest.mark.begun
def test_of_two_publishers_the_newer_batch_stays_the_latest(pipeline: Pipeline) -> None:
    store = Overtaken()
    pipeline.tick()
    published(pipeline.warehouse, store)
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    pipeline.tick()
    store.pipeline = pipeline
    assert published(pipeline.warehouse, store).batch == 3
    assert_is_the_warehouse(pipeline, store)
    moments = Moments.from_body(Reader(store).body(moments_key(Reader(store).latest.days[0])))
    assert sorted(moments.of) == [1, 2, 3]


@pytest.mark.begun
def test_a_warehouse_that_is_behind_its_snapshot_is_waited_for(pipeline: Pipeline) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    pipeline.tick()
    store = MemoryStore()
    published(pipeline.warehouse, store)
    before = Reader(store).body(LATEST)
    execute(pipeline.warehouse, "DELETE FROM etl.batch WHERE batch_id = 2")  # as one that an older backup is of
    assert (published(pipeline.warehouse, store).batch, Reader(store).body(LATEST)) == (2, before)


def put_back(pipeline: Pipeline, *, to: int) -> None:
    """Put the warehouse, whose newest batches changed orders alone, back to an older batch, and its lake with it."""
    for table in ("fact_sales_order", "etl.batch_table", "etl.batch"):
        execute(pipeline.warehouse, f"DELETE FROM {table} WHERE batch_id > {to}")
    for bucket in (pipeline.ingestion, pipeline.processed):
        for key in keys_of(bucket):
            if (manifest := re.search(r"-batch-(\d+)\.json", key)) and int(manifest[1]) > to:
                bucket.delete(key)


def edit(pipeline: Pipeline, order: int) -> None:
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold + 7 WHERE sales_order_id = %s", [order])
    pipeline.tick()


@pytest.mark.begun
@pytest.mark.parametrize("published_meanwhile", [0, 1, 2, 3])
def test_other_batches_of_the_same_numbers_are_read_whole(pipeline: Pipeline, published_meanwhile: int) -> None:
    store = MemoryStore()
    for order in (1, 2, 3):
        edit(pipeline, order)
    published(pipeline.warehouse, store)
    put_back(pipeline, to=2)
    execute(pipeline.source, "UPDATE sales_order SET units_sold = units_sold - 7 WHERE sales_order_id = 3")
    for number, order in enumerate((10, 11, 12), start=1):
        edit(pipeline, order)
        if number <= published_meanwhile:
            published(pipeline.warehouse, store, datetime.now(UTC))
            assert_is_the_warehouse(pipeline, store)
    published(pipeline.warehouse, store, datetime.now(UTC))
    assert_is_the_warehouse(pipeline, store)


@pytest.mark.begun
def test_a_warehouse_that_is_behind_with_its_lake_is_published_as_it_is(pipeline: Pipeline) -> None:
    store = MemoryStore()
    edit(pipeline, 1)
    edit(pipeline, 2)
    published(pipeline.warehouse, store)
    put_back(pipeline, to=2)
    assert published(pipeline.warehouse, store).batch == 3, "nobody has said that the lake has no more"
    found = published(pipeline.warehouse, store, datetime.now(UTC))
    assert found.batch == 2
    assert_is_the_warehouse(pipeline, store)


@pytest.mark.begun
def test_files_that_are_lost_are_written_again_the_next_day(pipeline: Pipeline) -> None:
    store = MemoryStore()
    edit(pipeline, 1)
    published(pipeline.warehouse, store)
    for key in [key for key in store.keys if re.match(f"{DATA}files/(payment|staff)/", key)]:
        store.delete_object(Bucket="dashboard", Key=key)
    edit(pipeline, 2)
    store.delete_object(Bucket="dashboard", Key=DATA + moments_key(Reader(store).latest.days[0]))  # it is tomorrow
    published(pipeline.warehouse, store)
    assert_is_the_warehouse(pipeline, store)


@pytest.mark.begun
def test_where_the_latest_is_lost_the_days_that_are_left_stay_known(pipeline: Pipeline) -> None:
    store = MemoryStore()
    edit(pipeline, 1)
    published(pipeline.warehouse, store)
    [today] = Reader(store).latest.days
    moments = store.get_object(Bucket="dashboard", Key=DATA + moments_key(today))["Body"].read()
    store.put_object(Bucket="dashboard", Key=DATA + moments_key("2024-11-15"), Body=moments)
    store.delete_object(Bucket="dashboard", Key=DATA + LATEST)
    published(pipeline.warehouse, store)
    assert Reader(store).latest.days == ("2024-11-15", today)


@pytest.mark.begun
def test_a_clock_that_was_ahead_once_does_not_make_the_page_fresh_until_then(pipeline: Pipeline) -> None:
    store = MemoryStore()
    published(pipeline.warehouse, store, datetime.now(UTC) + timedelta(days=1))
    published(pipeline.warehouse, store, now := datetime.now(UTC))
    assert now <= Reader(store).latest.status.checked_at <= datetime.now(UTC)


@pytest.mark.begun
def test_what_was_checked_of_a_warehouse_that_is_lost_is_not_said_of_one_with_fewer_batches(
    pipeline: Pipeline,
) -> None:
    store = MemoryStore()
    edit(pipeline, 1)
    published(pipeline.warehouse, store, datetime.now(UTC))
    put_back(pipeline, to=1)
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    assert published(pipeline.warehouse, store).batch == 1
    latest = Reader(store).latest
    assert latest.status.checked_at == latest.captured_at


@pytest.mark.begun
def test_another_totes_publishes_each_month_again_though_no_batch_has_changed_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    first = published(pipeline.warehouse, store)
    execute(pipeline.warehouse, "UPDATE fact_payment SET paid = NOT paid")  # as another view would say of all
    assert published(pipeline.warehouse, store).files == 0
    monkeypatch.setattr(import_module("totes.dashboard_snapshot.publish"), "made_by", lambda: "another totes")
    assert published(pipeline.warehouse, store).manifest != first.manifest
    assert_is_the_warehouse(pipeline, store)


@pytest.mark.begun
def test_a_rebuilt_warehouse_is_published_whole_and_what_says_the_same_is_not_written_again(
    pipeline: Pipeline,
) -> None:
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid WHERE payment_id = 3")
    pipeline.tick()
    store = MemoryStore()
    first = published(pipeline.warehouse, store, datetime.now(UTC))
    seen = Reader(store).latest.status.checked_at
    with session(pipeline.warehouse) as connection:
        load(connection, pipeline.processed, STAR_TABLES, rebuild=True)
    execute(pipeline.warehouse, "UPDATE fact_payment SET paid = NOT paid WHERE payment_id = 40")
    second = published(pipeline.warehouse, store)
    assert second.batch == first.batch
    assert second.manifest != first.manifest
    assert second.files == 1, "the payments that say something else"
    assert Reader(store).latest.status.checked_at == seen, "what was checked is not taken back"
    assert_is_the_warehouse(pipeline, store)


def test_an_empty_warehouse_publishes_nothing(pipeline: Pipeline) -> None:
    pipeline.load()
    store = MemoryStore()
    with session(pipeline.warehouse) as connection:
        assert publish(connection, folder_of(store)) is None
    assert store.keys == []
    assert not say_failed(folder_of(store), "Capture", datetime.now(UTC))


@pytest.mark.begun
def test_a_failed_run_is_said_without_the_warehouse_and_unsaid_by_the_next_that_goes_well(pipeline: Pipeline) -> None:
    store, at = MemoryStore(), datetime(2026, 11, 26, 12, tzinfo=UTC)
    published(pipeline.warehouse, store)
    before = Reader(store).latest
    assert say_failed(folder_of(store), "Capture", at)
    said = Reader(store).latest
    assert said.status.failed is not None
    assert (said.status.failed.step, said.status.failed.at) == ("Capture", at)
    assert dataclasses.replace(said, status=before.status) == before
    published(pipeline.warehouse, store)
    assert Reader(store).latest.status.failed is None


@pytest.mark.begun
def test_what_the_last_comparison_with_the_source_found_is_said_at_once(pipeline: Pipeline) -> None:
    store = MemoryStore()
    manifest = published(pipeline.warehouse, store).manifest
    assert Reader(store).latest.status.verified is None
    for differences in (0, 3):
        with session(pipeline.warehouse) as connection:
            write_verification(connection, batch=1, differences=differences)
    assert published(pipeline.warehouse, store).manifest == manifest
    verified = Reader(store).latest.status.verified
    assert verified is not None
    assert (verified.batch, verified.equal, verified.differences) == (1, False, 3)
    assert verified.at == value(pipeline.warehouse, "SELECT max(at) FROM etl.verification")


@pytest.fixture
def personal(pipeline: Pipeline) -> set[str]:
    """What the shop knows of people, and where they live."""
    execute(pipeline.source, "UPDATE payment SET payment_date = 'ask ann@home.example' WHERE payment_id = 5")
    found = rows(
        pipeline.source,
        """
            SELECT email_address FROM staff UNION SELECT phone FROM address UNION SELECT address_line_1 FROM address
            UNION SELECT postal_code FROM address UNION SELECT address_line_2 FROM address
            UNION SELECT district FROM address UNION SELECT commercial_contact FROM counterparty
            UNION SELECT delivery_contact FROM counterparty
            UNION SELECT company_ac_number::text FROM payment UNION SELECT counterparty_ac_number::text FROM payment
        """,
    )
    return {"ann@home.example", *(each for (each,) in found if each)}


def test_of_people_no_more_than_names_is_in_any_file_and_the_dashboards_login_suffices(
    pipeline: Pipeline,
    by_role: Pipeline,  # noqa: F811 - a fixture
    personal: set[str],
) -> None:
    by_role.tick()
    execute(pipeline.source, "UPDATE payment SET paid = NOT paid, company_ac_number = 12345678 WHERE payment_id < 9")
    by_role.tick()
    store = MemoryStore()
    published(Role(DASHBOARD, "c-password").uri(pipeline.warehouse), store)
    assert_is_the_warehouse(pipeline, store)
    reader = Reader(store)
    texts = {
        str(each)
        for frames in reader.frames(reader.manifest()).values()
        for _, frame in frames
        for column in frame.iter_columns()
        if column.dtype == pl.String
        for each in column
        if each
    }
    documents = b"".join(reader.body(key.removeprefix(DATA)) for key in store.keys if key.endswith(".json")).decode()
    places = {city for (city,) in rows(pipeline.source, "SELECT city FROM address UNION SELECT country FROM address")}
    names = {name for (name,) in rows(pipeline.source, "SELECT counterparty_legal_name FROM counterparty")}
    assert len(personal) > 100
    for each in personal - places - names:
        assert not [text for text in texts if each in text.split() or each == text], each
        assert f'"{each}"' not in documents
