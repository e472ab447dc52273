"""What botocore knows of AWS's services, read once a process.

Left alone, each session reads it again: the list of all endpoints takes a fiftieth of a second of a processor, EC2's
model a tenth, and a local cloud makes a dozen sessions on its way up.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.loaders import JSONFileLoader, Loader, create_loader

_ours = JSONFileLoader()


class _ReadOnce:
    """Reads files as botocore does, each once."""

    exists = _ours.exists
    load_file = staticmethod(cache(_ours.load_file))


def shared_loader() -> Loader:
    """What a session reads by; what another session has read, it does not read again."""
    reads: Any = _ReadOnce()
    return Loader(file_loader=reads)


def share_with_all() -> None:
    """Let every session of this process share what has been read, also one that a library makes."""
    botocore.session.create_loader = _loader


def _loader(search_path_string: str | None = None) -> Loader:
    """As botocore makes it; a session with other folders reads them by itself."""
    return shared_loader() if search_path_string is None else create_loader(search_path_string)
