"""The page in a real browser, on what the publisher wrote: each of its promises is a test of dashboard/test."""

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from local_cloud.postgres import EmbeddedPostgres
from simulator import move_to_yesterday
from tests.support.databases import execute, rows, session, value
from tests.support.page_answers import answers
from tests.support.page_schemas import page_schemas
from tests.support.published import Published, a_shop
from tests.support.snapshots import write_snapshot
from totes.rates import DayOfRates, key_of
from totes.warehouse import load_rates

ROOT = Path(__file__).parents[3]
CONTENT = ROOT.parent / "shared" / "data" / "totesys-2024-11-15"
TESTS = ROOT / "dashboard" / "test" / "page.test.mjs"
PROMISES = re.findall(r'^test\(\s*"(.+?)",', TESTS.read_text(), re.MULTILINE)

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the browser that npm brings is for Linux"
)

HOSTILE = (
    '<img src=x onerror="window.harmed=1">',
    "'); DROP TABLE fact_payment; --",
    '=HYPERLINK("http://example.com")',
    "\u202egnirtS \u05e9\u05dc\u05d5\u05dd",
    "</script><script>window.harmed=1</script>",
    "W" * 3_000,
)
CHANGED, DELETED = 95, 60
EDITED_BADLY, BACK, NEVER_HERE = 90, 61, 5000
WIDE = 2**53 + 1
"""A key that a number of a browser's does not hold."""
EXTREME = -(2**31), -1, 2**31 - 1
"""Keys that no sequence gives, and that a source may have all the same."""


def name_hostilely(source: str) -> None:
    for key, name in enumerate(HOSTILE, start=1):
        execute(source, "UPDATE counterparty SET counterparty_legal_name = %s WHERE counterparty_id = %s", [name, key])
    execute(source, "UPDATE design SET design_name = %s WHERE design_id = 1", [HOSTILE[0]])
    execute(source, "UPDATE staff SET last_name = %s WHERE staff_id = 1", [HOSTILE[0]])


def key_extremely(source: str) -> None:
    """Give each key of EXTREME to an order, and to the design, customer, person and place of a tenth of all orders."""
    copy = """
        INSERT INTO {0}
        SELECT (jsonb_populate_record({0}, jsonb_build_object('{0}_id', %s))).* FROM {0} WHERE {0}_id = 8
    """
    for tenth, key in enumerate(EXTREME):
        for table in ("design", "counterparty", "staff", "address", "sales_order"):
            execute(source, copy.format(table), [key])
        execute(
            source,
            """
                UPDATE sales_order
                SET design_id = %(key)s, counterparty_id = %(key)s, staff_id = %(key)s,
                    agreed_delivery_location_id = %(key)s
                WHERE sales_order_id %% 10 = %(tenth)s OR sales_order_id = %(key)s;
                UPDATE purchase_order
                SET counterparty_id = %(key)s, staff_id = %(key)s, agreed_delivery_location_id = %(key)s
                WHERE purchase_order_id %% 10 = %(tenth)s
            """,
            {"key": key, "tenth": tenth},
        )


def go_on(source: str) -> None:
    """What a morning brings: sales, money, credit notes, changes, a row that goes, nonsense, a new column and kind."""
    execute(source, """ALTER TYPE "PaymentTypeName" ADD VALUE 'GIFT'""")
    execute(
        source,
        """
            INSERT INTO sales_order
            SELECT 1000 + sales_order_id, now(), now(), design_id, staff_id, counterparty_id, units_sold + 7,
                unit_price, currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id
            FROM sales_order WHERE sales_order_id %% 20 = 3;
            UPDATE sales_order SET units_sold = units_sold + 1234, last_updated = now()
            WHERE sales_order_id = %(changed)s;
            UPDATE payment SET payment_amount = payment_amount + 1 WHERE paid AND payment_id %% 7 = 1;
            UPDATE payment SET paid = true, last_updated = now() WHERE NOT paid AND payment_id %% 3 = 0;
            UPDATE payment SET payment_amount = -payment_amount, last_updated = now()
            WHERE NOT paid AND payment_type_id = 1 AND payment_date < to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')
                AND currency_id = (SELECT currency_id FROM currency WHERE currency_code = 'EUR');
            INSERT INTO purchase_order
            SELECT 1000 + purchase_order_id, now(), now(), staff_id, counterparty_id, item_code, item_quantity,
                item_unit_price, currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id
            FROM purchase_order WHERE purchase_order_id < 4;
            UPDATE purchase_order SET item_quantity = item_quantity + 1 WHERE purchase_order_id = 9;
            INSERT INTO transaction (transaction_id, transaction_type, sales_order_id, last_updated)
            SELECT sales_order_id, 'SALE', sales_order_id, now() FROM sales_order WHERE sales_order_id > 1000;
            INSERT INTO payment
            SELECT sales_order_id, now(), now(), sales_order_id, counterparty_id, units_sold * unit_price, currency_id,
                1, sales_order_id = 1003, agreed_payment_date, 1, 1
            FROM sales_order WHERE sales_order_id IN (1003, 1023, 1043);
            DELETE FROM sales_order WHERE sales_order_id IN (%(deleted)s, %(back)s);
            UPDATE sales_order SET agreed_delivery_date = 'TBC', units_sold = 1, last_updated = now()
            WHERE sales_order_id = %(edited_badly)s;
            UPDATE payment SET payment_date = 'soon', last_updated = now() WHERE payment_id = 11;
            ALTER TABLE sales_order ADD COLUMN note text;
            INSERT INTO payment_type (payment_type_id, payment_type_name, last_updated) VALUES (9, 'GIFT', now());
            UPDATE payment SET payment_type_id = 9, paid = false, last_updated = now() WHERE payment_id IN (4, 5, 8);
        """,
        {"changed": CHANGED, "deleted": DELETED, "back": BACK, "edited_badly": EDITED_BADLY},
    )


def go_on_until_noon(source: str) -> None:
    """What comes until noon: changes of what is new, and rows, one of them there again, that make no sense."""
    execute(
        source,
        """
            ALTER TABLE sales_order ALTER COLUMN sales_order_id TYPE bigint;
            INSERT INTO sales_order
            SELECT key, now(), now(), design_id, staff_id, counterparty_id, units_sold, unit_price, currency_id, 'TBC',
                agreed_payment_date, agreed_delivery_location_id
            FROM sales_order, unnest(ARRAY[%s, %s, %s]) AS key WHERE sales_order_id = 1;
            UPDATE sales_order SET units_sold = units_sold + 1 WHERE sales_order_id IN (1003, 1023);
            UPDATE purchase_order SET item_quantity = item_quantity + 1 WHERE purchase_order_id = 1002;
            UPDATE payment SET payment_amount = payment_amount + 1 WHERE payment_id IN (1003, 1023, 12, 24);
        """,
        [BACK, NEVER_HERE, WIDE],
    )


def share_a_code(source: str) -> None:
    """Have two currencies of one code, which nothing keeps a source from, and half of the rows in each."""
    execute(
        source,
        """
            INSERT INTO currency (currency_id, currency_code, last_updated) VALUES (-1, 'EUR', now());
            UPDATE sales_order SET currency_id = -1 FROM currency AS euro
            WHERE sales_order.currency_id = euro.currency_id AND currency_code = 'EUR' AND sales_order_id % 2 = 0;
            UPDATE payment SET currency_id = -1 FROM currency AS euro
            WHERE payment.currency_id = euro.currency_id AND currency_code = 'EUR' AND payment_id % 2 = 0;
        """,
    )


def with_rates(shop: Published) -> None:
    """Bring a shop whose first day has no rate yet, and rates of some days: others have those of a day before."""
    move_to_yesterday(shop.pipeline.source)
    shop.pipeline.tick()
    first = value(shop.pipeline.warehouse, "SELECT min(created_date) FROM current_sales_order")
    # Divided by two, every odd cent is a half.
    for number, (dollars, euros) in {1: ("1.26607284", "2"), 3: ("1.26929248", "2.01"), 4: ("1.27", "2.0")}.items():
        day = first + timedelta(days=number)
        said = DayOfRates(day=day, base="GBP", rates={"EUR": euros, "USD": dollars})
        shop.pipeline.processed.put_new(key_of("GBP", day), said.to_json())
    with session(shop.pipeline.warehouse) as connection:
        load_rates(connection, shop.pipeline.processed, "GBP")
    write_snapshot(shop.pipeline.warehouse, shop.folder)


def as_before(data: Path) -> str:
    """Copy snapshots, as a version of totes wrote them without the columns that came later, and keys as numbers."""
    later = page_schemas().later

    def before(table: str, rows: pl.DataFrame) -> pl.DataFrame:
        known = rows.drop(later, strict=False)
        return known.cast({"key": pl.Int64}) if table == "open_quarantine" else known

    return str(published_as(data, "before", before))


def without_amounts(data: Path, rated: dict[str, Any]) -> dict[str, Any]:
    """Copy snapshots, as they would be of a shop that does not know what a sales order, or its payment, comes to."""
    order = next(each["id"] for each in rated["orders"] if each["rate_day"] is not None)

    def unknown(table: str, rows: pl.DataFrame) -> pl.DataFrame:
        amount = {"sales_order": "unit_price", "payment": "amount"}.get(table)
        if amount is None:
            return rows
        known = pl.when(pl.col("sales_order_id").ne_missing(order)).then(pl.col(amount))
        return rows.with_columns(known.alias(amount))

    return {"folder": str(published_as(data, "unknown", unknown)), "order": order}


def published_as(data: Path, name: str, change: Callable[[str, pl.DataFrame], pl.DataFrame]) -> Path:
    """Copy snapshots with other rows, under the names that these have by their digests."""
    copy = Path(shutil.copytree(data, data.parent / name))
    renamed: dict[str, str] = {}
    for file in copy.glob("files/*/*.parquet"):
        change(file.parent.name, pl.read_parquet(file)).write_parquet(file)
        part, _, sha = file.stem.rpartition("-")
        renamed[sha] = sha256(file.read_bytes()).hexdigest()[:16]
        file.rename(file.with_name(f"{part}-{renamed[sha]}.parquet"))
    for path in copy.glob("manifests/*.json"):
        manifest = json.loads(path.read_text())
        for table, content in manifest["tables"].items():
            for part, file in content["parts"].items():
                file["sha"] = renamed[file["sha"]]
                file["bytes"] = (copy / "files" / table / f"{part}-{file['sha']}.parquet").stat().st_size
        path.write_text(json.dumps(manifest))
        batch, _, digest = path.stem.rpartition("-")
        renamed[digest] = sha256(path.read_bytes()).hexdigest()[:8]
        path.rename(path.with_name(f"{batch}-{renamed[digest]}.json"))
    for path in (copy / "latest.json", *copy.glob("moments/*.json")):
        path.write_text(re.sub(r"-([0-9a-f]{8})\.json", lambda found: f"-{renamed[found[1]]}.json", path.read_text()))
    return copy


def rated_rows(shop: Published) -> dict[str, Any]:
    """Every sales order of a shop, as the row view converts it; and where its snapshots are."""
    found = rows(
        shop.pipeline.warehouse,
        """
            SELECT sales_order_id, code, day::text, (units * unit_price)::text, converted::text, rate_day::text,
                rate::text
            FROM report.sales_orders
            JOIN report.currencies USING (currency_id)
            LEFT JOIN report.exchange_rates USING (currency_id, day, rate_day)
            ORDER BY 1
        """,
    )
    names = ("id", "currency", "day", "value", "converted", "rate_day", "rate")
    return {"folder": str(shop.folder), "orders": [dict(zip(names, row, strict=True)) for row in found]}


@pytest.fixture(scope="module")
def results(postgres: EmbeddedPostgres, folder: Path) -> dict[str, str | None]:
    shop, empty, one, far = (
        a_shop(postgres, folder, name, orders) for name, orders in (("shop", 100), ("empty", 1), ("one", 1), ("far", 4))
    )
    source, warehouse = shop.pipeline.source, shop.pipeline.warehouse
    move_to_yesterday(source)
    name_hostilely(source)
    key_extremely(source)
    shop.tick()
    first = answers(warehouse, since=1, changed=CHANGED, deleted=DELETED)
    for happens in (go_on, go_on_until_noon):
        happens(source)
        shop.tick()
    second = answers(warehouse, since=first["batch"], changed=CHANGED, deleted=DELETED)
    assert all(second["since"].values()), "of each kind of change there is one"
    execute(empty.pipeline.source, "TRUNCATE sales_order, purchase_order, payment, transaction CASCADE")
    empty.tick()
    execute(one.pipeline.source, "TRUNCATE purchase_order, payment, transaction CASCADE")
    one.tick()
    execute(
        far.pipeline.source,
        """
            UPDATE sales_order SET created_at = '0024-03-05' WHERE sales_order_id = 1;
            UPDATE sales_order SET created_at = '9999-12-31', units_sold = -2147483648 WHERE sales_order_id = 2;
            UPDATE sales_order
            SET created_at = '1990-05-05', units_sold = sales_order_id - 3, unit_price = -0.01, currency_id = 1
            WHERE sales_order_id IN (3, 4);
        """,
    )
    far.tick()
    small = {"empty": str(empty.folder), "one": str(one.folder)}
    rated = a_shop(postgres, folder, "rated", 100)
    share_a_code(rated.pipeline.source)
    with_rates(rated)
    waits = "waits in quarantine since BATCH."
    again = "This row was gone from the source; it is there again, and"
    waiting = [
        (EDITED_BADLY, f"As it was entered. A later change of it {waits}"),
        (BACK, f"{again} {waits} Its versions, the oldest first:"),
        (NEVER_HERE, f"Sales order {NEVER_HERE} {waits}"),
    ]
    converted = rated_rows(rated)
    keys = {"extreme": EXTREME, "wide": str(WIDE)}
    expected = {"snapshots": [first, second], "hostile": HOSTILE, **keys, "small": small, "rated": converted}
    expected["unknown"] = without_amounts(rated.folder, converted)
    sold = answers(far.pipeline.warehouse, since=1, changed=1, deleted=1)["views"]["sales_by_day"]
    expected["far"] = {"folder": str(far.folder), "sold": sold}
    return kept(shop.folder, {**expected, "waiting": waiting, "before": as_before(shop.folder)})


@pytest.mark.parametrize("promise", PROMISES)
def test_the_page_keeps_its_promise(promise: str, results: dict[str, str | None]) -> None:
    assert results[promise] is None, results[promise]


def test_every_figure_in_one_currency_is_what_its_view_says_of_the_rows_that_it_converts(
    postgres: EmbeddedPostgres, folder: Path
) -> None:
    shop = a_shop(postgres, folder, "converted", 200)
    with_rates(shop)
    snapshot = answers(shop.pipeline.warehouse, since=1, changed=1, deleted=1, converted=True)
    found = kept(shop.folder, {"snapshots": [snapshot], "hostile": []}, only="^(every figure|figures of)")
    assert len(found) == 2
    assert not any(found.values()), found


@pytest.mark.skipif(not CONTENT.exists(), reason=f"the real shop's content is not here ({CONTENT.name})")
def test_every_figure_of_the_real_shop_is_what_its_view_says(
    postgres: EmbeddedPostgres, postgres_binaries: Path, folder: Path
) -> None:
    real = a_shop(postgres, folder, "real", None)
    subprocess.run(
        [
            *(postgres_binaries / "psql", "-qv", "ON_ERROR_STOP=1", "-o", folder / "out"),
            *(real.pipeline.source, "-f", "schema.sql", "-f", "load.sql"),
        ],
        cwd=CONTENT,
        check=True,
    )
    real.tick()
    snapshot = answers(real.pipeline.warehouse, since=1, changed=1, deleted=1)
    found = kept(real.folder, {"snapshots": [snapshot], "hostile": []}, only="^(every figure|figures of)")
    assert len(found) == 2
    assert not any(found.values()), found


def kept(data: Path, expected: dict[str, Any], only: str = ".") -> dict[str, str | None]:
    """The outcome of each promise: None where it is kept, else what was found.

    Args:
        data: the folder of snapshots.
        expected: what PostgreSQL says.
        only: a pattern of the names of the promises that are asked for.
    """
    said, report = data.parent / f"{data.name}.json", data.parent / f"{data.name}.xml"
    said.write_text(json.dumps(expected))
    subprocess.run(
        [
            ROOT / ".venv" / "bin" / "node",
            *("--test", "--test-force-exit", "--test-timeout=120000", f"--test-name-pattern={only}"),
            *("--test-reporter=junit", f"--test-reporter-destination={report}"),
            TESTS,
        ],
        env={**os.environ, "DATA": str(data), "EXPECTED": str(said)},
        check=False,
        timeout=400,
    )
    # The colours of a message are none of XML's characters, and Node writes them all the same.
    readable = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", report.read_text())
    return {
        case.attrib["name"]: "\n".join(found.text or found.attrib.get("message", "") for found in case) or None
        for case in ElementTree.fromstring(readable).iter("testcase")  # noqa: S314 - our own
    }
