"""The network of the local cloud: a function that is not in it does not reach its databases.

In AWS nobody outside of the network can connect to a database in a private subnet, and within the network the
database's security group says who can:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
Here the host name in a login is resolved only by libpq's service file. The processes of functions in the network have
such a file, with the databases that they reach:
https://www.postgresql.org/docs/17/libpq-pgservice.html
"""

import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

VARIABLE = "PGSERVICEFILE"
"""What tells libpq where the addresses stand."""

_DOMAIN = ".network.internal"
_ADDRESS = "[{}]\nhostaddr=127.0.0.1\n"


class Network:
    """The network of a cloud.

    Args:
        folder: the cloud's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def way_to(self, reached: Collection[str]) -> dict[str, str]:
        """The environment variables of a process that reaches these databases ("source", "warehouse")."""
        names = sorted(reached)
        addresses = self._folder / f"network-{'-'.join(names)}.conf"
        if names and not addresses.exists():
            unfinished = addresses.with_suffix(f".{uuid.uuid4().hex}")  # who reads it meanwhile reads all of it
            unfinished.write_text("".join(map(_ADDRESS.format, names)), encoding="ascii")
            unfinished.rename(addresses)
        return {VARIABLE: str(addresses)} if names else {}


def inside(values: Mapping[str, Any], login_name: str) -> dict[str, Any]:
    """Return the login of a database in the form that it has where the database is in the network.

    Args:
        values: the login of an embedded database.
        login_name: "source" or "warehouse".
    """
    return {**values, "host": f"{login_name}{_DOMAIN}", "service": login_name, "sslmode": "disable"}


def database_at(host: str) -> str | None:
    """Return which database a name in the network is of, "source" or "warehouse"; None: it is no such name."""
    return host.removesuffix(_DOMAIN) if host.endswith(_DOMAIN) else None
