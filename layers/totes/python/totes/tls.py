"""How a database is reached by TLS: verified in full, unless its secret says otherwise or it is on this machine."""

import importlib.util
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from totes.errors import ConfigurationError

PEM = "sslrootcert_pem"
"""What a secret may hold beside libpq's keywords: the certificates of a database's own authority, as text."""

_HERE = ("localhost", "127.0.0.1", "::1")
VERIFY_CA = "verify-ca"
VERIFYING = (VERIFY_CA, "verify-full")
"""The modes, in libpq's words, in which a server has to show a certificate of a known authority."""

ANOTHER_NAME = "does not match host name"
"""What libpq says of a server whose certificate is of a known authority and names another host."""


@contextmanager
def with_tls(keywords: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give libpq's keywords, completed by how to verify the server; they are good for connecting inside the context.

    Where nothing is said, a server elsewhere has to prove its name by a certificate of RDS's authorities, or of those
    in `sslrootcert_pem`.

    Raises:
        ConfigurationError: the certificates are to be used and are not there; or the server's name is not to be
            proved, and the authorities are those of RDS, who sign for everybody's servers.
    """
    completed = {name: value for name, value in keywords.items() if name != PEM}
    host = str(keywords["host"])
    if not is_here(host):
        completed.setdefault("sslmode", "verify-full")
    if completed.get("sslmode") not in VERIFYING or "sslrootcert" in completed:
        yield completed
    elif pem := keywords.get(PEM):
        # libpq reads certificates from a file and from nowhere else, and when it connects only.
        with tempfile.NamedTemporaryFile("w", prefix="totes-", suffix=".pem", encoding="ascii") as file:
            file.write(str(pem))
            file.flush()
            yield {**completed, "sslrootcert": file.name}
    elif completed["sslmode"] == VERIFY_CA:
        raise ConfigurationError(
            f"nothing proves which server {host} is: sslmode=verify-ca looks at no name, so it needs the certificates "
            "of an authority that signs for this server alone (totes secrets set LOGIN --sslrootcert FILE); "
            "sslmode=verify-full looks at the name too"
        )
    else:
        yield {**completed, "sslrootcert": str(bundle())}


def is_here(host: str) -> bool:
    """Whether a host, in libpq's words, is the very machine that connects to it."""
    return host.startswith("/") or host in _HERE


def bundle() -> Path:
    """The file with the certificates of RDS's authorities.

    Raises:
        ConfigurationError: it is not there.
    """
    found = importlib.util.find_spec("rds_certificates")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError("the certificates of RDS are missing; make setup writes them, and the layer has them")
    return Path(found.submodule_search_locations[0]) / "bundle.pem"
