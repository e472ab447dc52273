"""sales_order: what the shop sells."""

from totes.capture.source_schema import Family, SourceTable

SALES_ORDER = SourceTable(
    name="sales_order",
    key="sales_order_id",
    columns={
        "sales_order_id": Family.INTEGER,
        "created_at": Family.TIMESTAMP,
        "last_updated": Family.TIMESTAMP,
        "design_id": Family.INTEGER,
        "staff_id": Family.INTEGER,
        "counterparty_id": Family.INTEGER,
        "units_sold": Family.INTEGER,
        "unit_price": Family.NUMERIC,
        "currency_id": Family.INTEGER,
        "agreed_delivery_date": Family.TEXT,
        "agreed_payment_date": Family.TEXT,
        "agreed_delivery_location_id": Family.INTEGER,
    },
)
