"""Which zones a new network gets is AWS's matter, and changes with the account; the zones that it has can be named.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html:
AWS names the zones that have a default subnet, and all if none has one.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError

from tests.integration.local_cloud.test_endpoint import Stack
from tests.integration.local_cloud.test_ways_out import Networks, synthesised

Clients = Callable[[str], Any]

PAGE = Path(__file__).parents[3] / "docs" / "deploying.md"


class DefaultSubnets:
    """The account's default subnets, by their zones."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2
        [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        self._vpc = vpc["VpcId"]
        self._first = self._found()

    def _found(self) -> dict[str, dict[str, Any]]:
        filters = [{"Name": "vpc-id", "Values": [self._vpc]}]
        return {each["AvailabilityZone"]: each for each in self._ec2.describe_subnets(Filters=filters)["Subnets"]}

    def delete(self, *zones: str) -> None:
        for zone in zones:
            self._ec2.delete_subnet(SubnetId=self._found()[zone]["SubnetId"])

    def put_back(self) -> None:
        for zone in self._first.keys() - self._found().keys():
            cidr = self._first[zone]["CidrBlock"]
            self._ec2.create_subnet(VpcId=self._vpc, CidrBlock=cidr, AvailabilityZone=zone)


@pytest.fixture
def default_subnets(client: Clients) -> Iterator[DefaultSubnets]:
    found = DefaultSubnets(client("ec2"))
    yield found
    found.put_back()


@pytest.fixture
def networks(client: Clients, default_subnets: DefaultSubnets) -> Iterator[Networks]:  # noqa: ARG001 - it ends later
    networks = Networks(client, synthesised())
    yield networks
    networks.stack.delete()


def subnets(client: Clients, query: str = "Subnets[].[SubnetId, AvailabilityZone]") -> Any:
    """What a query, as the AWS CLI takes it, finds in the private subnets of the network."""
    private = [{"Name": "tag:aws-cdk:subnet-name", "Values": ["private"]}]
    return jmespath.search(query, client("ec2").describe_subnets(Filters=private))


def status(client: Clients, stack: Stack) -> str:
    return str(client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"])


def test_when_aws_gives_other_zones_each_update_fails_until_those_of_the_network_are_named(
    client: Clients, networks: Networks, default_subnets: DefaultSubnets
) -> None:
    address = networks.deploy("instance")["NatAddress"]
    before = sorted(subnets(client))
    assert {zone for _, zone in before} == {"eu-west-2a", "eu-west-2b"}
    default_subnets.delete("eu-west-2a")
    refusal = "CIDR Block must change if Availability Zone is changed and VPC ID is not changed"
    assert refusal in " ".join(PAGE.read_text(encoding="utf-8").split())
    for _ in range(2):
        with pytest.raises(ClientError, match=refusal):
            networks.deploy("instances")
        assert status(client, networks.stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert networks.deploy("named zones")["NatAddress"] == address
    assert networks.deploy("instances in named zones")["NatAddress"] == address
    assert sorted(subnets(client)) == before, "none was replaced"


def test_the_page_finds_the_zones_in_the_order_in_which_they_are_to_be_named(
    client: Clients, networks: Networks
) -> None:
    networks.deploy("instance")
    [query] = re.findall(r"aws ec2 describe-subnets .+?--query '([^']+)'", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert subnets(client, query) == ["eu-west-2a", "eu-west-2b"]


def test_an_account_with_one_default_subnet_has_one_zone_to_give_and_takes_those_that_are_named(
    client: Clients, networks: Networks, default_subnets: DefaultSubnets
) -> None:
    default_subnets.delete("eu-west-2a", "eu-west-2b")
    with pytest.raises(ClientError, match="cannot select nonexistent value at index 1"):
        networks.deploy("instance")
    networks.stack.delete()
    networks.stack = Stack(client("cloudformation"))
    networks.deploy("named zones")


def test_an_account_without_default_subnets_has_every_zone_to_give(
    networks: Networks, default_subnets: DefaultSubnets
) -> None:
    default_subnets.delete("eu-west-2a", "eu-west-2b", "eu-west-2c")
    networks.deploy("instance")
