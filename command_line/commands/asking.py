"""Questions to the person, before something is done that is not easily undone."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from command_line.visible import visible
from totes.errors import UserError

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirmed(yes: bool) -> Callable[[str], bool]:
    """Return what asks the person whether to go on; it raises UserError where nobody is there to be asked.

    Args:
        yes: whether they have said yes already, by the option.
    """

    def ask(sentence: str) -> bool:
        if yes:
            return True
        _refuse_where_nobody_is(sentence)
        return typer.confirm(f"{visible(sentence)}. Go on?")

    return ask


def typed_name(yes: bool, sentence: str, name: str) -> bool:
    """Ask the person to type the name of what is to go, and return whether they did; raise UserError likewise.

    Args:
        yes: whether they have said yes already, by the option.
        sentence: what will happen.
        name: what they must type.
    """
    if yes:
        return True
    _refuse_where_nobody_is(sentence)
    return bool(typer.prompt(f"{visible(sentence)}. Type {name} to go on") == name)


def _refuse_where_nobody_is(sentence: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(f"{sentence}; nothing was changed, add --yes to go on")
