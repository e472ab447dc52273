"""A password that is piped into totes secrets set is one line, whatever machine has written it."""

import io

import pytest

from command_line.commands import secrets


@pytest.mark.parametrize(
    ("piped", "password"),
    [
        ("right\n", "right"),
        ("right\r\n", "right"),
        ("right", "right"),
        (" ri ght \nnext\n", " ri ght "),
        ("right\r\r\n", "right\r"),
    ],
)
def test_a_password_ends_where_its_line_ends(monkeypatch: pytest.MonkeyPatch, piped: str, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(piped, newline="\n"))
    assert secrets._password() == password
