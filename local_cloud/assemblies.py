"""Cloud assemblies of earlier syntheses: the cdk CLI needs ten seconds of a processor to make the same one again.

An assembly is kept in build/assemblies under the fingerprint of all its sources. For each context, which is an
environment and its target, only the newest is kept.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_SOURCES = (
    *("app.py", "cdk.json", "cdk.context.json", "stacks", "lambdas", "layers"),
    *("dashboard/dist", "build/certificates", "toolchain/package-lock.json", "toolchain/python.lock"),
)
"""What is read by the app and by the CLI, and which libraries both have."""


class KeptAssembly:
    """The place of one assembly.

    Args:
        project: the folder of the app.
        context: the words that give the CLI its context.
    """

    def __init__(self, project: Path, context: Sequence[str]) -> None:
        self._project = project
        self._context = context
        self._store = project / "build" / "assemblies"
        self._fingerprint = self._of_now()

    def copy_to(self, folder: Path) -> bool:
        """Put the assembly into a folder that is not there; False where it was not kept."""
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".assembly-") as workplace:
            unfinished = Path(workplace) / folder.name
            try:
                _copy(self._place, unfinished)
            except (FileNotFoundError, shutil.Error):  # it is not there, or goes this very moment
                return False
            unfinished.rename(folder)
        return True

    def keep(self, folder: Path) -> None:
        """Keep the assembly of a folder, unless something that it follows from has changed meanwhile."""
        if self._of_now() != self._fingerprint:
            return
        self._store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".keeping-") as workplace:
            unfinished = Path(workplace) / "assembly"
            _copy(folder, unfinished)
            with contextlib.suppress(OSError):  # another process was quicker, with the same
                unfinished.rename(self._place)
        for other in self._store.glob(f"{self._of_context}-*"):
            if other != self._place:
                self._remove(other)

    def _remove(self, assembly: Path) -> None:
        """Remove an assembly in one step, so that nobody copies one that is half removed."""
        with (
            tempfile.TemporaryDirectory(dir=self._store, prefix=".removing-", ignore_cleanup_errors=True) as workplace,
            contextlib.suppress(OSError),  # another process was quicker
        ):
            assembly.rename(Path(workplace) / "assembly")

    @property
    def _of_context(self) -> str:
        return hashlib.sha256("\n".join(self._context).encode()).hexdigest()[:16]

    @property
    def _place(self) -> Path:
        return self._store / f"{self._of_context}-{self._fingerprint}"

    def _of_now(self) -> str:
        """The fingerprint of the sources as they are now."""
        digest = hashlib.sha256(sys.version.encode())
        for file in self._files():
            content = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "is not there"
            digest.update(f"{file}\n{content}\n".encode())
        return digest.hexdigest()

    def _files(self) -> Iterator[Path]:
        for name in _SOURCES:
            source = self._project / name
            if source.is_dir():
                yield from sorted(file for file in source.rglob("*") if file.is_file() and file.suffix != ".pyc")
            else:
                yield source
        yield Path.home() / ".cdk.json"  # the CLI takes context from there too


def _copy(folder: Path, to: Path) -> None:
    shutil.copytree(folder, to, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    """Nobody writes to an assembly's files, so two folders can share them, where both are on one disk."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
