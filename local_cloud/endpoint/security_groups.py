"""Security groups and their rules, as CloudFormation makes and changes them.

moto's CloudFormation makes another group for every change of one, and leaves a rule that has left its template. A group
that a database or an endpoint is in moto deletes, which EC2 refuses:
https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.security_groups import SecurityGroupBackend

from local_cloud.endpoint.databases import groups_of_instances
from local_cloud.endpoint.networks import endpoints_of
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.resources import Properties, Resource
from local_cloud.endpoint.rules import EVERYWHERE

_moto_delete_group = SecurityGroupBackend.delete_security_group

_Permission = dict[str, Any]

_EVERYBODY = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}
"""The rule out of a group of which nobody says whom its members may speak to."""


def install() -> None:
    """Patch how moto deletes groups."""
    patch(
        SecurityGroupBackend,
        "delete_security_group",
        _delete_group,
        why="moto deletes a group that a database or an endpoint is in",
    )


def _delete_group(backend: Any, name: str | None = None, group_id: str | None = None) -> None:
    if group_id in groups_of_instances().union(*(each.security_group_ids for each in endpoints_of(backend))):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    _moto_delete_group(backend, name, group_id)


def _permission(rule: Mapping[str, Any]) -> _Permission:
    """A rule of a template, in the words of EC2's API."""
    ports = {word: int(rule[word]) for word in ("FromPort", "ToPort") if word in rule}
    if group := rule.get("DestinationSecurityGroupId") or rule.get("SourceSecurityGroupId"):
        whom: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": group}]}
    else:
        whom = {"IpRanges": [{"CidrIp": rule["CidrIp"]}]}
    return {"IpProtocol": str(rule["IpProtocol"]), **ports, **whom}


class SecurityGroup(Resource):
    """A group, and the rules that its own resource has."""

    cloudformation = "AWS::EC2::SecurityGroup"
    service = "ec2"
    name_property = "GroupName"
    replaced_by = ("GroupDescription", "VpcId")
    attribute_names = ("GroupId", "Id", "VpcId")

    def make(self) -> None:
        """Make it."""
        tags = [{"ResourceType": "security-group", "Tags": said}] if (said := self.properties.get("Tags")) else []
        made = self.client.create_security_group(
            GroupName=self.name,
            Description=self.properties["GroupDescription"],
            VpcId=self.properties["VpcId"],
            TagSpecifications=tags,
        )["GroupId"]
        self.physical_resource_id = made
        self.attributes = {"GroupId": made, "Id": made, "VpcId": self.properties["VpcId"]}
        self._set({}, self.properties)

    def change(self, properties: Properties) -> None:
        """Give it other rules; it stays the same group."""
        self._set(self.properties, properties)

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_security_group(GroupId=self.physical_resource_id)

    def _set(self, old: Properties, new: Properties) -> None:
        for kind, way in (("SecurityGroupIngress", "ingress"), ("SecurityGroupEgress", "egress")):
            before, after = self._permissions(old, kind), self._permissions(new, kind)
            self._call(f"revoke_security_group_{way}", [each for each in before if each not in after])
            self._call(f"authorize_security_group_{way}", [each for each in after if each not in before])

    def _permissions(self, properties: Properties, kind: str) -> list[_Permission]:
        if kind in properties:
            return [_permission(rule) for rule in properties[kind]]
        return [_EVERYBODY] if kind == "SecurityGroupEgress" else []

    def _call(self, operation: str, permissions: Sequence[_Permission]) -> None:
        if permissions:
            getattr(self.client, operation)(GroupId=self.physical_resource_id, IpPermissions=permissions)


class _Rule(Resource):
    """A rule that is a resource of its own."""

    service = "ec2"
    way: ClassVar[str]
    """Whether it lets in or out, in the words of EC2's API."""

    def make(self) -> None:
        """Make it."""
        self._call("authorize", self.properties)

    def change(self, properties: Properties) -> None:
        """Change it: a rule has nothing but what it says, so it is made again."""
        self.remove()
        self._call("authorize", properties)

    def remove(self) -> None:
        """Delete it."""
        self._call("revoke", self.properties)

    def _call(self, verb: str, properties: Properties) -> None:
        operation = getattr(self.client, f"{verb}_security_group_{self.way}")
        operation(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])


class SecurityGroupEgress(_Rule):
    """A rule by which the members of a group may speak to those of another."""

    cloudformation = "AWS::EC2::SecurityGroupEgress"
    way = "egress"


class SecurityGroupIngress(_Rule):
    """A rule by which a group lets in those of another, or a range of addresses."""

    cloudformation = "AWS::EC2::SecurityGroupIngress"
    way = "ingress"


MODELS: tuple[type[Resource], ...] = (SecurityGroup, SecurityGroupEgress, SecurityGroupIngress)
