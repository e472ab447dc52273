"""Networks in which security groups say who reaches which database, and route tables that go with their stack.

moto keeps the groups' rules and nothing asks them, and its CloudFormation leaves route tables, and so the VPC too. A
rule of both sides is needed, one by which who speaks may, and one by which who is spoken to lets them in:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
A server of this machine has another port than its template says, so a port is not compared.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable

from workbench.cloud.endpoint.databases import groups_of_instances
from workbench.cloud.place import ACCOUNT, REGION

_EVERYWHERE = "0.0.0.0/0"
_TLS = 443


def install() -> None:
    """Mend moto's route tables."""
    RouteTable.delete = _delete


def reached_by(groups: Sequence[str]) -> frozenset[str]:
    """Return which databases a function reaches that is in these security groups: "source", "warehouse".

    A stack's own instance is the warehouse; a database that is given is outside, and reached by who may speak to the
    outside on another port than that of AWS.
    """
    warehouse = groups_of_instances()
    spoken_to = [rule for group in groups for rule in _rules(group, "egress_rules")]
    outside = any(rule.ip_range.get("CidrIp") == _EVERYWHERE and rule.to_port != _TLS for rule in spoken_to)
    let_in = {rule.source_group.get("GroupId") for group in warehouse for rule in _rules(group, "ingress_rules")}
    may_speak = any(rule.source_group.get("GroupId") in warehouse for rule in spoken_to)
    inside = may_speak and bool(let_in & set(groups)) if warehouse else outside
    return frozenset(name for name, reached in (("source", outside), ("warehouse", inside)) if reached)


def _rules(group: str, kind: str) -> Iterator[Any]:
    found = ec2_backends[ACCOUNT][REGION].get_security_group_from_id(group)
    yield from getattr(found, kind, ())


def _delete(table: Any, account_id: str, region_name: str) -> None:
    ec2_backends[account_id][region_name].route_tables.pop(table.id, None)
