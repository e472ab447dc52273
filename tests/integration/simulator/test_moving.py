"""A shop's history can be moved to end yesterday."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator import move_to_yesterday
from tests.support.databases import rows, value
from totes.errors import UserError

SPANS = """
    SELECT (agreed_payment_date::date - sales_order.created_at::date, payment_date::date - agreed_payment_date::date,
        payment.created_at - sales_order.created_at, transaction.created_at - sales_order.created_at,
        sales_order.last_updated - sales_order.created_at, payment.last_updated - payment.created_at, paid)::text
    FROM sales_order JOIN transaction USING (sales_order_id) JOIN payment USING (transaction_id)
    ORDER BY sales_order_id
"""


def test_the_last_sale_is_of_yesterday_and_all_else_as_far_from_it_as_before(source: str) -> None:
    before = rows(source, SPANS)
    move_to_yesterday(source)
    last = value(source, "SELECT max(created_at)::date FROM sales_order")
    assert last == datetime.now(UTC).date() - timedelta(days=1)
    assert rows(source, SPANS) == before


def test_what_is_no_shop_is_left_as_it_was(empty_database: str) -> None:
    with pytest.raises(UserError, match="the shop's history was not moved"):
        move_to_yesterday(empty_database)
