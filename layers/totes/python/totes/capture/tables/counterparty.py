"""counterparty: who buys and who supplies."""

from totes.capture.source_schema import Family, SourceTable

COUNTERPARTY = SourceTable(
    name="counterparty",
    key="counterparty_id",
    columns={
        "counterparty_id": Family.INTEGER,
        "counterparty_legal_name": Family.TEXT,
        "legal_address_id": Family.INTEGER,
    },
    completed_by={"legal_address_id": "address"},
)
