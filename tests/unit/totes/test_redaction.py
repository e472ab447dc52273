"""Words that functions and servers of others have written may quote a row, under whatever SQLSTATE they come."""

import pytest

from totes.redaction import without_values


@pytest.mark.parametrize(
    ("sqlstate", "kind", "source_function"),
    [
        ("38000", "ExternalRoutineException", None),
        ("39004", "NullValueNotAllowed", "PLy_procedure_call"),
        ("HV000", "FdwError", "pgfdw_report_error"),
        ("P0004", "AssertFailure", "exec_stmt_assert"),
        ("T0001", "DatabaseError", "PLy_output"),
        ("23514", "CheckViolation", "exec_stmt_raise"),
    ],
)
def test_words_of_others_are_left_out(sqlstate: str, kind: str, source_function: str | None) -> None:
    said = without_values("Jane is not ours", sqlstate, kind, source_function)
    assert said == f"{kind}, whose words are left out: they may quote a row"


@pytest.mark.parametrize("sqlstate", ["08006", "23514", "42P01", "53100", "XX000", None])
def test_postgresqls_own_words_are_kept(sqlstate: str | None) -> None:
    assert without_values("it is so", sqlstate, "DatabaseError", "ExecConstraints") == "it is so"
