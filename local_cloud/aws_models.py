"""What botocore knows of AWS's services, read once a process.

Without this, each session reads it again: the list of all endpoints takes 20 ms of a processor, EC2's model 100 ms, and
a local cloud makes a dozen sessions while it starts.
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


class _AskedOnce(Loader):
    """Looks once a process which services there are; to look for them takes a thousand calls of the file system."""

    def list_available_services(self, type_name: str) -> list[str]:
        """As botocore has it."""
        return _services(tuple(self.search_paths), type_name)


@cache
def _services(folders: tuple[str, ...], type_name: str) -> list[str]:
    looks = Loader(extra_search_paths=list(folders), include_default_search_paths=False)
    found: list[str] = looks.list_available_services(type_name)
    return found


def shared_loader() -> Loader:
    """The loader of a session; it does not read again what another session has read."""
    reads: Any = _ReadOnce()
    return _AskedOnce(file_loader=reads)


def share_with_all() -> None:
    """Let every session of this process share what has been read, also one that a library makes."""
    botocore.session.create_loader = _loader


def _loader(search_path_string: str | None = None) -> Loader:
    """As botocore makes it; a session with other folders reads them by itself."""
    return shared_loader() if search_path_string is None else create_loader(search_path_string)
