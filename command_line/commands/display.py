"""What a person sees in the terminal."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from command_line.typed_commands import completed, named_by
from command_line.visible import Console, Text
from totes.answers import Finding

console = Console(highlight=False, markup=False, emoji=False)
"""It shows words as they are: a bracket or a colon in an ARN, a path or a database's sentence is no markup, and no
character in it an order to the terminal."""

_endless = Console(highlight=False, markup=False, emoji=False, width=10_000)
"""For what is no terminal: there is no edge at which a name must be cut, or a sentence broken."""


def show(*shown: RenderableType, soft_wrap: bool = False) -> None:
    """Print; to a file or a pipe in lines of any length, without the blanks that fill a table's last column.

    It is there at once: whoever reads a log of what goes on for hours, or hangs, is to see how far it is.
    """
    if console.is_terminal:
        console.print(*shown, soft_wrap=soft_wrap)
        return
    with _endless.capture() as printed:
        _endless.print(*shown, soft_wrap=soft_wrap)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()), flush=True)


def program() -> str:
    """How this program is called from this folder: by its name where the shell finds it, else by its path."""
    if shutil.which("totes") and "MAKELEVEL" not in os.environ:  # make finds it by a path that no other terminal has
        return "totes"
    called = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))


def complete(sentence: str) -> str:
    """Complete the commands in a sentence with the options that name this command's deployment."""
    return completed(sentence, named_by(sys.argv[1:]))


def step(sentence: str) -> None:
    """Say that a step has begun."""
    show(Text.assemble(("·", "dim"), f" {complete(sentence)}"))


def done(sentence: str) -> None:
    """Say that a step is done."""
    show(Text.assemble(("✓", "green"), f" {complete(sentence)}"))


def failed(sentence: str) -> None:
    """Say that something failed; the rest goes on."""
    console.print(Text.assemble(("✗ ", "red"), complete(sentence)))


def finding(found: Finding, *, doubtful: bool = False) -> None:
    """Show what was looked at, and whether it is as it should be; doubtful: only a person knows."""
    mark, style = ("?", "yellow") if doubtful else ("✓", "green") if found.good else ("✗", "red")
    show(Text.assemble((mark, style), f" {found.subject}: {complete(found.sentence)}"))


@contextmanager
def progress(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; it is moved by calling what is returned with how many are done and how many there are."""
    with progress_bar(counted=True, shown=shown) as bar:
        task = bar.add_task(title, total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)


@contextmanager
def waiting(title: str, *, shown: bool = True) -> Iterator[None]:
    """Show that something is under way which does not say how far it is, and for how long."""
    with progress_bar(counted=False, shown=shown) as bar:
        bar.add_task(title, total=None)
        yield


@contextmanager
def progress_bar(*, counted: bool, shown: bool) -> Iterator[Progress]:
    """Show Rich's progress bar in this program's form, without a task yet.

    Args:
        counted: whether it says how many things are done, and how many there are.
        shown: whether it is shown at all.
    """
    counts = (MofNCompleteColumn(),) if counted else ()
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), *counts, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        yield bar


def alarming(count: int) -> Text:
    """A number that should be 0, in yellow where it is not."""
    return Text(f"{count:,}", style="yellow" if count else "")


_SHOWN_AS_A_MINUTE = 59.95
"""Seconds; from there on a tenth of a second would be shown as 60.0."""


def duration(seconds: float) -> str:
    """How long something took, in the units in which a person says it."""
    if seconds < _SHOWN_AS_A_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
