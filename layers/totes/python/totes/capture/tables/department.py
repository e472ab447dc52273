"""department: where staff belong."""

from totes.capture.source_schema import Family, SourceTable

DEPARTMENT = SourceTable(
    name="department",
    key="department_id",
    columns={"department_id": Family.INTEGER, "department_name": Family.TEXT, "location": Family.TEXT},
)
