"""department: where staff belong."""

from totes.capture.shape import Family, SourceTable

DEPARTMENT = SourceTable(
    name="department",
    key="department_id",
    columns={"department_id": Family.INTEGER, "department_name": Family.TEXT, "location": Family.TEXT},
)
