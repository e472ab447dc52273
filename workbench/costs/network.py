"""What a network's parts cost; each function raises Unpriceable if that cannot be told."""

from workbench.costs import assumptions, prices
from workbench.costs.charge import Charge
from workbench.costs.runs import Runs
from workbench.costs.templates import Resource, Unpriceable


def nat_gateway(_: Resource, __: Runs) -> list[Charge]:
    """AWS::EC2::NatGateway: its hours, and what goes through it."""
    return [
        Charge(assumptions.HOURS_A_MONTH, prices.NAT_HOUR),
        Charge(assumptions.GB_THROUGH_A_GATEWAY, prices.NAT_DATA),
    ]


def endpoint(resource: Resource, _: Runs) -> list[Charge]:
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


def address(_: Resource, __: Runs) -> list[Charge]:
    """AWS::EC2::EIP: its hours, in use or not."""
    return [Charge(assumptions.HOURS_A_MONTH, prices.PUBLIC_ADDRESS_HOUR)]
