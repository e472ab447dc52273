"""What is shown is what was said, whoever said it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from rich.console import Console
from rich.table import Table
from typer.main import get_command
from typer.testing import CliRunner

from command_line.commands import display, run_view, status_view
from command_line.commands.app import app
from command_line.execution import RunResult

ODD = "arn:aws:secretsmanager:eu-west-2:1:secret:totes [/x] [red]so[/red] [default: none]"


def test_no_bracket_or_colon_in_a_sentence_is_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    display.step(ODD)
    display.done(ODD)
    run_view.state(ODD)
    run_view.result(RunResult(status="FAILED", batch=None, seconds=1.0, error=ODD))
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count(ODD) == 4


def test_a_table_in_a_pipe_has_no_trailing_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"rows_in": 1, "versions": 1, "unchanged": 0, "deleted": 0, "quarantined": 0}
    run_view.result(RunResult(status="SUCCEEDED", batch=1, seconds=1.0, tables={"dim_staff": counts}))
    lines = capsys.readouterr().out.splitlines()
    assert any("dim_staff" in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []


def test_what_is_said_is_in_a_log_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started `totes dashboard --port 0 > log &` finds the address there while it serves."""
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        display.done("the dashboard is at http://localhost:1")
        assert log.read_text(encoding="utf-8") == "✓ the dashboard is at http://localhost:1\n"


def test_no_name_and_no_sentence_is_cut_or_broken_where_nobody_sees_an_edge(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    name, sentence = "n" * 90, " ".join(["word"] * 40)
    table = Table("name", "what", box=None)
    table.add_row(name, sentence)
    display.show(table)
    display.step(sentence)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if name in line and sentence in line]
    assert f"· {sentence}" in lines


def _commands(group: typer.core.TyperGroup, *before: str) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            found |= _commands(command, *before, name)
        else:
            found[*before, name] = command
    return found


def test_help_says_all_that_is_written_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for path, command in _commands(root).items():
        shown = " ".join(re.sub("[│╭╮╰╯─]", " ", CliRunner().invoke(app, [*path, "--help"]).stdout).split())
        for parameter in command.params:
            written = " ".join((getattr(parameter, "help", None) or "").split())
            assert written in shown, f"{path}: {written}"


def test_what_a_machine_of_github_says_of_itself_changes_no_test() -> None:
    """Typer, for one, takes its logs for a terminal with colours."""
    there = {**os.environ, "GITHUB_ACTIONS": "true", "FORCE_COLOR": "1"}
    here = f"{__file__}::{test_help_says_all_that_is_written_in_it.__name__}"
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", here]
    done = subprocess.run(words, env=there, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_console_is_the_one_that_takes_no_markup() -> None:
    assert isinstance(display.console, Console)
    with display.console.capture() as captured:
        display.console.print("[bold]:secret:[/bold]")
    assert captured.get() == "[bold]:secret:[/bold]\n"


def test_a_state_that_is_watched_by_no_terminal_is_printed_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status_view, "view", lambda found: f"as of {found}")
    with status_view.watching() as show:
        for moment in ("one", "two"):
            show(cast("Any", moment), None)
            assert capsys.readouterr().out.splitlines() == [f"as of {moment}", ""]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (119.7, "2 min 0 s"),
        (3599.8, "1 h 0 min"),
        (7325.0, "2 h 2 min"),
    ],
)
def test_no_minute_has_sixty_seconds(seconds: float, told: str) -> None:
    assert display.duration(seconds) == told
