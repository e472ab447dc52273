"""Stacks hand their values over by parameters, so that each can be deployed whatever the others have taken."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from stacks import config
from stacks.environment import Environment
from stacks.settings.databases import OwnDatabase
from stacks.settings.generations import Lake
from stacks.settings.networks import NewNetwork
from tests.support.templates import Synthesised, synthesise, synthesise_foundations

OF_BEFORE = {
    "network": {
        "ExportsOutputFnGetAttNetworkLake6BB6AF72GroupIdB357CD16",
        "ExportsOutputFnGetAttNetworkSourceClients3375865BGroupId61C254DB",
        "ExportsOutputFnGetAttNetworkWarehouseB9CE1FFDGroupIdD2030891",
        "ExportsOutputFnGetAttNetworkWarehouseClients3F42EFC0GroupIdBA0DEC60",
        "ExportsOutputRefNetworkVpcprivateSubnet1Subnet9EC58498554293D5",
        "ExportsOutputRefNetworkVpcprivateSubnet2Subnet6E5E880441579850",
    },
    "data": {
        "ExportsOutputFnGetAttIngestionBucket3AECAE21Arn93B35A26",
        "ExportsOutputFnGetAttOwnWarehouseInstance0DD1595FMasterUserSecretSecretArn63A80E52",
        "ExportsOutputFnGetAttProcessedBucket745F36E0Arn43DF4ADA",
        "ExportsOutputRefDashboardSecretC302725DD968323F",
        "ExportsOutputRefIngestionBucket3AECAE21913FB069",
        "ExportsOutputRefOwnWarehouseInstance0DD1595FFD54A57D",
        "ExportsOutputRefProcessedBucket745F36E019F62361",
        "ExportsOutputRefSourceSecret15116B74230BEEF4",
        "ExportsOutputRefWarehouseSecret1B03BB78A3B42F39",
    },
    "pipeline": {
        "ExportsOutputFnGetAttDeadLettersQueue631681B1QueueName1A13BC3B",
        "ExportsOutputRefAnswerFunction5C8C9F6EB1950744",
        "ExportsOutputRefCaptureFunctionCC554B5F8C766823",
        "ExportsOutputRefLoadFunctionE08EF68C9A7C5F25",
        "ExportsOutputRefPipelineStateMachine1814BD054F196A63",
        "ExportsOutputRefPrepareFunction0E0008CA9F73A3B2",
        "ExportsOutputRefRotateFunction80E9DEEB33ABE70F",
        "ExportsOutputRefSweepFunctionA7728703ECA2ADB6",
        "ExportsOutputRefTransformFunction58095C87F3DFBBF1",
        "ExportsOutputRefVerifyFunction0C87FB6B18F49050",
    },
}
"""What the stacks exported when each imported from the one before: as their outputs are called."""


def exported(template: dict[str, Any]) -> set[str]:
    return {key for key, output in template["Outputs"].items() if "Export" in output}


def dev(**changes: Any) -> Environment:
    return dataclasses.replace(config.named("dev"), **changes)


def own(**changes: Any) -> OwnDatabase:
    warehouse = config.named("dev").warehouse
    assert isinstance(warehouse, OwnDatabase)
    return dataclasses.replace(warehouse, **changes)


def names_of(template: dict[str, Any]) -> set[str]:
    """What a template's resources are called in AWS, where it says so."""
    return {
        value
        for resource in template["Resources"].values()
        for key, value in resource["Properties"].items()
        if key in {"AlarmName", "LogGroupName", "Name", "RoleName", "GroupName", "LaunchTemplateName"}
        and isinstance(value, str)
    }


def test_no_stack_imports_what_another_exports(synthesised: Synthesised) -> None:
    for template in synthesised.templates.values():
        assert "Fn::ImportValue" not in json.dumps(template)


def test_what_stacks_of_before_import_is_exported_still(request: pytest.FixtureRequest) -> None:
    for name in ("dev", "prod"):
        templates = request.getfixturevalue(name).templates
        assert {part: exported(templates[part]) for part in OF_BEFORE} == OF_BEFORE


def test_what_is_taken_is_handed_over_by_a_stack_that_is_deployed_before(synthesised: Synthesised) -> None:
    handed = {
        each["Properties"]["Name"]: part
        for part, template in synthesised.templates.items()
        for each in template["Resources"].values()
        if each["Type"] == "AWS::SSM::Parameter"
    }
    artifacts = json.loads((synthesised.folder / "manifest.json").read_text())["artifacts"]
    for part, template in synthesised.templates.items():
        before = artifacts[f"totes-{synthesised.name}-{part}"]["dependencies"]
        for name, parameter in template["Parameters"].items():
            if name.startswith("SsmParameterValue") and not parameter["Default"].startswith("/aws/service/"):
                assert f"totes-{synthesised.name}-{handed[parameter['Default']]}" in before
    assert f"totes-{synthesised.name}-pipeline" in artifacts[f"totes-{synthesised.name}-watch"]["dependencies"]


def test_no_name_is_one_that_all_regions_share(synthesised: Synthesised) -> None:
    """An environment is deployed in another region while the old one is lost, or still there."""
    for kind, name in (("AWS::IAM::Role", "RoleName"), ("AWS::S3::Bucket", "BucketName")):
        assert [key for key, each in synthesised.resources(kind).items() if name in each["Properties"]] == []


def test_a_warehouse_of_another_generation_is_another_instance_from_its_snapshot(store: Path) -> None:
    found = synthesise_foundations(dev(warehouse=own(generation=2, snapshot="kept")), store)
    [(name, instance)] = found.resources("AWS::RDS::DBInstance").items()
    assert name.startswith("OwnWarehouse2Instance")
    assert instance["Properties"]["DBSnapshotIdentifier"] == "kept"
    assert instance["Properties"]["ManageMasterUserPassword"] is True
    of_the_snapshot = {"MasterUsername", "DBName", "EngineVersion", "StorageEncrypted", "AllocatedStorage"}
    assert not of_the_snapshot & set(instance["Properties"])


def test_a_bucket_of_another_generation_is_another_bucket_and_the_other_stays(store: Path) -> None:
    found = synthesise(dev(lake=Lake(processed=2)), store)
    first, second, _ = sorted(found.resources("AWS::S3::Bucket"))
    assert first == "IngestionBucket3AECAE21"
    assert second.startswith("Processed2Bucket")
    variables = found.function("audit_lake")["Environment"]["Variables"]
    assert found.said(variables["PROCESSED_BUCKET"]) == "<Processed2Bucket>"


def test_a_network_of_another_generation_is_a_stack_of_its_own(store: Path) -> None:
    found = synthesise(dev(network=NewNetwork(generation=2), warehouse=own(generation=2)), store)
    assert set(found.templates) == {"network-2", "data", "dashboard", "pipeline", "watch"}
    assert found.templates["pipeline"]["Outputs"]["NetworkStack"]["Value"] == "totes-dev-network-2"
    before = synthesise_foundations(dev(), store).templates["network"]
    shared = names_of(found.templates["network-2"]) & names_of(before)
    assert not shared, "the old one has its names still"


def test_a_network_of_another_generation_needs_a_warehouse_of_one() -> None:
    with pytest.raises(
        ValueError, match=r"CloudFormation moves no instance into another network.*OwnDatabase\(generation=2"
    ):
        dev(network=NewNetwork(generation=2))
