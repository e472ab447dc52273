"""A batch has what completes its rows, however many tables a dimension's rows lead through."""

import dataclasses
from collections.abc import Mapping

import pytest

from tests.support.databases import execute, rows, session, value
from tests.support.pipeline import Pipeline
from totes.capture import SOURCE_TABLES, capture
from totes.capture.source_schema import SourceTable
from totes.lake import CaptureManifest, Journal, read_part

ORDER_TO_COUNTERPARTY = {"purchase_order": {"counterparty_id": "counterparty"}}
"""A dimension is joined from orders and their counterparties, and these are joined to their addresses anyhow."""


def joining(joins: Mapping[str, Mapping[str, str]]) -> list[SourceTable]:
    """The source's tables, some of which dimensions have come to join to others."""
    return [
        dataclasses.replace(table, completed_by={**table.completed_by, **joins.get(table.name, {})})
        for table in SOURCE_TABLES
    ]


@pytest.mark.parametrize("tables", [joining(ORDER_TO_COUNTERPARTY), joining(ORDER_TO_COUNTERPARTY)[::-1]])
def test_a_row_that_completes_others_is_complete_itself(pipeline: Pipeline, tables: list[SourceTable]) -> None:
    def tick() -> None:
        with session(pipeline.source) as source:
            capture(source, pipeline.ingestion, tables)
        pipeline.transform()
        pipeline.load()

    tick()
    counterparties = "SELECT * FROM dim_counterparty ORDER BY counterparty_id"
    before = rows(pipeline.warehouse, counterparties)
    execute(pipeline.source, "UPDATE purchase_order SET item_quantity = item_quantity + 1 WHERE purchase_order_id = 1")
    tick()
    assert value(pipeline.warehouse, "SELECT count(*) FROM etl.quarantine") == 0
    assert rows(pipeline.warehouse, counterparties) == before


def test_a_table_that_is_joined_to_itself_is_complete_up_to_its_beginning(pipeline: Pipeline) -> None:
    tables = joining({"purchase_order": {"staff_id": "purchase_order"}})  # the number of an earlier order, as it were
    execute(
        pipeline.source,
        "UPDATE purchase_order SET staff_id = CASE WHEN purchase_order_id < 7 THEN greatest(purchase_order_id - 1, 1) "
        "ELSE 1 END",
    )
    with session(pipeline.source) as source:
        capture(source, pipeline.ingestion, tables)
        execute(pipeline.source, "UPDATE purchase_order SET item_quantity = 1 WHERE purchase_order_id = 5")
        assert capture(source, pipeline.ingestion, tables).batch == 2
    context = CaptureManifest.from_json(Journal(pipeline.ingestion).read(2)).tables["purchase_order"].context
    found = [key for part in context for key in read_part(pipeline.ingestion, part)["purchase_order_id"]]
    assert sorted(found) == [1, 2, 3, 4, 6]
