"""Networks in which security groups say who reaches which database, and that go with their stack, all of them.

moto keeps the groups' rules and nothing asks them, and its CloudFormation leaves route tables, and so the VPC too, and
internet gateways, endpoints and flow logs.
A rule of both sides is needed, one by which who speaks may, and one by which who is spoken to lets them in:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
A server of this machine has another port than its template says, so a port is not compared.
"""

from collections.abc import Callable, Sequence
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.vpcs import VPCEndPoint

from local_cloud.endpoint.databases import groups_of_instances
from local_cloud.endpoint.patches import add
from local_cloud.endpoint.rules import EVERYWHERE, TLS, rules
from local_cloud.endpoint.ways_out import leads_out


def install() -> None:
    """Patch moto's networks."""
    add(RouteTable, "delete", _gone_from("route_tables"), why="moto's CloudFormation leaves it when its stack goes")
    add(FlowLogs, "delete", _gone_from("flow_logs"), why="moto's CloudFormation leaves it when its stack goes")
    add(
        InternetGateway,
        "delete",
        _gone_from("internet_gateways"),
        why="moto's CloudFormation leaves it when its stack goes",
    )
    add(VPCEndPoint, "delete", _gone_from("vpc_end_points"), why="moto's CloudFormation leaves it when its stack goes")


def endpoints_of(backend: Any) -> list[Any]:
    """Return the VPC endpoints that moto's EC2 has and has not deleted."""
    return [each for each in backend.vpc_end_points.values() if each.state != "deleted"]


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


def _gone_from(collection: str) -> Callable[[Any, str, str], None]:
    """What deletes a resource with its stack: it is in a collection of EC2's, and then no more."""

    def delete(resource: Any, account_id: str, region_name: str) -> None:
        getattr(ec2_backends[account_id][region_name], collection).pop(resource.id, None)

    return delete
