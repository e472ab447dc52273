"""fact_sales_order: every captured version of a sales order."""

from totes.shapes import Fact, date, decimal, integer, time

FACT_SALES_ORDER = Fact(
    name="fact_sales_order",
    source="sales_order",
    record_id="sales_record_id",
    key="sales_order_id",
    current_view="current_sales_order",
    columns=(
        integer("sales_order_id"),
        date("created_date", of="created_at"),
        time("created_time", of="created_at"),
        date("last_updated_date", of="last_updated"),
        time("last_updated_time", of="last_updated"),
        integer("sales_staff_id", of="staff_id"),
        integer("counterparty_id"),
        integer("units_sold"),
        decimal("unit_price", 10, 2),
        integer("currency_id"),
        integer("design_id"),
        date("agreed_payment_date"),
        date("agreed_delivery_date"),
        integer("agreed_delivery_location_id"),
    ),
)
