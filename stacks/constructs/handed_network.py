"""The network in the stacks that are deployed after its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.constructs.network import Network
from stacks.stack import TotesStack


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a function runs: in which subnets, and in which security groups."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_groups: Sequence[ec2.ISecurityGroup]


class HandedNetwork:
    """What a network stack hands over: its private subnets and its security groups.

    Attributes:
        stack_name: the stack's name.
        network: the network.
        private_subnets: its private subnets.
        subnets, groups: the ids of these subnets and of the security groups, handed over.
    """

    def __init__(self, stack: TotesStack, network: Network) -> None:
        """Hand a network over.

        Args:
            stack: the network stack.
            network: the network.
        """
        self.stack_name = stack.stack_name
        self.network = network
        self.private_subnets = network.vpc.select_subnets(subnet_type=network.subnets.subnet_type).subnets
        groups = {name: group.security_group_id for name, group in network.groups.items()}
        self.subnets = [
            stack.hand_over(f"Subnet{number}Id", each.subnet_id) for number, each in enumerate(self.private_subnets, 1)
        ]
        self.groups = {name: stack.hand_over(f"{name}GroupId", group) for name, group in groups.items()}
        stack.keep_exporting(*(subnet.subnet_id for subnet in self.private_subnets), *groups.values())


class TakenNetwork(Construct):
    """A network in a stack that is deployed after its own.

    Attributes:
        vpc: the VPC.
        subnets: its private subnets.
    """

    def __init__(self, stack: TotesStack, handed: HandedNetwork) -> None:
        super().__init__(stack, "TakenNetwork")
        self._stack = stack
        self._handed = handed
        self._groups: dict[str, ec2.ISecurityGroup] = {}
        self.vpc, self.subnets = handed.network.vpc, handed.network.subnets
        taken = [stack.take(subnet) for subnet in handed.subnets]
        if any(cdk.Token.is_unresolved(subnet) for subnet in taken):
            # No other template uses the VPC or its route tables, so they are not handed over.
            self.vpc = ec2.Vpc.from_vpc_attributes(
                self,
                "Vpc",
                vpc_id=self.vpc.vpc_id,
                availability_zones=self.vpc.availability_zones,
                private_subnet_ids=taken,
                private_subnet_route_table_ids=[subnet.route_table.route_table_id for subnet in handed.private_subnets],
            )
            self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)

    def group(self, name: str) -> ec2.ISecurityGroup:
        """The security group of a name, one of those in `Network.groups`."""
        if name not in self._groups:
            group_id = self._stack.take(self._handed.groups[name])
            self._groups[name] = ec2.SecurityGroup.from_security_group_id(self, name, group_id, mutable=False)
        return self._groups[name]

    def placement(self, *, source: bool, warehouse: bool) -> Placement:
        """Where a function runs that speaks to the lake, and to these databases."""
        spoken_to = {"Lake": True, "SourceClients": source, "WarehouseClients": warehouse}
        groups = [self.group(name) for name, wanted in spoken_to.items() if wanted]
        return Placement(vpc=self.vpc, subnets=self.subnets, security_groups=groups)
