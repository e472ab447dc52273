"""Rows in quarantine are captured again, as many at once as the input of one run holds."""

from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from command_line import quarantine
from command_line.execution import ASKED_AT_ONCE
from totes.answers import QuarantinedRow
from totes.errors import UserError

NOW = datetime(2024, 11, 15, tzinfo=UTC)


def waiting(monkeypatch: pytest.MonkeyPatch, payments: int) -> Mock:
    """A deployment in whose quarantine so many payments are, and a design."""
    rows = [quarantined("fact_payment", key) for key in range(1, payments + 1)]
    monkeypatch.setattr(quarantine, "open_rows", lambda _: [quarantined("dim_design", 7), *rows])
    return Mock()


def quarantined(star_table: str, key: int) -> QuarantinedRow:
    return QuarantinedRow(
        star_table=star_table, key=key, batch=1, captured_at=NOW, reason="odd", resolved_by=None, source_row={}
    )


def test_one_run_takes_as_many_rows_as_its_input_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = waiting(monkeypatch, ASKED_AT_ONCE)
    assert quarantine.to_recapture(deployment, "fact_payment", []) == {"payment": [*range(1, ASKED_AT_ONCE + 1)]}
    with pytest.raises(UserError, match=r"5,001 rows are more than one run takes \(5,000\); name a table and keys"):
        quarantine.to_recapture(deployment, None, [])


def test_what_is_named_is_captured_again_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = waiting(monkeypatch, 3)
    assert quarantine.to_recapture(deployment, "fact_payment", [3, 1]) == {"payment": [1, 3]}
    assert quarantine.to_recapture(deployment, None, []) == {"design": [7], "payment": [1, 2, 3]}
    with pytest.raises(UserError, match="not in quarantine: fact_payment 4, 9; totes quarantine list shows those that"):
        quarantine.to_recapture(deployment, "fact_payment", [9, 1, 4])
    with pytest.raises(UserError, match="no row of dim_staff is in quarantine"):
        quarantine.to_recapture(deployment, "dim_staff", [])
