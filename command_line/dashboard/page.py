"""The page as it was built, with a configuration by which it finds the data beside it."""

import json
from collections.abc import Mapping
from pathlib import Path

from local_cloud.cdk import PROJECT
from totes.snapshot.page import CONFIG, START

BUILT = PROJECT / "dashboard" / "dist"

NOT_BUILT = "The dashboard's page is not built yet: run make setup in the folder of totes, then load this again."

_BESIDE_IT = json.dumps({"data": {"kind": "plain", "base": "data/"}}).encode()


def built_page(folder: Path = BUILT) -> Mapping[str, bytes]:
    """The page's files by name; none where it is not built."""
    if not (folder / START).is_file():
        return {}
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {**files, CONFIG: _BESIDE_IT}
