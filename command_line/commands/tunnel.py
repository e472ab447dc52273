"""totes tunnel: the warehouse's own network, for as long as a command or a person needs it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from command_line.commands import display
from command_line.commands.target import Environment, Local, State, deployment_of
from command_line.tunnel import tunnel as opened
from command_line.visible import Text, visible
from totes.errors import UserError

_INTERRUPTED = 128 + signal.SIGINT


def tunnel(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="What to run in it, after --, such as -- psql.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of this machine (default: a free one).")
    ] = None,
    is_local: Local = False,
    state: State = None,
    environment: Environment = None,
) -> None:
    """Open a tunnel to the warehouse, logged in as a reader, until the command ends or Ctrl-C."""
    if command and shutil.which(command[0]) is None:
        raise UserError(f"there is no program {command[0]!r} on this machine; install it, or name another")
    code = _INTERRUPTED if command else 0
    say = _aside if command else display.step
    with (
        suppress(KeyboardInterrupt),
        opened(deployment_of(is_local, state, environment), port=port, say=say) as way,
    ):
        if command:
            code = _run(command, way.variables)
        else:
            with tempfile.TemporaryDirectory(prefix="totes-") as folder:
                display.done("the tunnel is open; Ctrl-C closes it")
                display.show(Text(f"\n{way.line(Path(folder))}\n"), soft_wrap=True)
                way.wait()
    sys.exit(code)


def _aside(sentence: str) -> None:
    """Print a sentence to standard error, where it does not mix with what the command prints."""
    print(f"· {visible(sentence)}", file=sys.stderr)


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command to its end, as a shell would; it handles a Ctrl-C itself, as psql does."""
    process = subprocess.Popen(command, env={**os.environ, **variables})  # noqa: S603 - the person's own command
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
