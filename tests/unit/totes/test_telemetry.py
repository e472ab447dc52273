"""What is measured is what is paid for: a metric by the month, for each of its dimensions' values."""

import ast
from dataclasses import fields
from functools import cache
from pathlib import Path

from costs.assumptions import METRIC_MONTHS
from totes import telemetry
from totes.warehouse import RowCounts

ROOT = Path(__file__).parents[3]
SHIPPED = [file for folder in ("lambdas", "layers/totes") for file in (ROOT / folder).rglob("*.py")]


@cache
def every_call() -> list[ast.Call]:
    nodes = (node for file in SHIPPED for node in ast.walk(ast.parse(file.read_text())))
    return [node for node in nodes if isinstance(node, ast.Call)]


def calls(name: str) -> list[ast.Call]:
    """Every call of a function or method of a name, in all that is shipped."""
    return [node for node in every_call() if getattr(node.func, "attr", getattr(node.func, "id", None)) == name]


def test_each_metric_that_the_code_emits_is_listed_and_so_priced() -> None:
    names = [call.args[0].id for call in calls("add_metric") if isinstance(call.args[0], ast.Name)]
    assert len(names) == len(calls("add_metric")), "a metric is named by a constant of totes.telemetry"
    assert {getattr(telemetry, name) for name in names} == set(telemetry.METRICS)
    assert set(telemetry.METRICS) == set(METRIC_MONTHS)


def test_no_metric_has_a_dimension_but_the_environments() -> None:
    for name in ("single_metric", "add_dimension", "set_default_dimensions", "put_metric_data"):
        assert calls(name) == [], name


def test_every_end_that_a_row_comes_to_is_logged() -> None:
    assert {"rows_in", *telemetry.OUTCOMES} == {each.name for each in fields(RowCounts)}
