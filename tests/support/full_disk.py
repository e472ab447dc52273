"""A server that cannot write: a file for which the kernel has no room, and a disk that is small."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres
from tests.support.databases import value

_FULL = Path("/dev/full")


def leave_no_room(server: EmbeddedPostgres, uri: str, table: str) -> None:
    """Let the kernel refuse every page that a server adds to an empty table, as a disk does that is full."""
    if not _FULL.is_char_device():
        pytest.skip(f"{_FULL} is a device of Linux")
    file = server._data / value(uri, "SELECT pg_relation_filepath(%s)", [table])
    assert file.stat().st_size == 0
    file.unlink()
    file.symlink_to(_FULL)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of its own of so many bytes, in a new folder."""
    folder.mkdir()
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder):
        folder.rmdir()
        pytest.skip("who runs the tests may not mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def resize(disk: Path, size: int) -> None:
    """Give a small disk another size."""
    assert not _mount("-o", f"remount,size={size}", disk)


def _mount(*arguments: str | Path) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode
