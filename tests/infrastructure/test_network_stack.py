import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from stacks.settings.databases import GivenDatabase
from stacks.settings.networks import ExistingNetwork, NewNetwork
from tests.support.templates import Synthesised, production, synthesise, synthesise_foundations

INSIDE = GivenDatabase(security_group_id="sg-0123456789abcdef0")
EXISTING = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=("eu-west-2a", "eu-west-2b"),
    private_subnet_ids=("subnet-00000000000000001", "subnet-00000000000000002"),
)


def groups_of(synthesised: Synthesised, function: str) -> set[str]:
    return {synthesised.said(group) for group in synthesised.function(function)["VpcConfig"]["SecurityGroupIds"]}


def rules(synthesised: Synthesised, kind: str, *, of_ours: bool = True) -> list[dict[str, Any]]:
    """Every rule of a security group of ours, whether it stands in the group or by itself, or of others' groups."""
    alone = [each["Properties"] for each in synthesised.resources(f"AWS::EC2::SecurityGroup{kind}").values()]
    if not of_ours:
        return [rule for rule in alone if isinstance(rule["GroupId"], str)]
    found = [
        {**rule, "of": logical_id[:-8]}
        for logical_id, group in synthesised.resources("AWS::EC2::SecurityGroup").items()
        for rule in group["Properties"].get(f"SecurityGroup{kind}", [])
    ]
    return found + [
        {**rule, "of": synthesised.said(rule["GroupId"])[1:].split(".")[0]}
        for rule in alone
        if not isinstance(rule["GroupId"], str)
    ]


@pytest.mark.parametrize(
    ("function", "groups"),
    [
        ("raw_data_to_ingestion_bucket", {"SourceClients"}),
        ("ingestion_to_processed_bucket", set()),
        ("processed_bucket_to_warehouse", {"WarehouseClients"}),
        ("publish_snapshot", {"WarehouseClients"}),
        ("verify_warehouse", {"SourceClients", "WarehouseClients"}),
        ("sweep_ingestion_bucket", set()),
        ("audit_lake", set()),
        ("rotate_database_login", {"SourceClients", "WarehouseClients"}),
        ("prepare_warehouse", {"WarehouseClients"}),
        ("answer_questions", {"SourceClients", "WarehouseClients"}),
    ],
)
def test_a_function_is_in_the_groups_of_the_databases_that_it_speaks_to(
    prod: Synthesised, function: str, groups: set[str]
) -> None:
    assert groups_of(prod, function) == {f"<Network{group}.GroupId>" for group in {"Lake", *groups}}


def into(synthesised: Synthesised, group: str) -> list[dict[str, Any]]:
    return [rule for rule in rules(synthesised, "Ingress") if rule["of"] == group]


def test_only_functions_that_speak_to_the_warehouse_and_the_tunnel_get_in(prod: Synthesised) -> None:
    inward = into(prod, "NetworkWarehouse")
    let_in = [prod.said(rule["SourceSecurityGroupId"]) for rule in inward]
    assert sorted(let_in) == ["<NetworkWarehouseClients.GroupId>", "<TunnelGroup.GroupId>"]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in inward} == {(5432, 5432)}


def test_readers_get_in_too_on_the_warehouses_port_and_nowhere_else(store: Path) -> None:
    group = "sg-0fedcba9876543210"
    environment = dataclasses.replace(production(), readers=("10.1.0.0/16", "10.2.3.4/32", group))
    synthesised = synthesise_foundations(environment, store)
    inward = into(synthesised, "NetworkWarehouse")
    assert {rule["of"] for rule in rules(synthesised, "Ingress")} == {"NetworkWarehouse", "NetworkNatGroup"}
    assert {(rule["FromPort"], rule["ToPort"]) for rule in inward} == {(5432, 5432)}
    let_in = {synthesised.said(rule.get("CidrIp") or rule["SourceSecurityGroupId"]) for rule in inward}
    ours = {"<NetworkWarehouseClients.GroupId>", "<TunnelGroup.GroupId>"}
    assert let_in == {*ours, "10.1.0.0/16", "10.2.3.4/32", group}


def test_nobody_speaks_to_the_outside_but_by_tls_and_to_the_source(prod: Synthesised) -> None:
    outward = {(rule["of"], rule["FromPort"]) for rule in rules(prod, "Egress") if rule.get("CidrIp") == "0.0.0.0/0"}
    through = {("NetworkNatGroup", 443), ("NetworkNatGroup", 5432)}
    assert outward == {("NetworkLake", 443), ("TunnelGroup", 443), ("NetworkSourceClients", 5432), *through}


def test_functions_are_in_private_subnets_only(prod: Synthesised) -> None:
    for each in prod.resources("AWS::Lambda::Function").values():
        if each["Properties"]["FunctionName"] == "totes-prod-fetch_exchange_rates":
            assert "VpcConfig" not in each["Properties"], "it speaks to the internet, and to nothing of ours in there"
            continue
        subnets = {prod.said(subnet) for subnet in each["Properties"]["VpcConfig"]["SubnetIds"]}
        assert len(subnets) == 2
        assert all("private" in subnet for subnet in subnets)
    assert not any(each["Properties"]["MapPublicIpOnLaunch"] for each in prod.resources("AWS::EC2::Subnet").values())


def test_there_is_a_way_out_only_if_a_database_is_outside(prod: Synthesised, store: Path) -> None:
    inside = synthesise_foundations(dataclasses.replace(production(), source=INSIDE), store)
    assert len(prod.resources("AWS::EC2::Instance")) == 2
    for kind in ("Instance", "NatGateway", "EIP", "InternetGateway"):
        assert not inside.resources(f"AWS::EC2::{kind}")
    assert INSIDE.security_group_id in [rule.get("DestinationSecurityGroupId") for rule in rules(inside, "Egress")]


def outputs_of(synthesised: Synthesised) -> dict[str, str]:
    """The network stack's outputs that are for people."""
    outputs = synthesised.templates["network"]["Outputs"].items()
    return {key: synthesised.said(each["Value"]) for key, each in outputs if "Export" not in each}


def test_outputs_say_whom_the_owner_of_a_database_lets_in(prod: Synthesised, store: Path) -> None:
    assert outputs_of(prod) == {
        "SourceClientsGroup": "<NetworkSourceClients.GroupId>",
        "NatAddress": "<NetworkVpcpublicSubnet1EIP>",
        "NatAddress2": "<NetworkVpcpublicSubnet2EIP>",
        "TunnelTemplate": "<TunnelTemplate>",
    }
    inside = synthesise_foundations(dataclasses.replace(production(), source=INSIDE, warehouse=INSIDE), store)
    assert outputs_of(inside) == {
        "SourceClientsGroup": "<NetworkSourceClients.GroupId>",
        "WarehouseClientsGroup": "<NetworkWarehouseClients.GroupId>",
    }
    assert rules(inside, "Ingress", of_ours=False) == [], "a group of somebody else's is left as it is"


def test_outputs_say_whom_an_existing_networks_endpoints_let_in(store: Path) -> None:
    found = synthesise(dataclasses.replace(production(), network=EXISTING), store)
    outputs = outputs_of(found)
    assert outputs == {
        "SourceClientsGroup": "<NetworkSourceClients.GroupId>",
        "AwsClientsGroup": "<NetworkLake.GroupId>",
        "TunnelTemplate": "<TunnelTemplate>",
        "TunnelGroup": "<TunnelGroup.GroupId>",
    }
    to_aws = {
        rule["of"] for rule in rules(found, "Egress") if rule.get("CidrIp") == "0.0.0.0/0" and rule["ToPort"] == 443
    }
    assert to_aws == {"NetworkLake", "TunnelGroup"}, "nobody else speaks to AWS"


def test_nobody_speaks_to_the_outside_on_the_port_of_a_database_that_is_inside(store: Path) -> None:
    inside = dataclasses.replace(INSIDE, port=6432)
    found = synthesise_foundations(dataclasses.replace(production(), source=GivenDatabase(), warehouse=inside), store)
    [out] = [rule for rule in rules(found, "Egress") if rule["of"] == "NetworkWarehouseClients"]
    assert (out["DestinationSecurityGroupId"], out["FromPort"], out["ToPort"]) == (INSIDE.security_group_id, 6432, 6432)
    let_through = {rule["FromPort"] for rule in rules(found, "Ingress") if rule["of"] == "NetworkNatGroup"}
    assert let_through == {443, 5432}, "the NAT instances carry nothing to what is in the network"


def test_a_given_group_lets_the_functions_in_where_the_configuration_says_so(store: Path) -> None:
    opened = dataclasses.replace(INSIDE, opens_group=True, port=6432)
    found = synthesise_foundations(dataclasses.replace(production(), source=opened), store)
    [rule] = rules(found, "Ingress", of_ours=False)
    assert rule["GroupId"] == INSIDE.security_group_id
    assert found.said(rule["SourceSecurityGroupId"]) == "<NetworkSourceClients.GroupId>"
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 6432, 6432)
    with pytest.raises(ValueError, match="opens_group is about a group that is given"):
        GivenDatabase(opens_group=True)


def test_s3_is_reached_by_a_gateway_and_secrets_by_an_endpoint_only_where_there_is_no_way_out(
    prod: Synthesised, store: Path
) -> None:
    inside = synthesise_foundations(dataclasses.replace(production(), source=INSIDE), store)
    kinds = [
        sorted(each["Properties"]["VpcEndpointType"] for each in found.resources("AWS::EC2::VPCEndpoint").values())
        for found in (prod, inside)
    ]
    assert kinds == [["Gateway"], ["Gateway", "Interface"]]


def test_the_endpoint_of_secrets_lets_functions_in_and_nobody_else_of_the_network(store: Path) -> None:
    inside = synthesise_foundations(dataclasses.replace(production(), source=INSIDE), store)
    [let_in] = [rule for rule in rules(inside, "Ingress") if rule["of"] == "NetworkSecrets"]
    assert inside.said(let_in["SourceSecurityGroupId"]) == "<NetworkLake.GroupId>"
    assert (let_in["IpProtocol"], let_in["FromPort"], let_in["ToPort"]) == ("tcp", 443, 443)


def test_an_existing_network_is_used_as_it_is(store: Path) -> None:
    found = synthesise(dataclasses.replace(production(), network=EXISTING), store)
    assert not found.resources("AWS::EC2::VPC")
    assert not found.resources("AWS::EC2::Subnet")
    for each in found.resources("AWS::Lambda::Function").values():
        placed = each["Properties"].get("VpcConfig", {}).get("SubnetIds", [])
        outside = each["Properties"]["FunctionName"] == "totes-prod-fetch_exchange_rates"
        assert placed == ([] if outside else list(EXISTING.private_subnet_ids))


def test_functions_and_the_tunnel_ask_the_name_servers_of_an_existing_network(store: Path) -> None:
    existing = dataclasses.replace(EXISTING, name_servers=("10.0.0.2", "10.0.1.2"))
    asked = []
    for network in (EXISTING, existing):
        found = synthesise(dataclasses.replace(production(), network=network), store)
        asked.append([rule for rule in rules(found, "Egress") if rule.get("ToPort") == 53])
    assert asked[0] == []
    groups = {rule["of"] for rule in asked[1]}
    assert [group.partition("Network")[2] or group for group in sorted(groups)] == ["Lake", "TunnelGroup"]
    for group in groups:
        ways = sorted((rule["CidrIp"], rule["IpProtocol"]) for rule in asked[1] if rule["of"] == group)
        assert ways == [("10.0.0.2/32", "tcp"), ("10.0.0.2/32", "udp"), ("10.0.1.2/32", "tcp"), ("10.0.1.2/32", "udp")]


def test_a_name_server_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match=r"name_servers has 'dns\.example\.com', which is no IPv4 address"):
        dataclasses.replace(EXISTING, name_servers=("dns.example.com",))


def test_a_network_takes_the_zones_that_it_is_told(store: Path) -> None:
    """Which of a region's zones have Lambda and all kinds of instances differs from account to account."""
    told = dataclasses.replace(production(), network=NewNetwork(zones=("eu-west-2a", "eu-west-2c"), nat_zones=2))
    found = synthesise_foundations(told, store).resources("AWS::EC2::Subnet").values()
    zones = [each["Properties"]["AvailabilityZone"] for each in found]
    assert sorted(zones) == ["eu-west-2a", "eu-west-2a", "eu-west-2c", "eu-west-2c"]


def told(synthesised: Synthesised) -> list[str]:
    """What the synth warns of in the network's stack."""
    file = synthesised.folder / f"totes-{synthesised.name}-network.metadata.json"
    said = json.loads(file.read_text(encoding="utf-8")).values()
    return [each["data"] for one in said for each in one if each["type"] == "aws:cdk:warning"]


def test_a_synth_warns_where_a_protected_environment_leaves_its_zones_to_aws(
    dev: Synthesised, prod: Synthesised, store: Path
) -> None:
    [warning] = told(prod)
    assert warning.startswith("prod leaves the zones of its network to AWS, which may name others one day")
    named = dataclasses.replace(production(), network=NewNetwork(zones=("eu-west-2a", "eu-west-2b")))
    assert told(synthesise_foundations(named, store)) == []
    assert told(dev) == []


def test_one_network_stands_beside_the_other_that_takes_its_place(store: Path) -> None:
    second = dataclasses.replace(EXISTING, generation=2)
    found = synthesise(dataclasses.replace(production(), network=second, warehouse=GivenDatabase()), store)
    names = [path.name.removesuffix(".template.json") for path in found.folder.glob("*network*.template.json")]
    assert names == ["totes-prod-network-2"]


def test_what_the_network_refuses_is_logged(prod: Synthesised) -> None:
    [log] = prod.resources("AWS::EC2::FlowLog").values()
    assert log["Properties"]["TrafficType"] == "REJECT"
