"""Networks in which security groups say who reaches which database, and that go with their stack, all of them.

moto keeps the groups' rules and nothing asks them, and its CloudFormation leaves route tables, and so the VPC too, and
internet gateways, endpoints and flow logs. A group that a database is in it deletes, which EC2 refuses:
https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html
A group that says whom its members may speak to has no rule by which they may speak to everybody, as moto leaves it.
A rule of both sides is needed, one by which who speaks may, and one by which who is spoken to lets them in:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
A server of this machine has another port than its template says, so a port is not compared.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend
from moto.ec2.models.vpcs import VPCEndPoint

from local_cloud.endpoint.databases import groups_of_instances
from local_cloud.endpoint.patches import add, patch
from local_cloud.endpoint.resources import Properties, Resource, client_of
from local_cloud.endpoint.rules import EVERYWHERE, TLS, rules
from local_cloud.endpoint.ways_out import leads_out

_moto_create_group = SecurityGroup.create_from_cloudformation_json
_moto_delete_group = SecurityGroupBackend.delete_security_group


_EVERYBODY = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}


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
    patch(
        SecurityGroup,
        "create_from_cloudformation_json",
        staticmethod(_create_group),
        why="moto leaves the rule by which members may speak to everybody",
    )
    patch(
        SecurityGroupBackend, "delete_security_group", _delete_group, why="moto deletes a group that a database is in"
    )


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


def _create_group(
    resource_name: str, cloudformation_json: Mapping[str, Any], account_id: str, region_name: str, **said: Any
) -> Any:
    made = _moto_create_group(resource_name, cloudformation_json, account_id, region_name, **said)
    if (rules_out := cloudformation_json["Properties"].get("SecurityGroupEgress")) is not None:
        client = client_of("ec2", region_name)
        client.revoke_security_group_egress(GroupId=made.id, IpPermissions=[_EVERYBODY])
        if rules_out:
            client.authorize_security_group_egress(
                GroupId=made.id, IpPermissions=[_permission(each) for each in rules_out]
            )
    return made


def _permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    ports = {word: int(rule[word]) for word in ("FromPort", "ToPort") if word in rule}
    group = rule.get("DestinationSecurityGroupId")
    whom = {"UserIdGroupPairs": [{"GroupId": group}]} if group else {"IpRanges": [{"CidrIp": rule["CidrIp"]}]}
    return {"IpProtocol": str(rule["IpProtocol"]), **ports, **whom}


def _delete_group(backend: Any, name: str | None = None, group_id: str | None = None) -> None:
    if group_id in groups_of_instances():
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    _moto_delete_group(backend, name, group_id)


class SecurityGroupEgress(Resource):
    """A rule by which a security group may speak to another."""

    cloudformation = "AWS::EC2::SecurityGroupEgress"
    service = "ec2"

    def make(self) -> None:
        """Make it."""
        self.client.authorize_security_group_egress(**self._rule(self.properties))

    def change(self, properties: Properties) -> None:
        """Change it: a rule has nothing but what it says, so it is made again."""
        self.remove()
        self.client.authorize_security_group_egress(**self._rule(properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.revoke_security_group_egress(**self._rule(self.properties))

    def _rule(self, properties: Properties) -> dict[str, Any]:
        ports = {word: int(properties[word]) for word in ("FromPort", "ToPort")}
        pair = {"GroupId": properties["DestinationSecurityGroupId"]}
        permission = {"IpProtocol": properties["IpProtocol"], **ports, "UserIdGroupPairs": [pair]}
        return {"GroupId": properties["GroupId"], "IpPermissions": [permission]}


MODELS: tuple[type[Resource], ...] = (SecurityGroupEgress,)
