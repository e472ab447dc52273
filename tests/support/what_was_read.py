"""What PostgreSQL counts of what its sessions read."""

import time

from tests.support.databases import value
from tests.support.versions import VERSION
from tests.support.waiting import until

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def await_statistics(uri: str) -> None:
    """Wait until it can be read what the sessions of a database did: each tells as it ends, a while after its client.

    Before PostgreSQL 15 a process of its own collects that, and writes it down twice a second.
    """
    until(lambda: value(uri, _OTHERS) == 0)
    if VERSION < 15:
        time.sleep(1)
