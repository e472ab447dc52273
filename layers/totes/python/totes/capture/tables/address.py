"""address: places, of counterparties and of deliveries."""

from totes.capture.source_schema import Family, SourceTable

ADDRESS = SourceTable(
    name="address",
    key="address_id",
    columns={
        "address_id": Family.INTEGER,
        "address_line_1": Family.TEXT,
        "address_line_2": Family.TEXT,
        "district": Family.TEXT,
        "city": Family.TEXT,
        "postal_code": Family.TEXT,
        "country": Family.TEXT,
        "phone": Family.TEXT,
    },
)
