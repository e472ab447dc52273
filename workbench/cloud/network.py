"""The network of the local cloud: who is not in it does not reach its databases.

In AWS the address of a database in a private subnet is one that nobody outside of its network can speak to:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
Here the name that a login says leads nowhere but by libpq's service file, which the processes of functions in the
network have:
https://www.postgresql.org/docs/17/libpq-pgservice.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "PGSERVICEFILE"
"""What tells libpq where the network's addresses stand."""

_FILE = "network.conf"
_NAME = "network"


class Network:
    """The network of a cloud.

    Args:
        folder: the cloud's.

    Attributes:
        addresses: the file that says where the databases in it are.
    """

    def __init__(self, folder: Path) -> None:
        self.addresses = folder / _FILE

    def open(self) -> None:
        """Write the addresses."""
        self.addresses.write_text(f"[{_NAME}]\nhostaddr=127.0.0.1\n", encoding="ascii")


def inside(values: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Return the login of a database as it is said where the database is in the network.

    Args:
        values: the login of an embedded database.
        role: "source" or "warehouse".
    """
    return {**values, "host": f"{role}.{_NAME}.internal", "service": _NAME, "sslmode": "disable"}
