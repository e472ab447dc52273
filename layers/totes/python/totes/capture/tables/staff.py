"""staff: who sells and who buys."""

from totes.capture.source_schema import Family, SourceTable

STAFF = SourceTable(
    name="staff",
    key="staff_id",
    columns={
        "staff_id": Family.INTEGER,
        "first_name": Family.TEXT,
        "last_name": Family.TEXT,
        "department_id": Family.INTEGER,
        "email_address": Family.TEXT,
    },
    completed_by={"department_id": "department"},
)
