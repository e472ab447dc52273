"""The page beside the data: the files that were built, and the document that tells the page where the data is."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from totes.lake.folder import Folder, Keep

logger = logging.getLogger(__name__)

CONFIG = "config.json"
START = "index.html"

_INDEX = "written.json"
"""Says which files there are, each with the digest of its content."""

_NAMED_BY_CONTENT = re.compile(r"-[A-Za-z0-9_-]{8,}\.(css|js|woff2)$")

_JSON = "application/json"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": _JSON,
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def put_page(folder: Folder, built: Path, config: Mapping[str, Any]) -> int:
    """Write the files of the page that are not there yet; the file that a browser loads first is written last.

    Files of an earlier page stay, because a browser that has loaded its first file asks for them.

    Args:
        folder: where it lies.
        built: the folder of what was built; without one, nothing is written.
        config: what tells the page where the data is.

    Returns:
        How many files were written.

    Raises:
        ConfigurationError: the bucket is missing or may not be written.
        LakeUnavailable: the store did not answer or refused for the moment.
    """
    if not (built / START).is_file():
        return 0
    files = {file.relative_to(built).as_posix(): file.read_bytes() for file in built.rglob("*") if file.is_file()}
    files[CONFIG] = json.dumps(config, sort_keys=True).encode()
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    index = json.dumps(digests, sort_keys=True).encode()
    held = folder.find(_INDEX)
    if held is not None and held.body == index:
        return 0
    before = json.loads(held.body) if held else {}
    changed = [name for name, digest in digests.items() if before.get(name) != digest]
    for name in sorted(changed, key=lambda name: (name == START, not _NAMED_BY_CONTENT.search(name), name)):
        folder.write(name, files[name], kind_of(name), keep_of(name))
    folder.write(_INDEX, index, _JSON, Keep.NEVER)
    logger.info("wrote %d files of the page", len(changed))
    return len(changed)


def kind_of(name: str) -> str:
    """The media type of a file of the page, or of the data, by its name."""
    return _KINDS.get(Path(name).suffix, "application/octet-stream")


def keep_of(name: str) -> Keep:
    """How long a browser may keep a file of the page."""
    return Keep.FOREVER if _NAMED_BY_CONTENT.search(name) else Keep.NEVER
