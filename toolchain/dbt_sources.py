"""Writes docs/dbt/models/sources.yml: the star and the views of schema report for dbt, with the tests that they pass.

`python toolchain/dbt_sources.py` does it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from totes.dashboard_snapshot.tables import TABLES
from totes.names import REPORT
from totes.references import dimension_of
from totes.report import VIEWS, Question
from totes.star import STAR_TABLES
from totes.star_schema import Column, Fact, StarTable

FILE = Path(__file__).parents[1] / "docs" / "dbt" / "models" / "sources.yml"

_SOURCE = "totes"
_HEAD = "# Written by: python toolchain/dbt_sources.py\n"


def document() -> str:
    """Return the file's text."""
    tables = [described for table in STAR_TABLES for described in _described(table)]
    star = {"name": _SOURCE, "schema": "public", "tables": tables}
    views = {"name": f"{_SOURCE}_report", "schema": REPORT, "tables": [_view(view) for view in VIEWS]}
    return _HEAD + str(yaml.safe_dump({"version": 2, "sources": [star, views]}, sort_keys=False, width=120))


def _view(view: Question) -> dict[str, Any]:
    """A view of schema report; where one column is its key, that is tested."""
    keys = {table.key for table in TABLES if table.view == view.name}
    columns: list[dict[str, Any]] = []
    for name, meaning in view.columns.items():
        tests = {"data_tests": ["unique", "not_null"]} if (name,) in keys else {}
        columns.append({"name": name, "description": meaning, **tests})
    return {"name": view.name, "description": view.sentence, "columns": columns}


def _described(table: StarTable) -> Iterator[dict[str, Any]]:
    """A table; of a fact also the view of its current state, in which a key is there once."""
    if not isinstance(table, Fact):
        yield {
            "name": table.name,
            "description": table.meaning,
            "columns": [_column(table, column, unique=table.key) for column in table.columns],
        }
        return
    version = {"name": table.record_id, "data_tests": ["unique", "not_null"]}
    versions = [version, *(_column(table, each) for each in table.columns)]
    yield {"name": table.name, "description": table.meaning, "columns": versions}
    yield {"name": table.current_view, "columns": [_column(table, each, unique=table.key) for each in table.columns]}


def _column(table: StarTable, column: Column, unique: str | None = None) -> dict[str, Any]:
    tests: list[Any] = ["unique"] if column.name == unique else []
    if not column.nullable:
        tests.append("not_null")
    if isinstance(table, Fact) and (dimension := dimension_of(column, STAR_TABLES)):
        arguments = {"to": f"source('{_SOURCE}', '{dimension.name}')", "field": dimension.key}
        tests.append({"relationships": {"arguments": arguments}})
    return {"name": column.name, "description": column.meaning, **({"data_tests": tests} if tests else {})}


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
