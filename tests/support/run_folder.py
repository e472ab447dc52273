"""A plugin of pytest: a folder for all that a run of tests makes.

Two runs on one machine share none, and each sees what it has left behind.
"""

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

import pytest

from tests.support.in_memory import in_memory

_PLENTY_BYTES = 12 * 2**30
"""Some four times what a run of all tests puts there."""

_OF_MULTIPROCESSING = "pymp-"
"""How the folder's name begins that it makes and, at the very end, removes."""

_OF_THE_CDK = "jsii-kernel-"
"""How the name begins of one of two folders that the CDK has for as long as its process lives: here, where there are no
workers."""

_PROGRAM_OF_THE_CDK = "bin/jsii-runtime.js"
"""What the other one has, whose name says nothing."""

_LAST = -200
"""multiprocessing removes its folder at -100."""


class RunFolder:
    """The temporary folder of a run, in which pytest's own is too.

    pytest's folder for all runs of a user is closed to others whenever a run starts, and PostgreSQL, started by root,
    is another user.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._outer = os.environ.get("TMPDIR")
        # Who names a folder wants it there.
        self._path = Path(tempfile.mkdtemp(prefix="totes-tests-", dir=self._outer or in_memory(_PLENTY_BYTES)))
        self._path.chmod(0o711)
        self._temporary = self._path / "tmp"
        self._temporary.mkdir()
        self._left: list[str] = []
        _use(str(self._temporary))
        if config.option.basetemp is None:
            config.option.basetemp = self._path / "pytest"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose tests left something in the temporary folder."""
        here = not session.config.option.numprocesses
        self._left = sorted(
            entry.name
            for entry in self._temporary.iterdir()
            if not entry.name.startswith(_OF_MULTIPROCESSING) and not (here and _is_of_the_cdk(entry))
        )
        if self._left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what was left."""
        if self._left:
            terminalreporter.section("left in the temporary folder", red=True)
            terminalreporter.line("\n".join(self._left))

    def pytest_unconfigure(self) -> None:
        """Remove the folder, once multiprocessing has removed its own in it."""
        _use(self._outer)
        Finalize(None, shutil.rmtree, args=(self._path,), kwargs={"ignore_errors": True}, exitpriority=_LAST)


def _is_of_the_cdk(entry: Path) -> bool:
    return entry.name.startswith(_OF_THE_CDK) or (entry / _PROGRAM_OF_THE_CDK).exists()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run its folder; its workers, if it has any, are in it too."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunFolder(config))


def _use(folder: str | None) -> None:
    """Make a folder the temporary one of this process and of all that it starts."""
    if folder is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None  # so that it is looked for again
