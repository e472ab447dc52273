"""The network that functions run in: one of totes' own, or one that exists already."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Literal

_ZONES_OF_A_DATABASE = 2
"""RDS wants subnets in so many zones at least, also for an instance in one
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html)."""


@dataclass(frozen=True, kw_only=True)
class NewNetwork:
    """A network of totes' own: private subnets in two zones, and a NAT if something outside must be reached.

    Attributes:
        cidr: its addresses.
        zones: the two availability zones, such as ("eu-west-2a", "eu-west-2c"); None: those that AWS names first, which
            change with the account, so name those that the network has (docs/deploying.md). Not every zone of a region
            has Lambda, NAT gateways and instances of every kind.
        nat: how functions reach the outside: through an instance, at a fifth of the price, or through a gateway, which
            AWS keeps running; docs/costs.md compares them.
        nat_zones: in how many zones there is a NAT, 1 or 2, each with an address of its own. With one NAT, the failure
            of its zone cuts off the other zone too.
        generation: which of the environment's networks it is. A higher number makes another network beside the old
            one, whose stack stays until somebody deletes it. Other addresses, or other zones than those that it has,
            need a higher number (docs/disasters.md).
    """

    cidr: str = "10.20.0.0/20"
    zones: tuple[str, str] | None = None
    nat: Literal["instance", "gateway"] = "instance"
    nat_zones: int = 1
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse an unknown kind or number of NATs, and zones that are not two; raise ValueError."""
        if self.nat not in {"instance", "gateway"}:
            raise ValueError(f"nat is {self.nat!r}; NewNetwork knows 'instance' and 'gateway'")
        if self.zones is not None and not len(self.zones) == len({*self.zones}) == 2:  # noqa: PLR2004 - as it says
            raise ValueError(f"zones is {self.zones!r}; a network of totes' own has two zones, so name two, or None")
        if self.nat_zones not in {1, 2}:
            raise ValueError(f"nat_zones is {self.nat_zones!r}; a network of totes' own has two zones, so say 1 or 2")


@dataclass(frozen=True, kw_only=True)
class ExistingNetwork:
    """A VPC that already exists, whose private subnets reach S3, Secrets Manager and the given databases.

    Attributes:
        vpc_id: the VPC.
        availability_zones: the zones of its private subnets, in their order.
        private_subnet_ids: the subnets that functions, and a warehouse of totes' own, are put in.
        name_servers: the addresses of the DNS servers that the VPC's DHCP options name, if they are not AWS's own. No
            security group stops what asks AWS's own
            (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html).
        generation: which of the environment's networks it is; a network that replaces another needs a higher number
            (docs/disasters.md).
    """

    vpc_id: str
    availability_zones: tuple[str, ...]
    private_subnet_ids: tuple[str, ...]
    name_servers: tuple[str, ...] = ()
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse a name server that is no IPv4 address; raise ValueError."""
        for each in self.name_servers:
            try:
                IPv4Address(each)
            except AddressValueError as error:
                raise ValueError(f"name_servers has {each!r}, which is no IPv4 address: {error}") from error

    def must_hold_a_database(self) -> None:
        """Refuse a network that RDS makes no instance in; raise ValueError."""
        zones, subnets = {*self.availability_zones}, len(self.private_subnet_ids)
        if len(zones) < _ZONES_OF_A_DATABASE or subnets < len(self.availability_zones):
            raise ValueError(
                f"network has {subnets} private subnets in zones {', '.join(sorted(zones))}; a warehouse of totes' own "
                "needs subnets in two zones, or RDS refuses it"
            )


def check_zones(network: NewNetwork | ExistingNetwork, region: str) -> None:
    """Check that a network's zones are a region's: a zone's name begins with its region's, whatever its kind.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html

    Raises:
        ValueError: some are another region's.
    """
    zones = (network.zones or ()) if isinstance(network, NewNetwork) else network.availability_zones
    others = [zone for zone in zones if not zone.startswith(region)]
    if others:
        raise ValueError(
            f"network has the zones {', '.join(others)} (stacks/config.py), and these credentials are for region "
            f"{region}: name zones of that region, or check AWS_REGION"
        )
