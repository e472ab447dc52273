"""The command line as a person types it.

A command is a fork of a process that has imported totes already, because its imports take a second of a processor each.
"""

import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes import PROCESSES

TOTES = Path(sys.executable).with_name("totes")
"""The command itself, for what a fork cannot show."""


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def totes(
    *arguments: str | Path,
    answers: str = "",
    timeout: float = 300,
    credentials: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Answer:
    """Type a command, on a machine whose AWS credentials are these; nobody is at a terminal.

    Args:
        arguments: of the command.
        answers: what is piped into it.
        timeout: seconds that it may take.
        credentials: environment variables; where there are none, there are no credentials.
        folder: where it is typed (default: where the tests are).
    """
    environment = {name: value for name, value in os.environ.items() if "ACCESS_KEY" not in name}
    environment |= credentials or {}
    with tempfile.TemporaryDirectory() as name:
        streams = [Path(name) / stream for stream in ("in", "out", "err")]
        streams[0].write_text(answers, encoding="utf-8")
        words = [str(argument) for argument in arguments]
        process = PROCESSES.Process(target=_type, args=(words, folder or Path.cwd(), environment, streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"totes {' '.join(words)} took more than {timeout} s")
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
        return Answer(process.exitcode, out, err)


def _type(words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    from command_line.commands import main  # noqa: PLC0415 - by the process that is forked, before it forks

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, (stream, mode) in enumerate(zip(streams, (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2), strict=True)):
        end = os.open(stream, mode)
        os.dup2(end, number)
        os.close(end)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = [str(TOTES), *words]
    _forget_logging()
    main()


def _forget_logging() -> None:
    """Be a process that has not imported the functions' runtime, which logs to the standard output."""
    for logger in (logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.setLevel(logging.WARNING if logger is logging.root else logging.NOTSET)
        logger.propagate = True
