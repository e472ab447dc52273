"""Which code makes a star: what one version has begun another does not go on with."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from totes import star_schema
from totes.star_schema import StarTable


def fingerprint(tables: Sequence[StarTable]) -> str:
    """Return the SHA-256 of the files that decide how a source row is converted, and of the star tables."""
    return hashlib.sha256(f"{_files()} {tables!r}".encode()).hexdigest()


@cache
def _files() -> str:
    folder, words = Path(__file__).parent, Path(star_schema.__file__)
    digest = hashlib.sha256()
    for file in [words, *sorted(folder.rglob("*.py"))]:
        digest.update(f"{file.relative_to(folder.parent).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
