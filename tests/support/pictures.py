"""Pictures of the dashboard's page, of the simulated shop: `python -m tests.support.pictures FOLDER`."""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

from tests.support.databases import execute, quick_server, session, value
from tests.support.published import Published, a_shop, up_to_yesterday
from totes.rates import DayOfRates, key_of
from totes.warehouse import load_rates

ROOT = Path(__file__).parents[2]
ORDERS = 6_000
SATURDAY = 5

# A shop whose customers pay: what is open is of the last weeks, but for a few.
_PAID = """
    UPDATE payment SET paid = payment_date::date < current_date - (CASE WHEN payment_id % 40 = 0 THEN 200
        WHEN payment_id % 9 = 0 THEN 45 WHEN payment_id % 4 = 0 THEN 9 ELSE 0 END)
"""
_MORNING = """
    INSERT INTO sales_order
    SELECT 100000 + sales_order_id, now(), now(), design_id, staff_id, counterparty_id, units_sold, unit_price,
        currency_id, (current_date + 4)::text, (current_date + 6)::text, agreed_delivery_location_id
    FROM sales_order WHERE sales_order_id > %(last)s - 14;
    UPDATE sales_order SET units_sold = units_sold + 500, unit_price = unit_price - 0.20, last_updated = now()
    WHERE sales_order_id = %(last)s;
    UPDATE payment SET paid = true, last_updated = now() WHERE NOT paid AND payment_id %% 7 = 0;
    UPDATE sales_order SET agreed_delivery_date = (agreed_delivery_date::date + 2)::text, last_updated = now()
    WHERE sales_order_id = %(last)s;
"""


def main(folder: Path) -> None:
    """Publish a simulated shop twice, and take the pictures of its page."""
    with tempfile.TemporaryDirectory(prefix="totes-") as name, quick_server() as postgres:
        shop = a_shop(postgres, Path(name), "shop", ORDERS)
        source = shop.pipeline.source
        up_to_yesterday(source)
        execute(source, _PAID)
        shop.tick()
        _bring_rates(shop)
        last = value(source, "SELECT max(sales_order_id) FROM sales_order")
        for _ in range(2):
            execute(
                source,
                _MORNING.replace("100000", "100000 + (SELECT max(sales_order_id) FROM sales_order)"),
                {"last": last},
            )
            shop.tick()
        subprocess.run(
            [ROOT / ".venv/bin/node", ROOT / "dashboard/tools/pictures.mjs", shop.folder, folder, str(last)], check=True
        )


def _bring_rates(shop: Published) -> None:
    """Bring a rate of each day but the weekends', as a bank would have them: a Saturday's orders have Friday's."""
    first = value(shop.pipeline.source, "SELECT min(created_at)::date FROM sales_order")
    days = [first + timedelta(days=number) for number in range((datetime.now(UTC).date() - first).days + 1)]
    for number, day in enumerate(days):
        if day.weekday() < SATURDAY:
            rates = {"EUR": f"{1.16 + 0.02 * sin(number / 40):.4f}", "USD": f"{1.27 + 0.03 * sin(number / 55):.4f}"}
            said = DayOfRates(day=day, base="GBP", rates=rates)
            shop.pipeline.processed.put_new(key_of("GBP", day), said.to_json())
    with session(shop.pipeline.warehouse) as warehouse:
        load_rates(warehouse, shop.pipeline.processed, "GBP")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
