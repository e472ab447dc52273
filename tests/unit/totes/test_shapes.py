"""The lists of tables are complete, and what the star is made of is in the contract with the source."""

from pathlib import Path

import pytest

import totes.capture.tables
import totes.star.tables
from totes.capture import SOURCE_TABLES
from totes.star import STAR_TABLES
from totes.star_schema import Calendar, Dimension, Fact, StarTable

BRIEF = {
    "dim_counterparty": 9,
    "dim_currency": 3,
    "dim_date": 8,
    "dim_design": 4,
    "dim_location": 8,
    "dim_payment_type": 2,
    "dim_staff": 6,
    "dim_transaction": 4,
    "fact_payment": 12,
    "fact_purchase_order": 14,
    "fact_sales_order": 14,
}


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (totes.capture.tables, [table.name for table in SOURCE_TABLES]),
        (totes.star.tables, [table.name for table in STAR_TABLES]),
    ],
)
def test_a_table_is_one_file_and_one_line_in_a_list(package: object, names: list[str]) -> None:
    folder = Path(str(getattr(package, "__file__"))).parent  # noqa: B009 - a module, which mypy knows no file of
    assert sorted(names) == sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def test_the_star_has_the_briefs_tables_and_columns() -> None:
    assert {table.name: len(table.columns) for table in STAR_TABLES} == BRIEF


@pytest.mark.parametrize("star", [star for star in STAR_TABLES if not isinstance(star, Calendar)], ids=lambda s: s.name)
def test_every_column_is_made_of_one_that_the_contract_asks_for(star: Fact | Dimension) -> None:
    contract = {table.name: table for table in SOURCE_TABLES}
    joined = {join.table: join for join in star.joins}
    for column in star.columns:
        table, _, name = column.of.rpartition(".")
        assert name in contract[table or star.source].columns
        assert not table or table in joined


@pytest.mark.parametrize("star", STAR_TABLES, ids=lambda star: star.name)
def test_a_tables_key_is_one_of_its_columns_and_never_null(star: StarTable) -> None:
    [key] = [column for column in star.columns if column.name == star.key]
    assert not key.nullable


def test_a_join_is_captured_together_with_what_it_completes() -> None:
    completed = {table.name: dict(table.completed_by) for table in SOURCE_TABLES}
    joins = {
        star.source: {join.on: join.table for join in star.joins}
        for star in STAR_TABLES
        if isinstance(star, Dimension) and star.joins
    }
    assert joins == {name: references for name, references in completed.items() if references}
