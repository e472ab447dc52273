"""What is printed to be typed can be typed."""

import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from command_line.commands import display, main
from command_line.commands.app import app
from local_cloud import libpq
from totes.errors import UserError


def test_the_program_is_called_by_its_name_where_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "totes").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MAKELEVEL", raising=False)
    assert display.program() == "totes"


def test_what_make_prints_can_be_typed_where_the_path_is_not_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "totes").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MAKELEVEL", "1")
    monkeypatch.setattr(sys, "argv", [".venv/bin/totes"])
    assert display.program() == ".venv/bin/totes"


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


def test_it_says_which_version_it_is() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, f"totes {version('totes')}\n")


@pytest.fixture
def asked_for_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["totes", "--version"])
    monkeypatch.setattr(libpq, "set_aside", lambda: None)  # of this process, whose other tests may need it


@pytest.mark.usefixtures("asked_for_the_version")
def test_a_stream_that_the_shell_has_closed_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()


@pytest.mark.usefixtures("asked_for_the_version")
def test_a_full_disk_is_one_sentence_also_for_the_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("totes: no room is left on the disk")


@pytest.mark.parametrize("where", [["--local"], ["--state", "somewhere"]])
def test_a_local_cloud_and_an_account_at_once_are_refused(where: list[str]) -> None:
    said = CliRunner().invoke(app, ["status", *where, "--env", "prod"])
    assert isinstance(said.exception, UserError)
    assert "--env prod names an environment in an AWS account" in str(said.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--env", ""], "--env names no environment"),
        (["bootstrap-policy", "--env", ""], "--env names no environment"),
        (
            ["secrets", "delete", "nosuch", "--yes"],
            "there is no login 'nosuch'; there are source, warehouse, dashboard",
        ),
    ],
)
def test_a_name_that_is_none_is_refused_before_anything_is_done(words: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, words)
    assert isinstance(refused.exception, UserError)
    assert said in str(refused.exception)


@pytest.mark.parametrize(
    "words", [["local", "logs", "dashboard", "--since", "3000000000"], ["simulate", "--orders", "2000000000"]]
)
def test_a_number_beyond_all_measure_is_refused_with_the_most_that_there_may_be(words: list[str]) -> None:
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "less than or equal to" in refused.output


def test_every_module_of_commands_is_one_that_the_program_has() -> None:
    folder = Path(__file__).parents[3] / "command_line" / "commands"
    code = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    idle = [
        name for name in sorted(modules) if not re.search(rf"from command_line\.commands(\.| import .*){name}\b", code)
    ]
    assert idle == [], "nothing imports these: add them to command_line/commands/app.py"
