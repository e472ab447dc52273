"""purchase_order: what the shop buys."""

from totes.capture.source_schema import Family, SourceTable

PURCHASE_ORDER = SourceTable(
    name="purchase_order",
    key="purchase_order_id",
    columns={
        "purchase_order_id": Family.INTEGER,
        "created_at": Family.TIMESTAMP,
        "last_updated": Family.TIMESTAMP,
        "staff_id": Family.INTEGER,
        "counterparty_id": Family.INTEGER,
        "item_code": Family.TEXT,
        "item_quantity": Family.INTEGER,
        "item_unit_price": Family.NUMERIC,
        "currency_id": Family.INTEGER,
        "agreed_delivery_date": Family.TEXT,
        "agreed_payment_date": Family.TEXT,
        "agreed_delivery_location_id": Family.INTEGER,
    },
)
