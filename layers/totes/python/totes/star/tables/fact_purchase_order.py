"""fact_purchase_order: every captured version of a purchase order."""

from totes.shapes import Fact, date, decimal, integer, text, time

FACT_PURCHASE_ORDER = Fact(
    name="fact_purchase_order",
    source="purchase_order",
    record_id="purchase_record_id",
    key="purchase_order_id",
    current_view="current_purchase_order",
    columns=(
        integer("purchase_order_id"),
        date("created_date", of="created_at"),
        time("created_time", of="created_at"),
        date("last_updated_date", of="last_updated"),
        time("last_updated_time", of="last_updated"),
        integer("staff_id"),
        integer("counterparty_id"),
        text("item_code"),
        integer("item_quantity"),
        decimal("item_unit_price", 10, 2),
        integer("currency_id"),
        date("agreed_delivery_date"),
        date("agreed_payment_date"),
        integer("agreed_delivery_location_id"),
    ),
)
