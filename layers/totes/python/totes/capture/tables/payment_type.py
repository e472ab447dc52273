"""payment_type: receipts, payments and refunds."""

from totes.capture.source_schema import Family, SourceTable

PAYMENT_TYPE = SourceTable(
    name="payment_type",
    key="payment_type_id",
    columns={"payment_type_id": Family.INTEGER, "payment_type_name": Family.TEXT},
)
