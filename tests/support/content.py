"""What a warehouse says, in words that two warehouses can be compared by."""

from typing import Any

from tests.support.databases import reader
from totes.star import STAR_TABLES
from totes.star_schema import Fact

Content = dict[str, list[tuple[Any, ...]]]


def content_of(warehouse: str) -> Content:
    """Every row of the star, of the ledger and of the quarantine; record ids, which say nothing, left out."""
    content = {}
    with reader(warehouse) as rows_of:
        for table in STAR_TABLES:
            names = ", ".join([*(column.name for column in table.columns), "batch_id", "is_deleted"])
            content[table.name] = rows_of(f"SELECT {names} FROM {table.name} ORDER BY {table.key}, batch_id")
            if isinstance(table, Fact):
                view = table.current_view
                content[view] = rows_of(f"SELECT {names} FROM {view} ORDER BY {table.key}")
        content["batch"] = rows_of("SELECT batch_id, capture_sha256, horizon FROM etl.batch ORDER BY 1")
        content["batch_table"] = rows_of("SELECT * FROM etl.batch_table ORDER BY 1, 2")
        content["quarantine"] = rows_of("SELECT * FROM etl.quarantine ORDER BY 1, 2, 3")
        content["drift"] = rows_of("SELECT * FROM etl.drift ORDER BY 1, 2")
    return content
