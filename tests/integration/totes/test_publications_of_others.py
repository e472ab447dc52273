"""A publication of others for which a table cannot be updated is named, and each remedy that is named works."""

import pytest

from tests.integration.totes.test_rebuild import rebuilt
from tests.support.databases import execute
from tests.support.oracle import assert_warehouse_mirrors
from tests.support.pipeline import Pipeline
from tests.support.versions import since
from totes.errors import ConfigurationError

DEFAULT = "ALTER TABLE dim_design REPLICA IDENTITY DEFAULT"
NO_IDENTITY = rf"has no replica identity; {DEFAULT}"
NO_KEY = "its key is not; put the key into the column list, and nothing but the key into a WHERE"

PUBLISHED = {
    "some columns": (
        "CREATE PUBLICATION ours FOR TABLE dim_design (design_name); CREATE PUBLICATION p FOR TABLE dim_staff",
        f"ours and {NO_KEY}",
        "ALTER PUBLICATION ours SET TABLE dim_design (design_id, design_name)",
    ),
    "some rows": (
        "CREATE PUBLICATION ours FOR TABLE dim_design WHERE (design_name > 'b'); CREATE PUBLICATION p FOR ALL TABLES",
        f"ours and {NO_KEY}",
        "ALTER PUBLICATION ours SET TABLE dim_design WHERE (design_id > 1)",
    ),
    "all tables": (
        "CREATE PUBLICATION ours FOR ALL TABLES; ALTER TABLE dim_design REPLICA IDENTITY NOTHING",
        f"ours and {NO_IDENTITY}",
        DEFAULT,
    ),
    "two, of a table without its index": (
        (
            'CREATE PUBLICATION ours FOR TABLE dim_design; CREATE PUBLICATION "Y" FOR TABLES IN SCHEMA public;'
            "CREATE UNIQUE INDEX i ON dim_design (batch_id, design_id);"
            "ALTER TABLE dim_design REPLICA IDENTITY USING INDEX i; DROP INDEX i"
        ),
        f'"Y", ours and {NO_IDENTITY}',
        DEFAULT,
    ),
}

CASES = [
    what if what == "all tables" else pytest.param(what, marks=since(15, "such publications")) for what in PUBLISHED
]


@pytest.mark.parametrize("what", CASES)
@pytest.mark.begun
def test_a_publication_for_which_a_table_cannot_be_updated_is_named(pipeline: Pipeline, what: str) -> None:
    made, said, remedy = PUBLISHED[what]
    execute(pipeline.warehouse, made)
    execute(pipeline.source, "UPDATE design SET design_name = 'x' WHERE design_id = 2")
    with pytest.raises(ConfigurationError, match=f"^batch 2 cannot be loaded: dim_design is published by {said}$"):
        pipeline.tick()
    execute(pipeline.warehouse, remedy)
    pipeline.load()
    assert_warehouse_mirrors(pipeline.source, pipeline.warehouse)


@pytest.mark.parametrize("what", CASES)
@pytest.mark.begun
def test_so_it_is_by_a_rebuild(pipeline: Pipeline, what: str) -> None:
    execute(pipeline.warehouse, PUBLISHED[what][0])
    execute(pipeline.source, "UPDATE design SET design_name = 'x' WHERE design_id = 2")
    pipeline.capture()
    pipeline.transform()
    with pytest.raises(ConfigurationError, match=r"the publication |is published by "):
        rebuilt(pipeline)
