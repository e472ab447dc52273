"""Which code makes a star: no version goes on with what another one has begun."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from totes import star_schema, texts
from totes.star_schema import StarTable

BESIDE = (star_schema, texts)
"""What makes star rows, and lies beside this package."""


def fingerprint(tables: Sequence[StarTable]) -> str:
    """Return the SHA-256 of the star tables and of every file that makes rows of them.

    Any edit of such a file counts as other code.
    """
    return hashlib.sha256(f"{_files()} {tables!r}".encode()).hexdigest()


@cache
def _files() -> str:
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for file in [*(Path(str(module.__file__)) for module in BESIDE), *sorted(folder.rglob("*.py"))]:
        digest.update(f"{file.relative_to(folder.parent).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
