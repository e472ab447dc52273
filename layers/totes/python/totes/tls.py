"""How a database is reached by TLS: verified in full, unless its secret says otherwise or it is on this machine."""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from totes.errors import ConfigurationError

PEM = "sslrootcert_pem"
"""What a secret may hold beside libpq's keywords: the certificates of a database's own authority, as text."""

_HERE = ("localhost", "127.0.0.1", "::1")
_VERIFYING = ("verify-ca", "verify-full")


def with_tls(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return libpq's keywords, completed by how to verify the server.

    Where nothing is said, a server elsewhere has to prove its name by a certificate of RDS's authorities, or of those
    in `sslrootcert_pem`.

    Raises:
        ConfigurationError: the certificates are to be used and are not there.
    """
    completed = {name: value for name, value in keywords.items() if name != PEM}
    host = str(keywords["host"])
    if not host.startswith("/") and host not in _HERE:
        completed.setdefault("sslmode", "verify-full")
    if completed.get("sslmode") in _VERIFYING and "sslrootcert" not in completed:
        pem = keywords.get(PEM)
        completed["sslrootcert"] = str(_file_of(str(pem)) if pem else _bundle())
    return completed


def _bundle() -> Path:
    found = importlib.util.find_spec("rds_certificates")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError("the certificates of RDS are missing; make setup writes them, and the layer has them")
    return Path(found.submodule_search_locations[0]) / "bundle.pem"


def _file_of(pem: str) -> Path:
    """A file with the certificates, for libpq reads them from none other; its name says what is in it."""
    file = Path(tempfile.gettempdir()) / f"totes-{hashlib.sha256(pem.encode()).hexdigest()}.pem"
    if not file.exists():
        descriptor, unfinished = tempfile.mkstemp(dir=file.parent)  # nobody else may write to it
        with os.fdopen(descriptor, "w", encoding="ascii") as output:
            output.write(pem)
        Path(unfinished).replace(file)
    return file
