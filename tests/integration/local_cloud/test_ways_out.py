"""The network stack as it is upgraded: the source's owner has let an address in, and it stays, whatever leads out."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_cloud.test_endpoint import Stack
from tests.support.templates import UNPACKED

Clients = Callable[[str], Any]
Templates = dict[str, dict[str, Any]]

ROOT = Path(__file__).parents[3]

# The CDK's own process leaves its folder to the end of the process that asks it: one of its own, here.
SYNTHESISE = """
import dataclasses, json, sys, tempfile
from pathlib import Path
import aws_cdk
from stacks import config
from stacks.constructs import nat_instances
from stacks.settings.networks import NewNetwork
from stacks.network_stack import NetworkStack

def template(**ways):
    network = NewNetwork(**ways)
    environment = dataclasses.replace(config.named("dev"), network=network)
    with tempfile.TemporaryDirectory() as folder:
        app = aws_cdk.App(outdir=folder, context=json.loads(Path("cdk.json").read_text())["context"])
        stack = NetworkStack(app, environment, network=network)
        return json.loads((Path(app.synth().directory) / stack.template_file).read_text())

found = {
    "gateway": template(nat="gateway"),
    "instance": template(),
    "instances": template(nat_zones=2),
    "named zones": template(zones=("eu-west-2a", "eu-west-2b")),
    "instances in named zones": template(zones=("eu-west-2a", "eu-west-2b"), nat_zones=2),
}
nat_instances._IMAGE = nat_instances._IMAGE.replace("kernel-default", "kernel-6.1")
found["newer image"] = template(nat_zones=2)
nat_instances._SCRIPT += "# other\\n"
found["other script"] = template(nat_zones=2)
json.dump(found, sys.stdout)
"""


@cache
def synthesised() -> Templates:
    """The network stack's templates, with one way out or another."""
    home = Path(tempfile.gettempdir()).parent / "home"
    home.mkdir(exist_ok=True)
    told = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(UNPACKED),
        "TMPDIR": tempfile.gettempdir(),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", SYNTHESISE], cwd=ROOT, env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: Templates = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def templates() -> Templates:
    return synthesised()


class Networks:
    """The network stack, deployed with one way out and then with another."""

    def __init__(self, client: Clients, templates: Templates) -> None:
        self.ec2 = client("ec2")
        self.stack = Stack(client("cloudformation"))
        self._templates = templates

    def deploy(self, way: str) -> dict[str, str]:
        """Deploy; return the outputs."""
        template = self._templates[way]
        parameters = {name: each for name, each in template["Parameters"].items() if name != "BootstrapVersion"}
        outputs = {name: each for name, each in template["Outputs"].items() if "Export" not in each}
        return self.stack.deploy(template["Resources"], Outputs=outputs, Parameters=parameters)

    def gateways(self) -> list[str]:
        found = self.ec2.describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
        return [each["NatGatewayId"] for each in found]

    def instances(self) -> list[dict[str, Any]]:
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        reservations = self.ec2.describe_instances(Filters=running)["Reservations"]
        return [each for reservation in reservations for each in reservation["Instances"]]

    def holder_of(self, address: str) -> str:
        """The instance that has an address; empty: none has."""
        [found] = self.ec2.describe_addresses(PublicIps=[address])["Addresses"]
        return str(found.get("InstanceId", ""))

    def leads_to(self) -> set[str]:
        """What the private subnets' routes lead through."""
        tables = self.ec2.describe_route_tables()["RouteTables"]
        routes = [
            route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"
        ]
        return {str(route.get("InstanceId") or route.get("NatGatewayId")) for route in routes} - {"None"}


@pytest.fixture
def networks(client: Clients, templates: Templates) -> Iterator[Networks]:
    networks = Networks(client, templates)
    yield networks
    networks.stack.delete()
    assert networks.instances() == []
    assert networks.gateways() == []


def test_an_address_that_a_gateway_holds_is_let_go_by_nothing_but_the_gateways_end(networks: Networks) -> None:
    address = networks.deploy("gateway")["NatAddress"]
    [gateway] = networks.gateways()
    assert networks.leads_to() == {gateway}
    with pytest.raises(ClientError, match="You do not have permission to access the specified resource"):
        networks.deploy("instance")
    with pytest.raises(ClientError, match="You do not have permission to access the specified resource"):
        networks.ec2.disassociate_address(PublicIp=address)
    assert networks.gateways() == [gateway], "what leaves a template goes when all else is done"


def test_a_gateway_that_is_deleted_before_hands_its_address_to_the_instance(networks: Networks) -> None:
    address = networks.deploy("gateway")["NatAddress"]
    [gateway] = networks.gateways()
    networks.ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert networks.deploy("instance")["NatAddress"] == address
    [instance] = networks.instances()
    assert networks.holder_of(address) == instance["InstanceId"]
    assert networks.leads_to() == {instance["InstanceId"]}


def test_an_instance_hands_its_address_to_a_gateway_in_one_deployment(networks: Networks) -> None:
    address = networks.deploy("instance")["NatAddress"]
    assert networks.deploy("gateway")["NatAddress"] == address
    assert networks.holder_of(address) == ""
    assert networks.leads_to() == set(networks.gateways())
    assert networks.instances() == []


@pytest.mark.parametrize("other", ["newer image", "other script"])
def test_an_instance_that_is_replaced_hands_on_its_address_and_its_routes(networks: Networks, other: str) -> None:
    told = networks.deploy("instances")
    addresses = [told["NatAddress"], told["NatAddress2"]]
    before = {networks.holder_of(address) for address in addresses}
    assert networks.deploy(other) == told
    now = {networks.holder_of(address) for address in addresses}
    assert len(now) == 2
    assert not now & before
    assert networks.leads_to() == now == {each["InstanceId"] for each in networks.instances()}


@pytest.fixture
def vcpus(client: Clients) -> Iterator[Callable[[int], None]]:
    """Sets how many vCPUs may run at once in the account."""
    quotas, quota = client("service-quotas"), {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    before = quotas.get_service_quota(**quota)["Quota"]["Value"]

    def allow(count: float) -> None:
        quotas.request_service_quota_increase(**quota, DesiredValue=count)
        assert quotas.get_service_quota(**quota)["Quota"]["Value"] == count

    yield allow
    allow(before)


def test_instances_are_replaced_where_the_quota_lets_new_ones_run_beside_them_and_stay_otherwise(
    networks: Networks, vcpus: Callable[[int], None]
) -> None:
    vcpus(5)
    told = networks.deploy("instances")
    addresses = [told["NatAddress"], told["NatAddress2"]]
    before = {networks.holder_of(address) for address in addresses}
    with pytest.raises(ClientError, match="more vCPU capacity than your current vCPU limit of 5 allows"):
        networks.deploy("newer image")
    assert {networks.holder_of(address) for address in addresses} == before
    assert networks.leads_to() == before == {each["InstanceId"] for each in networks.instances()}
    vcpus(7)
    with pytest.raises(ClientError, match="current vCPU limit of 7"):
        networks.deploy("newer image")
    assert networks.leads_to() == before == {each["InstanceId"] for each in networks.instances()}
    vcpus(10)
    assert networks.deploy("newer image") == told
    now = {networks.holder_of(address) for address in addresses}
    assert not now & before
    assert networks.leads_to() == now == {each["InstanceId"] for each in networks.instances()}


def test_a_second_zone_brings_a_second_address_and_leaves_the_first(networks: Networks) -> None:
    one = networks.deploy("instance")
    two = networks.deploy("instances")
    assert two["NatAddress"] == one["NatAddress"]
    assert two["NatAddress2"] != one["NatAddress"]
    assert len(networks.leads_to()) == 2
