"""The network: private subnets, the ways out that are needed, and which group may connect to which."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.nat_instances import NatInstances
from stacks.environment import Environment
from stacks.settings.databases import GivenDatabase
from stacks.settings.generations import generation_of
from stacks.settings.networks import ExistingNetwork, NewNetwork
from stacks.settings.readers import is_security_group

_TLS = 443
_DNS = 53
_HOW = "once it is deployed, name those that it has in stacks/config.py (docs/deploying.md#the-zones-of-a-network)"


class Network(Construct):
    """A VPC, new or existing, and security groups whose rules name each other.

    Attributes:
        vpc: the VPC.
        subnets: its private subnets.
        warehouse: the security group of a warehouse of totes' own.
        outputs: stack outputs: what the owner of a given database must let in (security groups, or NAT addresses), and
            the owner of an existing network's endpoints.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        network: NewNetwork | ExistingNetwork,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._instances: NatInstances | None = None
        self._name_servers = network.name_servers if isinstance(network, ExistingNetwork) else ()
        self.vpc = self._existing(network) if isinstance(network, ExistingNetwork) else self._new(network)
        self.subnets = self._subnets(network)
        self.warehouse = self._group("Warehouse", "The warehouse")
        self._lake = self._group("Lake", "Functions: the lake and the secrets")
        # S3's gateway and Secrets Manager have no security group of totes' own that a rule could name.
        self._lake.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_TLS), "AWS, by TLS")
        self._let_ask_for_names(self._lake)
        if isinstance(network, NewNetwork) and not environment.needs_nat:
            self._add_way_to_secrets()
        self._source_clients = self._group("SourceClients", "Functions that speak to the source")
        self._warehouse_clients = self._group("WarehouseClients", "Functions that speak to the warehouse")
        self._let_speak(self._source_clients, environment.source, "Source")
        self.outputs = {"SourceClientsGroup": self._source_clients.security_group_id}
        if isinstance(network, ExistingNetwork):
            self.outputs["AwsClientsGroup"] = self._lake.security_group_id
        if isinstance(environment.warehouse, GivenDatabase):
            self._let_speak(self._warehouse_clients, environment.warehouse, "GivenWarehouse")
            self.outputs["WarehouseClientsGroup"] = self._warehouse_clients.security_group_id
        else:
            port = ec2.Port.tcp(environment.warehouse.port)
            self._warehouse_clients.add_egress_rule(self.warehouse, port, "The warehouse")
            self.warehouse.add_ingress_rule(self._warehouse_clients, port, "Functions")
            for reader in environment.readers:
                group = ec2.Peer.security_group_id(reader) if is_security_group(reader) else None
                self.warehouse.add_ingress_rule(group or ec2.Peer.ipv4(reader), port, "A reader")
        if isinstance(network, NewNetwork) and environment.needs_nat:
            self._add_way_out(network)

    @property
    def groups(self) -> Mapping[str, ec2.SecurityGroup]:
        """The security groups of a warehouse of totes' own and of the functions, by their purpose."""
        return {
            "Warehouse": self.warehouse,
            "Lake": self._lake,
            "SourceClients": self._source_clients,
            "WarehouseClients": self._warehouse_clients,
        }

    def let_out(self, clients: ec2.SecurityGroup, what: str) -> None:
        """Let the members of a group connect to AWS, through the network's way out."""
        clients.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_TLS), what)
        self._let_ask_for_names(clients)
        if self._instances is not None:
            self._instances.let_in(clients, _TLS)

    def _new(self, network: NewNetwork) -> ec2.Vpc:
        if self._environment.protected and network.zones is None:
            left = f"{self._environment.name} leaves the zones of its network to AWS, which may name others one day"
            cdk.Annotations.of(self).add_warning_v2("totes:zones-left-to-aws", f"{left}; {_HOW}")
        nat = self._environment.needs_nat
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat else ec2.SubnetType.PRIVATE_ISOLATED
        subnets = [ec2.SubnetConfiguration(name="private", subnet_type=private, cidr_mask=24)]
        if nat:
            subnets.append(
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                )
            )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=f"totes-{self._environment.name}",
            ip_addresses=ec2.IpAddresses.cidr(network.cidr),
            availability_zones=[*network.zones] if network.zones else None,
            max_azs=None if network.zones else 2,
            nat_gateways=network.nat_zones if nat and network.nat == "gateway" else 0,
            subnet_configuration=subnets,
            # To restrict it the CDK would deploy a function of its own; nothing is ever put into the default group.
            restrict_default_security_group=False,
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        self._log_refusals(vpc, network.generation)
        return vpc

    def _add_way_out(self, network: NewNetwork) -> None:
        """Add NAT instances if there are no gateways, and output the addresses of either."""
        if network.nat == "instance":
            self._instances = NatInstances(
                self,
                "Nat",
                environment=self._environment,
                vpc=cast("ec2.Vpc", self.vpc),
                cidr=network.cidr,
                zones=network.nat_zones,
                generation=network.generation,
                ports=self._ports_outside(),
            )
        for number, subnet in enumerate(self.vpc.public_subnets[: network.nat_zones], start=1):
            address = cast("ec2.CfnEIP", subnet.node.find_child("EIP"))
            self.outputs["NatAddress" if number == 1 else f"NatAddress{number}"] = address.ref

    def _ports_outside(self) -> dict[ec2.SecurityGroup, Sequence[int]]:
        """The ports on which the members of each group connect to the outside."""
        ports: dict[ec2.SecurityGroup, Sequence[int]] = {self._lake: [_TLS]}
        for clients, database in (
            (self._source_clients, self._environment.source),
            (self._warehouse_clients, self._environment.warehouse),
        ):
            if isinstance(database, GivenDatabase) and database.security_group_id is None:
                ports[clients] = [database.port]
        return ports

    def _add_way_to_secrets(self) -> None:
        """Add an endpoint of Secrets Manager, for a network without a way out."""
        group = self._group("Secrets", "The endpoint of Secrets Manager")
        group.add_ingress_rule(self._lake, ec2.Port.tcp(_TLS), "Functions")
        self.vpc.add_interface_endpoint(
            "SecretsManager",
            service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            subnets=self.subnets,
            security_groups=[group],
            open=False,
        )

    def _log_refusals(self, vpc: ec2.Vpc, generation: int) -> None:
        group = logs.LogGroup(
            self,
            "Refusals",
            log_group_name=generation_of(f"/totes/{self._environment.name}/network", generation, "-"),
            retention=self._environment.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # one left behind would block the next deployment of its name
        )
        role = iam.Role(
            self,
            "RefusalsRole",
            description="What the network's flow log may do",
            assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"),
            inline_policies={
                "write": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                            resources=[group.log_group_arn],
                        )
                    ]
                )
            },
        )
        ec2.FlowLog(
            self,
            "FlowLog",
            resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role.without_policy_updates()),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _existing(self, network: ExistingNetwork) -> ec2.IVpc:
        return ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=network.vpc_id,
            availability_zones=list(network.availability_zones),
            private_subnet_ids=list(network.private_subnet_ids),
        )

    def _subnets(self, network: NewNetwork | ExistingNetwork) -> ec2.SubnetSelection:
        isolated = isinstance(network, NewNetwork) and not self._environment.needs_nat
        kind = ec2.SubnetType.PRIVATE_ISOLATED if isolated else ec2.SubnetType.PRIVATE_WITH_EGRESS
        return ec2.SubnetSelection(subnet_type=kind)

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:  # noqa: A002 - CDK's word
        return ec2.SecurityGroup(
            self,
            id,
            vpc=self.vpc,
            description=f"totes {self._environment.name}: {description}",
            allow_all_outbound=False,
        )

    def _let_ask_for_names(self, clients: ec2.SecurityGroup) -> None:
        for address in self._name_servers:
            for port in (ec2.Port.udp(_DNS), ec2.Port.tcp(_DNS)):
                clients.add_egress_rule(ec2.Peer.ipv4(f"{address}/32"), port, "A name server")

    def _let_speak(self, clients: ec2.SecurityGroup, database: GivenDatabase, id: str) -> None:  # noqa: A002
        port = ec2.Port.tcp(database.port)
        if database.security_group_id is None:
            clients.add_egress_rule(ec2.Peer.any_ipv4(), port, "A database outside, by NAT and TLS")
            return
        opened = database.opens_group
        theirs = ec2.SecurityGroup.from_security_group_id(self, id, database.security_group_id, mutable=opened)
        clients.add_egress_rule(theirs, port, "A database in the network")
        if opened:
            theirs.add_ingress_rule(clients, port, f"totes {self._environment.name}: functions")
