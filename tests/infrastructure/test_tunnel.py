"""The tunnel to the warehouse costs nothing until somebody opens it, and lets nobody in but by Systems Manager."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from command_line.tunnel import HOURS
from local_cloud.policies import decide
from stacks.settings.databases import GivenDatabase
from stacks.settings.networks import ExistingNetwork
from tests.infrastructure.test_network_stack import INSIDE, outputs_of, rules
from tests.support.templates import ROOT, Synthesised, production, synthesise_foundations

EXISTING = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=("eu-west-2a", "eu-west-2b"),
    private_subnet_ids=("subnet-00000000000000001", "subnet-00000000000000002"),
)


INSTANCE = "arn:aws:ec2:eu-west-2:1:instance/i-0123456789abcdef0"


def started_from(synthesised: Synthesised) -> dict[str, Any]:
    """What an instance is started with."""
    [template] = synthesised.resources("AWS::EC2::LaunchTemplate").values()
    data: dict[str, Any] = template["Properties"]["LaunchTemplateData"]
    return data


def test_the_instance_is_small_and_goes_with_all_that_it_has(prod: Synthesised) -> None:
    data = started_from(prod)
    assert data["InstanceType"] == "t4g.nano"
    assert data["CreditSpecification"] == {"CpuCredits": "unlimited"}, "it begins without any"
    assert data["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert data["UserData"] == {"Fn::Base64": f"#!/bin/sh\nshutdown -P +{HOURS * 60}\n"}
    [disk] = [each["Ebs"] for each in data["BlockDeviceMappings"]]
    assert disk["DeleteOnTermination"]
    assert disk["Encrypted"]
    for specification in data["TagSpecifications"]:
        tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}
        assert tags == {"Name": "totes-prod-tunnel", "project": "totes", "environment": "prod"}


def test_who_opens_tunnels_ends_and_enters_no_other_instance(dev: Synthesised) -> None:
    """The policy that docs/readers.md gives them: a tag that every instance of totes has would name the NAT too."""
    document = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    [written] = [each for each in re.findall(r"```json\n(.*?)```", document, re.DOTALL) if "TerminateInstances" in each]
    [specification] = [each for each in started_from(dev)["TagSpecifications"] if each["ResourceType"] == "instance"]
    others = [each["Properties"]["Tags"] for each in dev.resources("AWS::EC2::Instance").values()]
    assert others, "dev has a NAT instance"
    checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    said = json.loads(written)["Statement"]
    for each in (each for each in said if each["Action"] == "ssm:StartSession"):
        each["Condition"] = {key: value for key, value in each["Condition"].items() if {key: value} != checked}
    policy = json.dumps({"Statement": said})
    assert written.count(json.dumps(checked)[1:-1]) == 2, "neither a shell nor another document"
    for action, word in (("ec2:TerminateInstances", "aws"), ("ssm:StartSession", "ssm")):
        for tags, is_tunnel in ((specification["Tags"], True), *((each, False) for each in others)):
            known = {f"{word}:ResourceTag/{tag['Key']}": dev.said(tag["Value"]) for tag in tags}
            assert decide([policy], action, INSTANCE, tags=known).allowed is is_tunnel, (action, known)
    [tagging] = [each for each in said if each["Action"] == "ec2:CreateTags"]
    assert tagging["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}, "none becomes a tunnel later"


def test_the_image_is_the_newest_at_each_start(prod: Synthesised) -> None:
    assert started_from(prod)["ImageId"].startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami")


def test_nobody_reaches_the_instance_and_it_reaches_the_warehouse_and_aws(prod: Synthesised) -> None:
    data = started_from(prod)
    [interface] = data["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is False
    assert "private" in prod.said(interface["SubnetId"])
    assert [prod.said(group) for group in interface["Groups"]] == ["<TunnelGroup.GroupId>"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in data
    assert not [rule for rule in rules(prod, "Ingress") if rule["of"] == "TunnelGroup"]
    outward = {
        (prod.said(rule.get("CidrIp") or rule["DestinationSecurityGroupId"]), rule["FromPort"], rule["ToPort"])
        for rule in rules(prod, "Egress")
        if rule["of"] == "TunnelGroup"
    }
    assert outward == {("0.0.0.0/0", 443, 443), ("<NetworkWarehouse.GroupId>", 5432, 5432)}


def test_the_instance_may_be_reached_by_systems_manager_and_do_nothing_else(prod: Synthesised) -> None:
    profile = started_from(prod)["IamInstanceProfile"]["Arn"]["Fn::GetAtt"][0]
    [role] = prod.resources("AWS::IAM::InstanceProfile")[profile]["Properties"]["Roles"]
    permissions = prod.permissions({"Fn::GetAtt": [role["Ref"], "Arn"]})
    assert {action for action, _ in permissions} == {
        "ssm:UpdateInstanceInformation",
        *(f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")),
    }
    assert "ManagedPolicyArns" not in prod.role({"Fn::GetAtt": [role["Ref"], "Arn"]})


def test_an_existing_network_has_one_too(store: Path) -> None:
    found = synthesise_foundations(dataclasses.replace(production(), network=EXISTING), store)
    [interface] = started_from(found)["NetworkInterfaces"]
    assert interface["SubnetId"] == EXISTING.private_subnet_ids[0]
    assert "TunnelTemplate" in outputs_of(found)


def test_there_is_none_where_it_would_lead_nowhere(local: Synthesised, store: Path) -> None:
    isolated = synthesise_foundations(dataclasses.replace(production(), source=INSIDE), store)
    given = synthesise_foundations(dataclasses.replace(production(), warehouse=GivenDatabase()), store)
    for found in (local, isolated, given):
        assert not found.resources("AWS::EC2::LaunchTemplate")
    assert "TunnelTemplate" not in outputs_of(isolated)
