"""Snapshots in memory and in a folder, for the tests of who writes them and of who reads them.

`python -m tests.support.snapshots URI FOLDER` writes the snapshot of a warehouse as plain files, as
`totes dashboard --export` writes that of a cloud.
"""

import sys
from pathlib import Path
from typing import Any, cast

from tests.support.databases import session
from tests.support.memory_store import MemoryStore
from totes.dashboard_snapshot import Folder, publish
from totes.names import DATA


def folder_of(store: MemoryStore, bucket: str = "dashboard") -> Folder:
    """Where snapshots lie in a store."""
    return Folder(bucket, DATA, cast("Any", store))


def write_snapshot(warehouse: str, folder: Path) -> None:
    """Write the snapshot of a warehouse into a folder, beside those that are there."""
    store = MemoryStore()
    for file in (path for path in folder.rglob("*") if path.is_file()):
        store.put_object(Bucket="dashboard", Key=DATA + file.relative_to(folder).as_posix(), Body=file.read_bytes())
    with session(warehouse) as connection:
        publish(connection, folder_of(store))
    for key in store.keys:
        file = folder / key.removeprefix(DATA)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(store.get_object(Bucket="dashboard", Key=key)["Body"].read())


if __name__ == "__main__":
    write_snapshot(sys.argv[1], Path(sys.argv[2]))
