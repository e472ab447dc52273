"""The dashboard as plain files: the page, and every snapshot that there is, for any web server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from command_line.dashboard.page import NOT_BUILT, built_page
from totes.dashboard_snapshot import Folder
from totes.dashboard_snapshot.manifest import LATEST
from totes.dashboard_snapshot.page import START
from totes.errors import UserError
from totes.names import DATA

_AT_ONCE = 16
_ALWAYS_AGAIN = "moments/"
_OURS = ".totes-export"
"""Made in a folder before all else, so that an export that was interrupted is known for one and goes on."""

Progress = Callable[[int, int], None]
"""Called with how many files are done, and how many there are."""


def export(data: Folder, folder: Path, progress: Progress = lambda _done, _total: None) -> int:
    """Write the page and the data into a folder; into one that was written before, what is new.

    The document that names the latest snapshot is read first and written last, so that the files it names are there.

    Args:
        data: where the snapshots lie.
        folder: the folder, new or empty, or one of an earlier export, finished or not.
        progress: called with how far it is.

    Returns:
        How many files of data there are.

    Raises:
        UserError: the page is not built, there is no snapshot, or something else is in the folder.
        TotesError: the snapshots cannot be read.
    """
    page, latest = built_page(), data.find(LATEST)
    if not page:
        raise UserError(NOT_BUILT)
    if latest is None:
        raise UserError("there is no snapshot yet; run the pipeline first (totes run)")
    if not _is_ours(folder):
        raise UserError(f"{folder} holds something else; name a folder that is empty or not there")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _OURS).touch()
    keys = [key for key in data.keys("") if key != LATEST]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(lambda key: _copy(data, key, folder / DATA / key), keys), start=1):
            progress(done, len(keys))
    for name in sorted(page, key=lambda name: name == START):
        _write(folder / name, page[name])
    _write(folder / DATA / LATEST, latest.body)
    return len(keys) + 1


def _is_ours(folder: Path) -> bool:
    """Whether a folder is new, empty, or of an earlier export; older ones have no mark, only their last file."""
    if not folder.exists() or (folder / _OURS).is_file() or (folder / DATA / LATEST).is_file():
        return True
    return folder.is_dir() and not any(folder.iterdir())


def _copy(data: Folder, key: str, file: Path) -> None:
    """Copy an object, unless it never changes and is there."""
    if file.is_file() and not key.startswith(_ALWAYS_AGAIN):
        return
    found = data.find(key)
    if found is not None:
        _write(file, found.body)


def _write(file: Path, body: bytes) -> None:
    """Write a file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_bytes(body)
    unfinished.rename(file)
