"""Ends a local cloud; a second, impatient Ctrl-C does not leave that half done."""

import shlex
from pathlib import Path

import local_cloud
from command_line.commands import display, interrupts


def take_down(state: Path) -> None:
    """Stop a local cloud and remove its folder, ignoring signals meanwhile; raise UserError where none is up."""
    with interrupts.undisturbed():
        local_cloud.down(state)
    display.done("the local cloud is down")


def stop(state: Path) -> None:
    """Stop a local cloud and keep its folder, ignoring signals meanwhile; raise UserError where there is none."""
    with interrupts.undisturbed():
        local_cloud.stop(state)
    _show_stopped(state)


def _show_stopped(folder: Path) -> None:
    """Show how a cloud that was stopped is continued or removed."""
    display.done("the local cloud has stopped; its databases, its lake and its secrets are kept")
    for command, what in (("local up", "continues it"), ("local down", "removes it")):
        display.show(f"    {display.program()} {command} --state {shlex.quote(str(folder))}   {what}", soft_wrap=True)
