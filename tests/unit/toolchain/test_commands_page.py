"""docs/commands.md has every command that totes has, as its help says it."""

import pytest
import typer

from toolchain import commands_page
from toolchain.commands_page import FILE, document


def test_the_page_is_what_its_command_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "python toolchain/commands_page.py writes docs/commands.md"


def test_a_command_under_no_heading_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    app.command("juggle")(lambda: None)
    app.command("demo")(lambda: None)
    monkeypatch.setattr(commands_page, "app", app)
    with pytest.raises(ValueError, match="totes juggle is under no heading"):
        document()
