"""payment: money that went or will go with a transaction."""

from totes.capture.source_schema import Family, SourceTable

PAYMENT = SourceTable(
    name="payment",
    key="payment_id",
    columns={
        "payment_id": Family.INTEGER,
        "created_at": Family.TIMESTAMP,
        "last_updated": Family.TIMESTAMP,
        "transaction_id": Family.INTEGER,
        "counterparty_id": Family.INTEGER,
        "payment_amount": Family.NUMERIC,
        "currency_id": Family.INTEGER,
        "payment_type_id": Family.INTEGER,
        "paid": Family.BOOLEAN,
        "payment_date": Family.TEXT,
    },
)
