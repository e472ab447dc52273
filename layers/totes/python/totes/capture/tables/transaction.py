"""transaction: what ties an order to its payment."""

from totes.capture.source_schema import Family, SourceTable

TRANSACTION = SourceTable(
    name="transaction",
    key="transaction_id",
    columns={
        "transaction_id": Family.INTEGER,
        "transaction_type": Family.TEXT,
        "sales_order_id": Family.INTEGER,
        "purchase_order_id": Family.INTEGER,
    },
)
