"""What is printed to be typed can be typed."""

import sys
from pathlib import Path

import pytest

from workbench.cli import display


def test_the_program_is_called_by_its_name_where_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "totes").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert display.program() == "totes"


@pytest.mark.parametrize(
    ("called", "printed"), [("bin/totes", "bin/totes"), ("/opt/our shop/totes", "'/opt/our shop/totes'")]
)
def test_elsewhere_it_is_called_by_its_path(
    called: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [called])
    assert display.program() == printed
