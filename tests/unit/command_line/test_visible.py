"""Whatever a database or its rows say, a terminal shows it and does none of it."""

import ast
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command_line import commands
from command_line.commands import display, quarantine_view, run_view
from command_line.commands.asking import confirmed
from command_line.execution import RunResult
from command_line.logs import readable
from command_line.visible import Console, visible
from totes.answers import Finding, QuarantinedRow
from totes.errors import UserError

DIRECTED = " \u202egpj.exe\u2066\u200f\u061c"
FORGED = "x\x1b[2J\x1b[H\x1b[32m✓ nothing is in quarantine\x1b[0m \x1b]0;title\x07 \x9b31m \x7f \b\r\x00" + DIRECTED
SHOWN = r"x\x1b[2J\x1b[H\x1b[32m✓ nothing is in quarantine\x1b[0m \x1b]0;title\x07 \x9b31m \x7f \x08\x0d\x00"
SHOWN += r" \u202egpj.exe\u2066\u200f\u061c"
ROW = QuarantinedRow(
    star_table="fact_sales_order",
    key=7,
    batch=2,
    captured_at=datetime(2026, 11, 28, tzinfo=UTC),
    reason=FORGED,
    source_row={FORGED: FORGED},
    resolved_by=None,
)


def test_what_a_terminal_would_obey_is_written_as_it_is_typed() -> None:
    assert visible(FORGED) == SHOWN
    assert visible("two\nlines\tof naïve 文字 and a \\x1b") == "two\nlines\tof naïve 文字 and a \\x1b"


@pytest.mark.parametrize(
    "show",
    [
        lambda: quarantine_view.rows([ROW]),
        lambda: quarantine_view.row([ROW]),
        lambda: display.step(FORGED),
        lambda: display.done(FORGED),
        lambda: display.failed(FORGED),
        lambda: run_view.state(FORGED),
        lambda: display.finding(Finding("source", good=False, sentence=FORGED)),
        lambda: run_view.result(RunResult(status="FAILED", batch=None, seconds=1.0, error=FORGED)),
        lambda: display.console.print(FORGED),
    ],
)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_word_of_a_row_or_an_error_is_an_order_to_the_terminal(
    show: Callable[[], None], *, is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = io.StringIO()
    console = type(display.console)(file=written, force_terminal=is_terminal, color_system=None, width=400)
    monkeypatch.setattr(display, "console", console)
    show()
    printed = written.getvalue() + capsys.readouterr().out
    assert SHOWN in printed
    assert [each for each in printed if not each.isprintable() and each != "\n"] == []


def test_an_error_that_ends_the_program_is_no_order_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise UserError(FORGED)

    monkeypatch.setattr(commands, "app", refuse)
    with pytest.raises(SystemExit):
        commands.main()
    assert capsys.readouterr().err == f"totes: {SHOWN}\n"


def test_nor_is_a_question_or_a_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda sentence: sentence == f"{SHOWN}. Go on?")
    assert confirmed(yes=False)(FORGED)
    line = json.dumps({"timestamp": "now", "level": "ERROR", "message": FORGED, "exception": FORGED})
    told = readable(line)
    assert told is not None
    assert SHOWN in told
    assert [each for each in told if not each.isprintable() and each != "\n"] == []
    assert readable(FORGED) == SHOWN


def test_nothing_is_shown_but_by_the_text_and_the_console_that_make_it_visible() -> None:
    folder = Path(commands.__file__).parents[1]
    taken = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("rich.text", "rich.console", "rich")
        if {"Text", "Console", "print"} & {alias.name for alias in node.names}
    }
    assert taken == set()
    assert isinstance(display.console, Console)
