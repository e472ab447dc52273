"""What a network's parts cost; each function raises Unpriceable if that cannot be told."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs import assumptions, prices
from costs.charge import Charge
from costs.runs import Runs
from costs.templates import TemplateResource, Unpriceable


def nat_gateway(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::EC2::NatGateway: its hours, and what goes through it."""
    return [
        Charge(assumptions.HOURS_A_MONTH, prices.NAT_HOUR),
        Charge(assumptions.GB_THROUGH_A_GATEWAY, prices.NAT_DATA),
    ]


def endpoint(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::EC2::VPCEndpoint: an interface costs its hours in each zone; a gateway costs nothing."""
    kind = resource.properties.get("VpcEndpointType", "Gateway")
    if kind == "Gateway":
        return []
    subnets = resource.properties.get("SubnetIds")
    if kind != "Interface" or not isinstance(subnets, list):
        raise Unpriceable("only a gateway, and an interface with a list of subnets, has a price here")
    return [
        Charge(assumptions.HOURS_A_MONTH * len(subnets), prices.ENDPOINT_HOUR),
        Charge(assumptions.GB_THROUGH_AN_ENDPOINT, prices.ENDPOINT_DATA),
    ]


def address(_: TemplateResource, __: Runs) -> list[Charge]:
    """AWS::EC2::EIP: its hours, in use or not."""
    return [Charge(assumptions.HOURS_A_MONTH, prices.PUBLIC_ADDRESS_HOUR)]


def instance(resource: TemplateResource, _: Runs) -> list[Charge]:
    """AWS::EC2::Instance: its hours, its disks, and a public address that it has of its own."""
    given = resource.properties
    size = given.get("InstanceType")
    if size not in prices.INSTANCE_HOUR:
        raise Unpriceable(f"costs/prices.py has no price of {size}")
    if given.get("Monitoring"):
        raise Unpriceable("detailed monitoring has no price here")
    disks = given.get("BlockDeviceMappings", [])
    if not disks:
        raise Unpriceable("how large its disk is stands in no template")
    charges = [
        Charge(assumptions.HOURS_A_MONTH, prices.INSTANCE_HOUR[size]),
        Charge(sum(map(_gigabytes, disks), Decimal(0)), prices.VOLUME_GP3),
    ]
    if any(each.get("AssociatePublicIpAddress") for each in given.get("NetworkInterfaces", [])):
        charges.append(Charge(assumptions.HOURS_A_MONTH, prices.PUBLIC_ADDRESS_HOUR))
    return charges


def _gigabytes(disk: Mapping[str, Any]) -> Decimal:
    volume = TemplateResource("disk", "AWS::EC2::Volume", disk.get("Ebs", {}))
    if volume.properties.get("VolumeType") != "gp3" or "Iops" in volume.properties:
        raise Unpriceable("only a disk of gp3 without more IOPS than it comes with has a price here")
    return volume.number("VolumeSize")
