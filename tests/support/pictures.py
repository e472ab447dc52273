"""Pictures of the dashboard's page, of the simulated shop: `python -m tests.support.pictures FOLDER`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from simulator import move_to_yesterday
from tests.support.databases import execute, quick_server, value
from tests.support.published import a_shop

ROOT = Path(__file__).parents[2]
ORDERS = 6_000

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
        move_to_yesterday(source)
        execute(source, _PAID)
        shop.tick()
        shop.bring_rates()
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
