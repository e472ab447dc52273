"""design: what is printed on a tote."""

from totes.capture.source_schema import Family, SourceTable

DESIGN = SourceTable(
    name="design",
    key="design_id",
    columns={
        "design_id": Family.INTEGER,
        "design_name": Family.TEXT,
        "file_location": Family.TEXT,
        "file_name": Family.TEXT,
    },
)
