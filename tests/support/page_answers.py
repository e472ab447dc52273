"""What PostgreSQL says of a warehouse, as the page's tests compare it: money in minor units, days as ISO has them."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from tests.support.databases import session
from totes.report import QUESTIONS

_MONEY = {"revenue", "cost", "difference", "amount", "average_order", "median"}

_MORE = {
    "orders": """
        SELECT sales_order_id AS id, created_date AS day, currency_code AS currency, department_name AS department,
            counterparty_id, counterparty_legal_name AS counterparty, design_id, units_sold AS units,
            units_sold * unit_price AS revenue
        FROM current_sales_order
        JOIN dim_currency USING (currency_id)
        JOIN dim_counterparty USING (counterparty_id)
        JOIN dim_staff ON staff_id = sales_staff_id
        ORDER BY 1
    """,
    "purchases": "SELECT purchase_order_id AS id, created_date AS day FROM current_purchase_order ORDER BY 1",
    "overdue": """
        SELECT currency, CASE WHEN kind IN ('SALES_RECEIPT', 'PURCHASE_REFUND') THEN 'in' ELSE 'out' END AS direction,
            sum(amount) AS amount, count(*) AS payments
        FROM report.open_payments
        WHERE payment_date < (SELECT as_of_day FROM report.freshness)
        GROUP BY 1, 2
    """,
    "neither_in_nor_out": """
        SELECT payment_id FROM report.open_payments
        WHERE kind NOT IN ('SALES_RECEIPT', 'PURCHASE_REFUND', 'PURCHASE_PAYMENT', 'SALES_REFUND')
    """,
    "waiting": "SELECT star_table, key, batch, stale FROM report.open_quarantine ORDER BY 1, 2",
    # The median of the eight same weekdays before yesterday, as far as the shop was open on them.
    "usual": """
        WITH wanted AS (
            SELECT currency_code AS currency, week, as_of_day - 1 - 7 * week AS day
            FROM dim_currency, report.freshness, generate_series(0, 8) AS week
        ), sold AS (
            SELECT wanted.*, coalesce(revenue, 0) AS revenue
            FROM wanted LEFT JOIN report.sales_by_day USING (currency, day)
            WHERE week = 0 OR day >= (
                SELECT min(created_date)
                FROM (
                    SELECT created_date FROM public.current_sales_order
                    UNION ALL SELECT created_date FROM public.current_purchase_order
                ) AS made
            )
        )
        SELECT currency, max(revenue) FILTER (WHERE week = 0) AS revenue,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY revenue::float8) FILTER (WHERE week > 0) AS median
        FROM sold GROUP BY currency
    """,
    "payment_times": """
        SELECT currency_code AS currency,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY payment_date - current_sales_order.created_date)
                FILTER (WHERE paid) AS median_days,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY payment_date - current_sales_order.created_date)
                FILTER (WHERE paid) AS ninety_percent_days
        FROM current_payment
        JOIN dim_payment_type USING (payment_type_id)
        JOIN dim_transaction USING (transaction_id)
        JOIN current_sales_order USING (sales_order_id)
        JOIN dim_currency ON dim_currency.currency_id = current_payment.currency_id
        WHERE payment_type_name = 'SALES_RECEIPT' AND current_sales_order.currency_id = current_payment.currency_id
        GROUP BY 1
    """,
}
# report.agreed_lead_times, for each currency: the page never looks at two currencies at once.
_LEAD_TIMES = """
    SELECT date_trunc('month', created_date)::date AS month, country, currency_code AS currency,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY agreed_delivery_date - created_date) AS median_days,
        percentile_disc(0.9) WITHIN GROUP (ORDER BY agreed_delivery_date - created_date) AS ninety_percent_days
    FROM current_sales_order
    JOIN dim_location ON location_id = agreed_delivery_location_id
    JOIN dim_currency USING (currency_id)
    GROUP BY 1, 2, 3
"""
# In the place of what the queries read: a shop with one currency, whose code is all as in the page's address, and
# without what is worth nothing in it.
_CONVERTED = """
    CREATE TEMP VIEW dim_currency AS SELECT 1 AS currency_id, 'all'::text AS currency_code;
    CREATE TEMP VIEW current_sales_order AS
        SELECT sales_order_id, held.created_date, sales_staff_id, held.counterparty_id, units_sold, held.unit_price,
            converted AS worth, 1 AS currency_id, held.design_id, agreed_delivery_date, agreed_delivery_location_id
        FROM public.current_sales_order AS held JOIN report.sales_orders USING (sales_order_id)
        WHERE converted IS NOT NULL;
    CREATE TEMP VIEW current_purchase_order AS
        SELECT purchase_order_id, held.created_date, held.counterparty_id, item_quantity, item_unit_price,
            converted AS worth, 1 AS currency_id
        FROM public.current_purchase_order AS held JOIN report.purchase_orders USING (purchase_order_id)
        WHERE converted IS NOT NULL;
    CREATE TEMP VIEW current_payment AS
        SELECT payment_id, held.created_date, transaction_id, held.counterparty_id, converted AS payment_amount,
            held.batch_id,
            1 AS currency_id, held.payment_type_id, held.paid, payment_date
        FROM public.current_payment AS held JOIN report.payments USING (payment_id)
        WHERE converted IS NOT NULL;
"""
_WORTH = {"units_sold * unit_price": "worth", "item_quantity * item_unit_price": "worth"}
_VERSIONS = """
    SELECT batch_id AS batch, captured_at, units_sold AS units
    FROM fact_sales_order JOIN etl.batch USING (batch_id)
    WHERE sales_order_id = %s ORDER BY batch_id
"""
# Each row as it was then, beside what it is now.
_SINCE = """
    WITH sales AS (
        SELECT EXISTS (SELECT FROM fact_sales_order AS old WHERE old.sales_order_id = held.sales_order_id
            AND old.batch_id <= %(batch)s) AS was_there
        FROM public.current_sales_order AS held WHERE batch_id > %(batch)s
    ), purchases AS (
        SELECT EXISTS (SELECT FROM fact_purchase_order AS old WHERE old.purchase_order_id = held.purchase_order_id
            AND old.batch_id <= %(batch)s) AS was_there
        FROM public.current_purchase_order AS held WHERE batch_id > %(batch)s
    ), payments AS (
        SELECT paid, (SELECT old.paid FROM fact_payment AS old WHERE old.payment_id = held.payment_id
            AND old.batch_id <= %(batch)s ORDER BY old.batch_id DESC LIMIT 1) AS was_paid
        FROM public.current_payment AS held WHERE batch_id > %(batch)s
    )
    SELECT
        (SELECT count(*) FROM sales WHERE NOT was_there) AS new_sales_orders,
        (SELECT count(*) FROM sales WHERE was_there) AS changed_sales_orders,
        (SELECT count(*) FROM purchases WHERE NOT was_there) AS new_purchases,
        (SELECT count(*) FROM purchases WHERE was_there) AS changed_purchases,
        (SELECT count(*) FROM payments WHERE paid AND was_paid IS NOT TRUE) AS payments_made,
        (SELECT count(*) FROM payments WHERE NOT paid AND was_paid IS NULL) AS new_open_payments,
        (SELECT count(*) FROM payments WHERE CASE WHEN paid THEN was_paid ELSE was_paid IS NOT NULL END)
            AS changed_payments,
        (SELECT coalesce(sum(deleted), 0)::int FROM etl.batch_table WHERE batch_id > %(batch)s) AS rows_gone
"""


def answers(uri: str, *, since: int, changed: int, deleted: int, converted: bool = False) -> dict[str, Any]:
    """What the warehouse says now.

    With `converted` the questions are asked of a shop with one currency, into which every row was converted by the
    view that shows it.

    Args:
        uri: of the warehouse.
        since: the batch that a person has seen.
        changed: a sales order that has several versions.
        deleted: a sales order that is gone.
        converted: whether all money is converted.
    """
    with session(uri) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:

        def ask(query: str, values: Any = None) -> list[dict[str, Any]]:
            cursor.execute(_of_one_currency(query) if converted else query, values)
            return [{name: _plain(name, value) for name, value in row.items()} for row in cursor.fetchall()]

        if converted:
            cursor.execute(_CONVERTED)
            for each in QUESTIONS:
                if each.name != "exchange_rates":
                    made = sql.SQL("CREATE TEMP VIEW {} ({}) AS ").format(
                        sql.Identifier(each.name), sql.SQL(", ").join(map(sql.Identifier, each.columns))
                    )
                    cursor.execute(made + sql.SQL(_of_one_currency(each.query).replace("public.", "")))
        [freshness] = ask("SELECT * FROM report.freshness")
        views = {
            each.name: ask(f"SELECT * FROM report.{each.name}") for each in QUESTIONS if each.name != "exchange_rates"
        }
        views["loads_by_day"].sort(key=lambda row: row["day"], reverse=True)
        views["sales_by_counterparty"].sort(key=lambda row: (row["currency"], row["place"]))
        return {
            "batch": freshness["batch"],
            "captured_at": freshness["as_of"],
            "as_of_day": freshness["as_of_day"],
            "views": {**views, "lead_times": ask(_LEAD_TIMES)},
            **{name: ask(query) for name, query in _MORE.items()},
            "changed_order": {"id": changed, "versions": ask(_VERSIONS, [changed])},
            "deleted_order": deleted,
            "since": ask(_SINCE, {"batch": since})[0],
        }


def _of_one_currency(query: str) -> str:
    """A query of what `_CONVERTED` puts in the place of tables and views."""
    for written, instead in _WORTH.items():
        query = query.replace(written, instead)
    return re.sub(r"\breport\.(?!exchange_rates|open_quarantine)", "pg_temp.", query)


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it; money in minor units, whole ones but for a median between two sums."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return float(value * 100) if name in _MONEY else float(value)
    raise TypeError(f"{name} is a {type(value).__name__}, which the page's tests do not compare")
