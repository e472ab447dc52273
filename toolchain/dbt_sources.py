"""Writes docs/dbt/models/sources.yml: all that readers see, for dbt, with the tests that star and reports pass.

`python toolchain/dbt_sources.py` does it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from totes.dashboard_snapshot.tables import TABLES
from totes.names import RATES_TABLE, READABLE_LEDGER, REPORT
from totes.references import dimension_of
from totes.report import VIEWS, Question
from totes.star import STAR_TABLES
from totes.star_schema import Fact, StarTable
from totes.warehouse.definitions import columns_made
from totes.warehouse.for_readers.comments import comments

FILE = Path(__file__).parents[1] / "docs" / "dbt" / "models" / "sources.yml"

_SOURCE = "totes"
_COMMENTS = tuple(comments(STAR_TABLES))
_HEAD = "# Written by: python toolchain/dbt_sources.py\n"


def document() -> str:
    """Return the file's text."""
    tables = [described for table in STAR_TABLES for described in _described(table)]
    rates = _commented("public", RATES_TABLE, {})
    star = {"name": _SOURCE, "schema": "public", "tables": [*tables, rates]}
    batches = [_commented("etl", name, {}) for name in READABLE_LEDGER]
    ledger = {"name": f"{_SOURCE}_etl", "schema": "etl", "tables": batches}
    views = {"name": f"{_SOURCE}_report", "schema": REPORT, "tables": [_view(view) for view in VIEWS]}
    sources = {"version": 2, "sources": [star, ledger, views]}
    return _HEAD + str(yaml.safe_dump(sources, sort_keys=False, width=120))


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
    if isinstance(table, Fact):
        yield _made_of(table, table.name, unique=table.record_id)
        yield _made_of(table, table.current_view, unique=table.key)
    else:
        yield _made_of(table, table.name, unique=table.key)


def _made_of(table: StarTable, name: str, *, unique: str) -> dict[str, Any]:
    """A star table, or its view of this name."""
    tested = {column: ["not_null"] for _, column, _, nullable in columns_made([table]) if not nullable}
    tests: dict[str, list[Any]] = {**tested, unique: ["unique", "not_null"]}
    for column in table.columns if isinstance(table, Fact) else ():
        if dimension := dimension_of(column, STAR_TABLES):
            arguments = {"to": f"source('{_SOURCE}', '{dimension.name}')", "field": dimension.key}
            tests.setdefault(column.name, []).append({"relationships": {"arguments": arguments}})
    return _commented("public", name, tests)


def _commented(schema: str, name: str, tests: Mapping[str, list[Any]]) -> dict[str, Any]:
    """A table or view with its comments."""
    meanings = {column: meaning for relation, column, meaning in _COMMENTS if relation == (schema, name)}
    columns = [
        {"name": column, "description": meaning, **({"data_tests": tests[column]} if column in tests else {})}
        for column, meaning in meanings.items()
        if column is not None
    ]
    return {"name": name, "description": meanings[None], "columns": columns}


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
