"""The rules of security groups."""

from collections.abc import Iterator
from typing import Any

from moto.ec2.models import ec2_backends

from local_cloud.account import ACCOUNT, REGION

EVERYWHERE = "0.0.0.0/0"
TLS = 443


def rules(group: str, kind: str) -> Iterator[Any]:
    """Yield a security group's "ingress_rules" or "egress_rules", as moto has them."""
    found = ec2_backends[ACCOUNT][REGION].get_security_group_from_id(group)
    yield from getattr(found, kind, ())
