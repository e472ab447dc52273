"""Cloud assemblies that a run of tests synthesises once: the cdk CLI takes ten seconds to say the same again."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.cloud.cdk import Call, Cdk


@dataclass(frozen=True)
class _Kept:
    """A synthesis that there was before."""

    kept: Path
    assembly: Path

    def finish(self) -> None:
        shutil.copytree(self.kept, self.assembly, symlinks=True, copy_function=os.link)


@dataclass(frozen=True)
class _ToKeep:
    """A synthesis whose result is kept for the next."""

    call: Call
    assembly: Path
    kept: Path

    def finish(self) -> None:
        self.call.finish()
        unfinished = self.kept.with_name(uuid.uuid4().hex)
        shutil.copytree(self.assembly, unfinished, symlinks=True, copy_function=os.link)
        with contextlib.suppress(OSError):  # another worker was quicker
            unfinished.rename(self.kept)


@contextlib.contextmanager
def synthesised_once(factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let every cloud of an environment be deployed from the assembly that the CLI has made for the first.

    Args:
        factory: has the folder of all workers of a run.
    """
    store = factory.getbasetemp().parent / "assemblies"
    store.mkdir(exist_ok=True)
    synthesise = Cdk.synthesise

    def kept_or_synthesised(cdk: Cdk) -> _Kept | _ToKeep:
        kept = store / "".join(cdk._context)
        if kept.is_dir():
            return _Kept(kept, cdk._assembly)
        return _ToKeep(synthesise(cdk), cdk._assembly, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cdk, "synthesise", kept_or_synthesised)
        yield
