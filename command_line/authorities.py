"""The certificates of a database's own authority, read from a person's file."""

import re
import ssl
from pathlib import Path

from totes.errors import UserError

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_MOST_BYTES = 48 * 1024
"""A secret has 64 KiB, as JSON and with the rest of the login."""


def certificates_in(file: Path) -> str:
    """Return the certificates in a PEM file, without anything else that the file holds.

    Args:
        file: what a person names.

    Raises:
        UserError: it cannot be read, holds a private key or no certificate, or more than a secret takes. The error
            does not show what the file holds.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(f"{file} cannot be read as a certificate in PEM: {reason}") from None
    if "PRIVATE KEY-----" in text:
        raise UserError(
            f"{file} holds a private key, which belongs to the server alone; name its authority's certificate"
        )
    found = "\n".join(_BLOCK.findall(text)) + "\n"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError):
        raise UserError(f"{file} holds no certificate in PEM, or one that is broken") from None
    if len(found) > _MOST_BYTES:
        raise UserError(
            f"{file} has {len(found):,} bytes of certificates, and a secret takes {_MOST_BYTES:,}; keep those of the "
            "database's own authority (RDS offers a file for each region)"
        )
    return found
