"""Writes docs/commands.md: every command of totes, with its options as `--help` has them.

`python toolchain/commands_page.py` does it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from command_line.commands.app import app
from command_line.commands.target import Environment, EnvironmentName, Json, Local, State

FILE = Path(__file__).parents[1] / "docs" / "commands.md"

_SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Try it on this machine": ("demo", "local", "simulate", "psql"),
        "Run and watch": ("run", "status", "dashboard", "doctor", "verify", "alarms"),
        "Repair": ("quarantine", "rebuild", "replay"),
        "Set up and reach": ("init", "secrets", "tunnel"),
        "Plan": ("costs", "bootstrap-policy"),
    }
)
"""Under which heading a command, or a group of them, stands."""

_COMMON = frozenset(get_args(each)[1].help for each in (Environment, EnvironmentName, Local, State, Json))
"""The help of options that nearly every command has; they are explained once."""

_HEAD = """# Commands

<!-- Written by: python toolchain/commands_page.py -->

After `make setup` the command line is `.venv/bin/totes`. `totes COMMAND --help` says what stands here.

Most commands work on a deployment, and say which by the same options:

| option | |
|---|---|
| `--env NAME` | the environment in the AWS account of the ordinary credentials (default: dev) |
| `--local` | the local cloud on this machine instead of an AWS account |
| `--state DIR` | the local cloud's folder (default: `.totes/local`) |
| `--json` | print one JSON document, for programs |

A command that fails says on standard error what, where and what to do, and exits 1. One that is typed
wrong exits 2.
"""


def document() -> str:
    """Return the page's text.

    Raises:
        ValueError: a command is under no heading.
    """
    commands = dict(_commands(get_command(app)))
    listed = {name for names in _SECTIONS.values() for name in names}
    if left := sorted({name.split()[0] for name in commands} - listed):
        raise ValueError(f"totes {left[0]} is under no heading: give it one in _SECTIONS of toolchain/commands_page.py")
    return "\n".join([_HEAD, *(_section(heading, names, commands) for heading, names in _SECTIONS.items())])


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    if command.invoke_without_command and name:
        yield name, command
    for each, inner in command.commands.items():
        yield from _commands(inner, f"{name} {each}".strip())


def _section(heading: str, names: tuple[str, ...], commands: Mapping[str, Any]) -> str:
    shown = [_command(name, command) for each in names for name, command in commands.items() if name.split()[0] == each]
    return "\n".join([f"## {heading}\n", *shown])


def _command(name: str, command: Any) -> str:
    common = sorted(f"`{each.opts[0]}`" for each in command.params if each.help in _COMMON)
    own = [each for each in command.params if each.help not in _COMMON]
    arguments = [_word(each) for each in own if isinstance(each, TyperArgument)]
    lines = [f"### `totes {' '.join([name, *arguments])}`", "", command.help.replace("\n\n", "\n").strip(), ""]
    if own:
        lines += ["| | |", "|---|---|", *(f"| `{_word(each)}` | {_meaning(each)} |" for each in own), ""]
    if common:
        lines += [f"Also: {', '.join(common)}.", ""]
    return "\n".join(lines)


def _word(parameter: Any) -> str:
    """How an argument or an option is written on the command line."""
    word = parameter.metavar or parameter.name.upper()
    if isinstance(parameter, TyperArgument):
        return word if parameter.required else f"[{word}]"
    option = max(parameter.opts, key=len)
    return option if parameter.is_flag else f"{option} {parameter.metavar or option.strip('-').upper()}"


def _meaning(parameter: Any) -> str:
    """Its help, with its default as `--help` adds it where there is one."""
    if parameter.default is None or getattr(parameter, "is_flag", False):
        return str(parameter.help)
    return f"{parameter.help.removesuffix('.')} (default: {parameter.default})."


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
