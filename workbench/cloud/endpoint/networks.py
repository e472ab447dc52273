"""Networks in which security groups say who reaches which database, and route tables that go with their stack.

moto keeps the groups' rules and nothing asks them, and its CloudFormation leaves route tables, and so the VPC too. A
rule of both sides is needed, one by which who speaks may, and one by which who is spoken to lets them in:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
A server of this machine has another port than its template says, so a port is not compared.
"""

from collections.abc import Sequence
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable

from workbench.cloud.endpoint.databases import groups_of_instances
from workbench.cloud.endpoint.rules import EVERYWHERE, TLS, rules
from workbench.cloud.endpoint.ways_out import leads_out


def install() -> None:
    """Mend moto's route tables."""
    RouteTable.delete = _delete


def reached_by(groups: Sequence[str], subnets: Sequence[str]) -> frozenset[str]:
    """Return which databases are reached from these security groups and subnets: "source", "warehouse".

    A stack's own instance is the warehouse; a database that is given is outside, and reached by who may speak to the
    outside on another port than that of AWS, where each of the subnets leads out: in which of them a function runs, it
    does not choose.
    """
    warehouse = groups_of_instances()
    spoken_to = [rule for group in groups for rule in rules(group, "egress_rules")]
    may_go_out = any(rule.ip_range.get("CidrIp") == EVERYWHERE and rule.to_port != TLS for rule in spoken_to)
    outside = may_go_out and bool(subnets) and all(leads_out(subnet, groups) for subnet in subnets)
    let_in = {rule.source_group.get("GroupId") for group in warehouse for rule in rules(group, "ingress_rules")}
    may_speak = any(rule.source_group.get("GroupId") in warehouse for rule in spoken_to)
    inside = may_speak and bool(let_in & set(groups)) if warehouse else outside
    return frozenset(name for name, reached in (("source", outside), ("warehouse", inside)) if reached)


def _delete(table: Any, account_id: str, region_name: str) -> None:
    ec2_backends[account_id][region_name].route_tables.pop(table.id, None)
