"""A schedule's expression says how many runs a month has, or that it cannot be told."""

from decimal import Decimal

import pytest

from costs.templates import Unpriceable, runs_a_month

DAYS = Decimal(730) / 24


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("rate(5 minutes)", Decimal(8760)),
        ("rate(1 hour)", Decimal(730)),
        ("rate(2 days)", DAYS / 2),
        ("cron(7 3 * * ? *)", DAYS),
        ("cron(0/15 * * * ? *)", DAYS * 96),
        ("cron(10/20 8-17 ? * MON-FRI *)", DAYS * 3 * 10 * 5 / 7),
        ("cron(0 6,18 ? * SUN *)", DAYS * 2 / 7),
        ("cron(0 0 1,15 * ? *)", Decimal(2)),
    ],
)
def test_a_schedule_comes_due_so_often(expression: str, runs: Decimal) -> None:
    assert round(runs_a_month(expression), 6) == round(runs, 6)


@pytest.mark.parametrize(
    "expression", ["at(2026-11-24T10:00:00)", "rate(0 minutes)", "cron(0 0 L * ? *)", "cron(0 0 1 6 ? *)", "None"]
)
def test_what_cannot_be_counted_is_said(expression: str) -> None:
    with pytest.raises(Unpriceable) as refusal:
        runs_a_month(expression)
    assert expression in str(refusal.value)
