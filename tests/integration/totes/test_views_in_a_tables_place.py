"""A view or such in the place of a star table is refused by name, and each remedy that is named works."""

import pytest

from tests.integration.totes.test_rebuild import rebuilt
from tests.support.databases import execute
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from totes.errors import ConfigurationError

KINDS = {
    "view": "CREATE VIEW {table} AS TABLE kept",
    "materialized view": "CREATE MATERIALIZED VIEW {table} AS TABLE kept",
    "foreign table": (
        "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER none FOREIGN DATA WRAPPER none;"
        "CREATE FOREIGN TABLE {table} (id int) SERVER none"
    ),
}


@pytest.mark.parametrize("remedy", ["DROP {kind} {table}", "DROP {kind} {table}; ALTER TABLE kept RENAME TO {table}"])
@pytest.mark.parametrize("table", ["dim_design", "fact_payment"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.begun
def test_what_is_no_table_in_the_place_of_a_star_table_is_named(
    pipeline: Pipeline, kind: str, table: str, remedy: str
) -> None:
    execute(pipeline.warehouse, f"ALTER TABLE {table} RENAME TO kept; {KINDS[kind].format(table=table)}")
    execute(pipeline.source, "UPDATE design SET design_name = 'x'; UPDATE payment SET paid = NOT paid")
    said = f"^{table} is a {kind}; give the table its name back, or drop the {kind} and the next load makes the table$"
    for refused in (pipeline.tick, lambda: rebuilt(pipeline)):
        with pytest.raises(ConfigurationError, match=said):
            refused()
    execute(pipeline.warehouse, remedy.format(kind=kind, table=table))
    pipeline.load()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)
