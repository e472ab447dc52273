"""Ways out of a network, and who gets through them: internet gateways, NAT gateways and NAT instances.

moto's CloudFormation updates none of these, and moto checks none of them. Here a route can be changed, an address moves
with its instance, and one that a gateway holds is released only when the gateway is deleted. What is private gets out
through any gateway, and through an instance that runs, has an address, forwards what is neither from it nor to it, and
whose security groups let that in and out. What the account blocks, `public_access` says:
https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend

from local_cloud.account import ACCOUNT, REGION
from local_cloud.endpoint.patches import patch
from local_cloud.endpoint.public_access import blocks_gateways, blocks_instances
from local_cloud.endpoint.resources import Properties, Resource
from local_cloud.endpoint.rules import EVERYWHERE, TLS, rules

_RUNS = "running"
_INGRESS, _EGRESS = "ingress_rules", "egress_rules"

_Rules = Callable[[str, str], Iterator[Any]]
"""Gives the rules of a group, of one of these kinds, that are about a port."""

_moto_associate = ElasticAddressBackend.associate_address
_moto_disassociate = ElasticAddressBackend.disassociate_address
_moto_delete_gateway = NatGatewayBackend.delete_nat_gateway


def install() -> None:
    """Let NAT gateways hold their addresses."""
    patch(ElasticAddressBackend, "associate_address", _associate, why="moto moves an address that a gateway holds")
    patch(
        ElasticAddressBackend, "disassociate_address", _disassociate, why="moto lets an address go that a gateway holds"
    )
    patch(NatGatewayBackend, "delete_nat_gateway", _delete_gateway, why="moto keeps a gateway's address bound to it")


def leads_out(subnet: str, groups: Sequence[str]) -> bool:
    """Return whether what is in a subnet, and in these security groups, gets outside on another port than AWS's.

    The ports of databases differ between this machine and AWS, and are not compared.
    """
    return _leads(subnet, groups, _of_databases)


def leads_to_aws(subnet: str, groups: Sequence[str]) -> bool:
    """Return whether what is in a subnet, and in these security groups, gets outside on AWS's port."""
    may_speak = any(rule.ip_range.get("CidrIp") == EVERYWHERE for group in groups for rule in _of_aws(group, _EGRESS))
    return may_speak and _leads(subnet, groups, _of_aws)


def _leads(subnet: str, groups: Sequence[str], of_port: _Rules) -> bool:
    route = _default_route(subnet)
    if route is None:
        return False
    if route.nat_gateway is not None:
        return bool(route.nat_gateway.state == "available") and not blocks_gateways()
    return route.instance is not None and not blocks_instances() and _forwards(route.instance, groups, of_port)


def _default_route(subnet: str) -> Any:
    """The default route of a subnet; None: it has none."""
    for table in ec2_backends[ACCOUNT][REGION].route_tables.values():
        if subnet in table._associations.values():  # noqa: SLF001 - moto's own
            found = [each for each in table._routes.values() if each.destination_cidr_block == EVERYWHERE]  # noqa: SLF001
            return found[0] if found else None
    return None


def _forwards(instance: Any, clients: Sequence[str], of_port: _Rules) -> bool:
    groups = [group.id for interface in instance.nics.values() for group in interface.group_set]
    addresses = [each for each in ec2_backends[ACCOUNT][REGION].addresses if each.instance_id == instance.id]
    lets_in = {rule.source_group.get("GroupId") for group in groups for rule in of_port(group, _INGRESS)}
    may_speak = any(rule.ip_range.get("CidrIp") == EVERYWHERE for group in groups for rule in of_port(group, _EGRESS))
    checked = str(instance.source_dest_check).lower() == "true"
    return instance.state == _RUNS and bool(addresses) and not checked and bool(lets_in & set(clients)) and may_speak


def _of_databases(group: str, kind: str) -> Iterator[Any]:
    return (rule for rule in rules(group, kind) if rule.to_port != TLS)


def _of_aws(group: str, kind: str) -> Iterator[Any]:
    return (rule for rule in rules(group, kind) if rule.to_port == TLS)


class _HeldByGateway(EC2ClientError):  # type: ignore[misc] # moto has no types
    def __init__(self) -> None:
        super().__init__("AuthFailure", "You do not have permission to access the specified resource.")


def _holds(backend: Any, address: Any) -> bool:
    gateways = [each for each in backend.nat_gateways.values() if each.state != "deleted"]
    return address.eni is not None and any(gateway._eni.id == address.eni.id for gateway in gateways)  # noqa: SLF001


def _associate(backend: Any, instance: Any = None, **options: Any) -> Any:
    address, allocation = options.get("address"), options.get("allocation_id")
    [found] = backend.address_by_ip([address]) if address else backend.address_by_allocation([allocation])
    if instance is not None and _holds(backend, found):
        raise _HeldByGateway
    return _moto_associate(backend, instance, **options)


def _disassociate(backend: Any, address: str | None = None, association_id: str | None = None) -> None:
    found = backend.address_by_ip([address]) if address else backend.address_by_association([association_id])
    if _holds(backend, found[0]):
        raise _HeldByGateway
    _moto_disassociate(backend, address, association_id)


def _delete_gateway(backend: Any, nat_gateway_id: str) -> Any:
    gateway = _moto_delete_gateway(backend, nat_gateway_id)
    for address in backend.addresses:
        if address.eni is not None and address.eni.id == gateway._eni.id:  # noqa: SLF001 - moto's own
            _moto_disassociate(backend, address.public_ip)
    return gateway


class Instance(Resource):
    """An instance. Nothing runs in it: its properties and its place decide who gets through.

    In AWS its type and its script can change while it is stopped.
    """

    cloudformation = "AWS::EC2::Instance"
    service = "ec2"
    replaced_by = ("ImageId", "InstanceType", "SubnetId", "UserData", "BlockDeviceMappings")
    attribute_names = ("PrivateIp", "PublicIp", "AvailabilityZone")

    def make(self) -> None:
        """Start it."""
        words = ("ImageId", "InstanceType", "SubnetId", "SecurityGroupIds", "MetadataOptions", "BlockDeviceMappings")
        wanted = self.typed("RunInstances", words)
        script = base64.b64decode(self.properties.get("UserData", ""))
        [made] = self.client.run_instances(**wanted, UserData=script, MinCount=1, MaxCount=1)["Instances"]
        self.physical_resource_id = made["InstanceId"]
        self.attributes = {
            "PrivateIp": made["PrivateIpAddress"],
            "PublicIp": made.get("PublicIpAddress", ""),
            "AvailabilityZone": made["Placement"]["AvailabilityZone"],
        }
        self.change(self.properties)

    def change(self, properties: Properties) -> None:
        """Change it, as far as it can be while it runs."""
        forwards = str(properties.get("SourceDestCheck", True)).lower() == "false"
        instance = {"InstanceId": self.physical_resource_id}
        self.client.modify_instance_attribute(**instance, SourceDestCheck={"Value": not forwards})
        if groups := properties.get("SecurityGroupIds"):
            self.client.modify_instance_attribute(**instance, Groups=groups)

    def remove(self) -> None:
        """End it."""
        self.client.terminate_instances(InstanceIds=[self.physical_resource_id])


class Address(Resource):
    """An address of the internet's, and the instance that has it."""

    cloudformation = "AWS::EC2::EIP"
    service = "ec2"
    attribute_names = ("AllocationId", "PublicIp")

    def make(self) -> None:
        """Have one."""
        made = self.client.allocate_address(Domain="vpc")
        self.physical_resource_id = made["PublicIp"]
        self.attributes = {word: made[word] for word in self.attribute_names}
        self._move({}, self.properties)

    def change(self, properties: Properties) -> None:
        """Move it."""
        self._move(self.properties, properties)

    def remove(self) -> None:
        """Give it back."""
        self.client.release_address(AllocationId=self.attributes["AllocationId"])

    def _move(self, old: Properties, new: Properties) -> None:
        instance = new.get("InstanceId")
        if instance == old.get("InstanceId"):
            return
        if instance:
            this = {"AllocationId": self.attributes["AllocationId"]}
            self.client.associate_address(**this, InstanceId=instance, AllowReassociation=True)
        else:
            self.client.disassociate_address(PublicIp=self.physical_resource_id)


class Gateway(Resource):
    """A NAT gateway."""

    cloudformation = "AWS::EC2::NatGateway"
    service = "ec2"
    attribute_names = ("NatGatewayId",)

    def make(self) -> None:
        """Make it."""
        wanted = self.typed("CreateNatGateway", ("SubnetId", "AllocationId", "ConnectivityType"))
        self.physical_resource_id = self.client.create_nat_gateway(**wanted)["NatGateway"]["NatGatewayId"]
        self.attributes["NatGatewayId"] = self.physical_resource_id

    def change(self, properties: Properties) -> None:
        """Nothing of it changes but its tags, and nothing here reads them."""

    def remove(self) -> None:
        """Delete it; one that a person has deleted already is no hindrance."""
        self.client.delete_nat_gateway(NatGatewayId=self.physical_resource_id)


class Route(Resource):
    """A route."""

    cloudformation = "AWS::EC2::Route"
    service = "ec2"

    def make(self) -> None:
        """Make it."""
        self.client.create_route(**self._request(self.properties))
        self.physical_resource_id = f"{self.properties['RouteTableId']}|{self.properties['DestinationCidrBlock']}"

    def change(self, properties: Properties) -> None:
        """Have it lead elsewhere."""
        self.client.replace_route(**self._request(properties))

    def remove(self) -> None:
        """Delete it."""
        self.client.delete_route(**{word: self.properties[word] for word in ("RouteTableId", "DestinationCidrBlock")})

    def _request(self, properties: Properties) -> dict[str, Any]:
        words = ("RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId", "InstanceId")
        return {word: properties[word] for word in words if word in properties}


class TableOfSubnet(Resource):
    """Which route table a subnet has; moto's CloudFormation records it where moto itself does not look."""

    cloudformation = "AWS::EC2::SubnetRouteTableAssociation"
    service = "ec2"

    def make(self) -> None:
        """Have the subnet follow the table."""
        wanted = {word: self.properties[word] for word in ("RouteTableId", "SubnetId")}
        self.physical_resource_id = self.client.associate_route_table(**wanted)["AssociationId"]

    def change(self, properties: Properties) -> None:
        """Have it follow another."""
        self.remove()
        self.properties = properties
        self.make()

    def remove(self) -> None:
        """Have it follow none."""
        self.client.disassociate_route_table(AssociationId=self.physical_resource_id)


MODELS: tuple[type[Resource], ...] = (Instance, Address, Gateway, Route, TableOfSubnet)
