"""What a warehouse says, in words that two warehouses can be compared by."""

from typing import Any

from tests.support.databases import asked
from totes.star import STAR_TABLES
from totes.star_schema import Fact

Content = dict[str, list[tuple[Any, ...]]]


def content_of(warehouse: str) -> Content:
    """Every row of the star, of the ledger and of the quarantine; record ids, which say nothing, left out."""
    queries = {}
    for table in STAR_TABLES:
        names = ", ".join([*(column.name for column in table.columns), "batch_id", "is_deleted"])
        queries[table.name] = f"SELECT {names} FROM {table.name} ORDER BY {table.key}, batch_id"
        if isinstance(table, Fact):
            queries[table.current_view] = f"SELECT {names} FROM {table.current_view} ORDER BY {table.key}"
    queries["batch"] = "SELECT batch_id, capture_sha256, horizon FROM etl.batch ORDER BY 1"
    queries["batch_table"] = "SELECT * FROM etl.batch_table ORDER BY 1, 2"
    queries["quarantine"] = "SELECT * FROM etl.quarantine ORDER BY 1, 2, 3"
    queries["drift"] = "SELECT * FROM etl.drift ORDER BY 1, 2"
    return asked(warehouse, queries)
