"""Which PostgreSQL the tests of the library talk to: the newest that totes brings, or the one of TESTED_POSTGRES.

`make versions` installs 14, 15 and 17, which totes does not bring, and names each in turn.
"""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

from local_cloud.postgres import EmbeddedPostgres

_ROOT = Path(__file__).parents[2]
BROUGHT = (16, 18)
_NAMED = os.environ.get("TESTED_POSTGRES")

VERSION = int(_NAMED or BROUGHT[-1])

OPTION_OF_VIEWS = "security_invoker" if VERSION >= 15 else "security_barrier"
"""One that is off where nobody sets it."""

_MACHINES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}
MACHINE = f"{platform.system().lower()}-{_MACHINES.get(platform.machine())}"
"""This machine, as npm's packages with PostgreSQL say it."""


def _binaries(version: int) -> Path | None:
    """The folder of a version's programs; None: totes brings it."""
    if version in BROUGHT:
        return None
    return _ROOT / f"build/versions/node_modules/postgres-{version}-{MACHINE}/native/bin"


def find_version() -> None:
    """Raise FileNotFoundError if the version is not installed."""
    binaries = _binaries(VERSION)
    if binaries and not binaries.exists():
        raise FileNotFoundError(f"PostgreSQL {VERSION} is not in {binaries}; make versions installs what there is")


def server_in(folder: Path, *, version: int = VERSION, settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
    """A server of the version that the tests talk to, or of another one; `start` makes it."""
    return EmbeddedPostgres(folder, version=version, binaries=_binaries(version), settings=settings)


def clients() -> Path:
    """The folder with psql and pg_dump; what this pg_dump writes, a server of the version understands."""
    version = next(brought for brought in BROUGHT if brought >= VERSION)
    return EmbeddedPostgres(Path(), version=version).binaries


def since(version: int, what: str) -> pytest.MarkDecorator:
    """The mark of a test of what PostgreSQL has since a version: the older ones skip it."""
    return pytest.mark.skipif(version > VERSION, reason=f"PostgreSQL {version} brought {what}")


def keep_what_talks_to_postgres(items: list[pytest.Item]) -> list[pytest.Item]:
    """Where a version is named, take the tests out that ask for no server of it; return them."""
    if _NAMED is None:
        return []
    asks = ["postgres" in getattr(item, "fixturenames", ()) for item in items]
    others = [item for item, it_asks in zip(items, asks, strict=True) if not it_asks]
    items[:] = [item for item, it_asks in zip(items, asks, strict=True) if it_asks]
    return others
