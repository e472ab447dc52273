"""The page as it was built, with a configuration by which it finds the data beside it."""

import json
from collections.abc import Mapping

from local_cloud.cdk import PROJECT
from totes.dashboard_snapshot.page import CONFIG, START
from totes.names import DATA

BUILT = PROJECT / "dashboard" / "dist"

NOT_BUILT = "The dashboard's page is not built yet: run make setup in the folder of totes, then load this again."

_BESIDE_IT = json.dumps({"data": {"kind": "plain", "base": DATA}}).encode()


def built_page() -> Mapping[str, bytes]:
    """The page's files by name; none where it is not built."""
    if not (BUILT / START).is_file():
        return {}
    files = {file.relative_to(BUILT).as_posix(): file.read_bytes() for file in BUILT.rglob("*") if file.is_file()}
    return {**files, CONFIG: _BESIDE_IT}
