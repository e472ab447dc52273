"""The interpreter and the runtime client that functions run under."""

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from local_cloud.functions import runtime_loop

_CLIENT = "awslambdaric"
_PACKAGES = (_CLIENT, "snapshot-restore-py", "simplejson")


@dataclass(frozen=True)
class Runtime:
    """How a function's process is started.

    Attributes:
        command: the interpreter and its runtime client; the handler's name follows.
        folders: what the client imports.
        client: the module that it is, where a fork can run it as well as a new interpreter; None: none can.
    """

    command: tuple[str, ...]
    folders: tuple[Path, ...]
    client: str | None = None


def runtime(directory: Path) -> Runtime:
    """The real runtime client, copied into a folder of its own; the plain loop where it has no wheel (macOS).

    A copy, so that functions see what Lambda would show them and nothing else of this environment.
    """
    if platform.system() != "Linux":
        return plain_runtime()
    for name in _PACKAGES:
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and not file.parts[0].endswith(".dist-info") and file.suffix != ".pyc":
                target = directory / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), target)
    return Runtime((sys.executable, "-S", "-m", _CLIENT), (directory,), _CLIENT)


def plain_runtime() -> Runtime:
    """The loop of the standard library alone."""
    return Runtime((sys.executable, "-S", runtime_loop.__file__), ())
