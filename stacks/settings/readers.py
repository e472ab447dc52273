"""Who may reach a warehouse of totes' own besides the functions: address ranges and security groups."""

import re
from ipaddress import IPv4Network

_SECURITY_GROUP = "sg-([0-9a-f]{8}|[0-9a-f]{17})"


def why_no_reader(reader: str) -> str:
    """Why this is not a reader that can be let in; empty: it is one."""
    if is_security_group(reader):
        return ""
    try:
        addresses = IPv4Network(reader)
    except ValueError:
        return (
            "is no range of IPv4 addresses (its first address and its length, such as 10.1.0.0/16) nor a security "
            "group (such as sg-0123456789abcdef0)"
        )
    return "lets everybody in; name the ranges of those who read" if addresses.prefixlen == 0 else ""


def is_security_group(reader: str) -> bool:
    """Whether a reader is a security group, and not a range of addresses."""
    return re.fullmatch(_SECURITY_GROUP, reader) is not None
