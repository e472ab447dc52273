"""currency: what is paid in, by ISO 4217 code."""

from totes.capture.source_schema import Family, SourceTable

CURRENCY = SourceTable(
    name="currency",
    key="currency_id",
    columns={"currency_id": Family.INTEGER, "currency_code": Family.TEXT},
)
