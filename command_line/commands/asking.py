"""Questions to the person, before something is done that is not easily undone."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from command_line.visible import visible
from totes.errors import UserError

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirmed(yes: bool) -> Callable[[str], bool]:
    """Return a function that asks the person whether to go on, and raises UserError where nobody can answer.

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
    """Ask the person to type the name of what is to be deleted; raise UserError where nobody can answer.

    Args:
        yes: whether they have said yes already, by the option.
        sentence: what will happen.
        name: what they must type.

    Returns:
        Whether they typed it, or had said yes.
    """
    if yes:
        return True
    _refuse_where_nobody_is(sentence)
    return bool(typer.prompt(f"{visible(sentence)}. Type {name} to go on") == name)


def _refuse_where_nobody_is(sentence: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(f"{sentence}; nothing was changed, add --yes to go on")
