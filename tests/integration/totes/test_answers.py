"""What a person asks of the warehouse is answered in pages that Lambda lets through."""

import json

import pytest

from tests.support.databases import execute, session
from tests.support.pipeline import Pipeline
from totes.answers import Page, QuarantinedRow, State, quarantine, state_of
from totes.errors import ConfigurationError
from totes.star import STAR_TABLES

LAMBDAS_LIMIT = 6 * 1024 * 1024


def turned(uri: str, **about: object) -> list[Page]:
    """All pages, as they are said."""
    pages: list[Page] = []
    while not pages or pages[-1].more:
        if pages:
            last = pages[-1].rows[-1]
            about["after"] = [last.batch, last.star_table, last.key]
        with session(uri) as connection:
            document = json.dumps(quarantine(connection, **about).to_dict())  # type: ignore[arg-type]
        assert len(document) < LAMBDAS_LIMIT
        pages.append(Page.from_dict(json.loads(document)))
    return pages


def fill(uri: str, rows: int, characters: int) -> None:
    execute(
        uri,
        "INSERT INTO etl.quarantine (batch_id, star_table, key, reason, source_row) "
        "SELECT 1, CASE WHEN n %% 2 = 0 THEN 'dim_design' ELSE 'dim_staff' END, n, 'because', "
        "jsonb_build_object('name', repeat('é', %s), 'none', NULL) FROM generate_series(1, %s) AS n",
        [characters, rows],
    )


def test_a_warehouse_of_which_nothing_is_made_yet_holds_nothing(empty_database: str) -> None:
    with session(empty_database) as connection:
        assert state_of(connection, STAR_TABLES) == State(tables={})
    assert turned(empty_database) == [Page(rows=[], more=False)]


@pytest.mark.begun
def test_the_state_is_the_same_when_it_was_said_as_json(pipeline: Pipeline) -> None:
    with session(pipeline.warehouse) as connection:
        state = state_of(connection, STAR_TABLES)
    assert state.newest == 1
    assert state.tables.keys() == {table.name for table in STAR_TABLES}
    assert State.from_dict(json.loads(json.dumps(state.to_dict()))) == state


@pytest.mark.begun
def test_a_table_that_the_next_run_makes_is_named(pipeline: Pipeline) -> None:
    execute(pipeline.warehouse, "DROP TABLE dim_design CASCADE")
    told = r"lacks dim_design, which was lost, or which an earlier totes did not have; the next run makes all of it"
    with session(pipeline.warehouse) as connection, pytest.raises(ConfigurationError, match=told):
        state_of(connection, STAR_TABLES)


@pytest.mark.parametrize(("rows", "characters", "pages"), [(10, 10, 1), (4_001, 1, 3), (30, 100_000, 5)])
@pytest.mark.begun
def test_a_quarantine_of_any_size_is_read_whole_and_in_order(
    pipeline: Pipeline, rows: int, characters: int, pages: int
) -> None:
    fill(pipeline.warehouse, rows, characters)
    read = turned(pipeline.warehouse)
    assert len(read) == pages
    found = [row for page in read for row in page.rows]
    expected = sorted(("dim_design" if key % 2 == 0 else "dim_staff", key) for key in range(1, rows + 1))
    assert [(row.star_table, row.key) for row in found] == expected
    assert {row.source_row["name"] for row in found} == {"é" * characters}
    assert {row.source_row["none"] for row in found} == {None}


@pytest.mark.begun
def test_a_row_that_no_answer_holds_is_shortened(pipeline: Pipeline) -> None:
    fill(pipeline.warehouse, 3, 2_000_000)
    found = [row for page in turned(pipeline.warehouse) for row in page.rows]
    assert [row.key for row in found] == [2, 1, 3]
    for row in found:
        assert row.source_row == {"name": "é" * 10_000 + "… (2,000,000 characters)", "none": None}


@pytest.mark.begun
def test_of_one_row_every_stay_is_listed(pipeline: Pipeline) -> None:
    fill(pipeline.warehouse, 4, 1)
    execute(pipeline.warehouse, "UPDATE etl.quarantine SET resolved_by = 1 WHERE key = 2")
    assert [row.key for page in turned(pipeline.warehouse) for row in page.rows] == [4, 1, 3]
    [stay] = turned(pipeline.warehouse, star_table="dim_design", key=2)[0].rows
    assert isinstance(stay, QuarantinedRow)
    assert stay.resolved_by == 1
    assert turned(pipeline.warehouse, star_table="dim_staff", key=2)[0].rows == []
