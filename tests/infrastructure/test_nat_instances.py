"""The NAT instances: who gets through, what keeps them, and what an upgrade finds as it was."""

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacks import config
from stacks.settings.databases import GivenDatabase
from stacks.settings.networks import NewNetwork
from tests.infrastructure.test_network_stack import into, rules
from tests.support.templates import Synthesised, production, synthesise_foundations


def instances(synthesised: Synthesised) -> list[dict[str, Any]]:
    return [each["Properties"] for each in synthesised.resources("AWS::EC2::Instance").values()]


@pytest.fixture(scope="module")
def by_gateway(store: Path) -> Synthesised:
    environment = dataclasses.replace(config.named("dev"), network=NewNetwork(nat="gateway"))
    return synthesise_foundations(environment, store)


def test_dev_has_one_and_prod_one_in_each_zone_that_its_zones_functions_go_out_through(
    dev: Synthesised, prod: Synthesised
) -> None:
    for environment, zones in ((dev, [1, 1]), (prod, [1, 2])):
        routes = {
            environment.said(route["Properties"]["RouteTableId"]): environment.said(route["Properties"]["InstanceId"])
            for route in environment.resources("AWS::EC2::Route").values()
            if "InstanceId" in route["Properties"]
        }
        names = [routes[f"<NetworkVpcprivateSubnet{number}RouteTable>"] for number in (1, 2)]
        assert [int(name.removeprefix("<NetworkNatInstance")[0]) for name in names] == zones
        subnets = [environment.said(each["SubnetId"]) for each in instances(environment)]
        assert subnets == [f"<NetworkVpcpublicSubnet{number}Subnet>" for number in sorted(set(zones))]


def test_functions_get_through_on_the_ports_of_aws_and_of_what_is_outside_and_nobody_gets_in(
    prod: Synthesised, store: Path
) -> None:
    let_in = {(prod.said(rule["SourceSecurityGroupId"]), rule["FromPort"]) for rule in into(prod, "NetworkNatGroup")}
    of_functions = {("<NetworkLake.GroupId>", 443), ("<NetworkSourceClients.GroupId>", 5432)}
    assert let_in == {*of_functions, ("<TunnelGroup.GroupId>", 443)}
    assert not any(rule.get("CidrIp") for rule in into(prod, "NetworkNatGroup")), "no address gets in"

    outside = dataclasses.replace(production(), source=GivenDatabase(port=6432), warehouse=GivenDatabase(port=7432))
    found = synthesise_foundations(outside, store)
    through = {(found.said(rule["SourceSecurityGroupId"]), rule["FromPort"]) for rule in into(found, "NetworkNatGroup")}
    assert through == {
        ("<NetworkLake.GroupId>", 443),
        ("<NetworkSourceClients.GroupId>", 6432),
        ("<NetworkWarehouseClients.GroupId>", 7432),
    }
    out = {(rule["FromPort"], rule["ToPort"]) for rule in rules(found, "Egress") if rule["of"] == "NetworkNatGroup"}
    assert out == {(443, 443), (6432, 6432), (7432, 7432)}


def test_an_instance_is_closed_encrypted_and_no_more_than_it_needs(prod: Synthesised) -> None:
    for each in instances(prod):
        assert each["InstanceType"] == "t4g.nano"
        assert each["SourceDestCheck"] is False
        assert each["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
        assert each["CreditSpecification"] == {"CPUCredits": "unlimited"}, "it begins without any"
        assert [prod.said(group) for group in each["SecurityGroupIds"]] == ["<NetworkNatGroup.GroupId>"]
        assert not {"KeyName", "IamInstanceProfile", "NetworkInterfaces"} & each.keys()
        [disk] = each["BlockDeviceMappings"]
        assert disk["Ebs"] == {"Encrypted": True, "VolumeType": "gp3", "VolumeSize": 8, "DeleteOnTermination": True}


def test_an_instance_begins_where_it_finds_its_packages_and_the_internet(dev: Synthesised) -> None:
    [instance] = dev.resources("AWS::EC2::Instance").values()
    [endpoint] = dev.resources("AWS::EC2::VPCEndpoint")
    assert endpoint in instance["DependsOn"]
    assert any(name.startswith("NetworkVpcpublicSubnet1DefaultRoute") for name in instance["DependsOn"])


def test_the_newest_image_is_asked_for_at_each_deployment(dev: Synthesised) -> None:
    [instance] = instances(dev)
    parameter = dev.templates["network"]["Parameters"][instance["ImageId"]["Ref"]]
    assert parameter == {
        "Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
        "Default": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
    }


def test_its_script_is_one_forwards_for_its_network_alone_and_patches_it_one_zone_at_a_time(prod: Synthesised) -> None:
    scripts = [each["UserData"]["Fn::Base64"] for each in instances(prod)]
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert "-A POSTROUTING -s 10.20.0.0/20 ! -d 10.20.0.0/20 -j MASQUERADE" in script
        assert "dnf --assumeyes --releasever=latest upgrade" in script
    days = [line for script in scripts for line in script.splitlines() if line.startswith("OnCalendar=")]
    assert days == ["OnCalendar=Sun 05:00 UTC", "OnCalendar=Wed 05:00 UTC"]


def test_another_script_wants_another_instance(dev: Synthesised, store: Path) -> None:
    """What a script says is done once, when an instance begins."""
    elsewhere = dataclasses.replace(config.named("dev"), network=NewNetwork(cidr="10.99.0.0/20"))
    other = synthesise_foundations(elsewhere, store)
    assert set(dev.resources("AWS::EC2::Instance")) != set(other.resources("AWS::EC2::Instance"))


def test_one_that_hangs_is_rebooted(prod: Synthesised) -> None:
    alarms = [each["Properties"] for each in prod.resources("AWS::CloudWatch::Alarm").values()]
    found = {prod.said(alarm["Dimensions"][0]["Value"]): alarm for alarm in alarms if alarm["Namespace"] == "AWS/EC2"}
    assert set(found) == {f"<{logical_id[:-8]}>" for logical_id in prod.resources("AWS::EC2::Instance")}
    for alarm in found.values():
        assert alarm["MetricName"] == "StatusCheckFailed_Instance"
        [action] = alarm["AlarmActions"]
        assert prod.said(action) == "arn:<AWS::Partition>:automate:<AWS::Region>:ec2:reboot"


def test_no_other_stack_imports_what_is_replaced(prod: Synthesised) -> None:
    """An export that others import can neither change nor go, so no deployment could bring a newer image."""
    for template in prod.templates.values():
        exports = [each for each in template.get("Outputs", {}).values() if "Export" in each]
        assert not any("NatInstance" in json.dumps(each["Value"]) for each in exports)


def test_a_gateway_is_still_to_be_had_and_address_and_routes_are_the_same_resources(
    dev: Synthesised, by_gateway: Synthesised
) -> None:
    assert len(by_gateway.resources("AWS::EC2::NatGateway")) == 1
    assert not by_gateway.resources("AWS::EC2::Instance")
    for kind in ("EIP", "Route", "RouteTable", "Subnet"):
        assert set(dev.resources(f"AWS::EC2::{kind}")) == set(by_gateway.resources(f"AWS::EC2::{kind}"))
    outputs = [found.templates["network"]["Outputs"]["NatAddress"] for found in (dev, by_gateway)]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("words", [{"nat": "tunnel"}, {"nat_zones": 0}, {"nat_zones": 3}])
def test_a_way_out_that_there_is_none_of_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="|".join(words)):
        NewNetwork(**words)
