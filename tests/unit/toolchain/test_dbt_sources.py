"""What dbt knows of the star is what the star is."""

import yaml

from toolchain.dbt_sources import FILE, document
from totes.names import RATES_TABLE, READABLE_LEDGER
from totes.references import dimension_of
from totes.report import VIEWS
from totes.star import READABLE, STAR_TABLES
from totes.star_schema import Fact
from totes.warehouse.for_readers.comments import comments


def test_the_file_is_what_the_definitions_say() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), (
        "python toolchain/dbt_sources.py writes docs/dbt/models/sources.yml"
    )


def test_every_table_and_view_is_in_it_with_its_keys_tested() -> None:
    source, *_ = yaml.safe_load(document())["sources"]
    tables = {
        table["name"]: {each["name"]: each.get("data_tests", []) for each in table["columns"]}
        for table in source["tables"]
    }
    for star in STAR_TABLES:
        if isinstance(star, Fact):
            assert {"unique", "not_null"} <= set(tables[star.name][star.record_id])
        key = tables[star.current_view if isinstance(star, Fact) else star.name][star.key]
        assert key[:2] == ["unique", "not_null"]


def test_a_fact_is_tied_to_each_dimension_that_it_names() -> None:
    """A dimension that none of them names, such as one that only readers join, is tied to nothing."""
    text = FILE.read_text(encoding="utf-8")
    for star in STAR_TABLES:
        for column in star.columns if isinstance(star, Fact) else ():
            if dimension := dimension_of(column, STAR_TABLES):
                assert f"source('totes', '{dimension.name}')" in text, (
                    f"docs/dbt/models/sources.yml lacks the tie of {star.name}.{column.name} to {dimension.name}: "
                    "python toolchain/dbt_sources.py writes it"
                )


def test_whatever_readers_see_is_in_it_and_each_column_says_what_its_comment_says() -> None:
    *sources, _ = yaml.safe_load(document())["sources"]
    said = {
        (source["schema"], table["name"], column["name"]): column["description"]
        for source in sources
        for table in source["tables"]
        for column in [{**table, "name": None}, *table["columns"]]
    }
    seen = {("public", name) for name in (*READABLE, RATES_TABLE)} | {("etl", name) for name in READABLE_LEDGER}
    assert said == {(*place, column): meaning for place, column, meaning in comments(STAR_TABLES) if place in seen}
    assert {(schema, name) for schema, name, _ in said} == seen


def test_every_view_of_a_question_and_of_rows_is_in_it() -> None:
    *_, views = yaml.safe_load(document())["sources"]
    assert [table["name"] for table in views["tables"]] == [view.name for view in VIEWS]
    assert views["schema"] == "report"
