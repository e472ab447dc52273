"""What outlives its stack: it is found by the stack's tags, and a database holds the network that it is in.

So does what somebody else has made there.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html: a stack's tags are
those of all that it makes.
https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html: a group is not deleted while something
is in it.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
from botocore.exceptions import ClientError

from tests.integration.local_cloud.test_endpoint import Stack

Clients = Callable[[str], Any]

TAGS = [{"Key": "project", "Value": "outliving"}]

NETWORK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/20"}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24"}},
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "whoever speaks to the database"},
    },
    "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
    "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
    "Nat": {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {
            "SubnetId": {"Ref": "Subnet"},
            "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
        },
    },
    "Endpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "ServiceName": "com.amazonaws.eu-west-2.s3",
            "RouteTableIds": [{"Ref": "Routes"}],
        },
    },
}

OUTPUTS = {name: {"Value": {"Ref": name}} for name in ("Group", "Subnet")}


def database(group: str, subnet: str, **others: Any) -> dict[str, Any]:
    """The resources of a database in a network."""
    return {
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Subnets": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"DBSubnetGroupDescription": "where it is", "SubnetIds": [subnet]},
        },
        "Settings": {
            "Type": "AWS::RDS::DBParameterGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"Description": "how it is", "Family": "postgres17"},
        },
        "Database": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "Engine": "postgres",
                "MasterUsername": "master",
                "VPCSecurityGroups": [group],
                "DBSubnetGroupName": {"Ref": "Subnets"},
                "DBParameterGroupName": {"Ref": "Settings"},
                "DeletionProtection": True,
            },
            **others,
        },
    }


@pytest.fixture
def network(client: Clients) -> Iterator[Stack]:
    stack = Stack(client("cloudformation"))
    stack.name = f"network-{stack.name}"
    yield stack
    stack.delete()


@pytest.fixture
def data(client: Clients) -> Iterator[Stack]:
    """A stack with tags; what it leaves is deleted by them."""
    stack = Stack(client("cloudformation"))
    stack.name = f"data-{stack.name}"
    yield stack
    rds, s3 = client("rds"), client("s3")
    for arn in tagged(client):
        name = arn.rpartition(":")[2]
        if arn.startswith("arn:aws:s3"):
            s3.delete_bucket(Bucket=name)
        else:
            rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    assert tagged(client) == []
    for group in rds.describe_db_subnet_groups()["DBSubnetGroups"]:
        rds.delete_db_subnet_group(DBSubnetGroupName=group["DBSubnetGroupName"])
    for group in rds.describe_db_parameter_groups()["DBParameterGroups"]:
        rds.delete_db_parameter_group(DBParameterGroupName=group["DBParameterGroupName"])


def deploy_tagged(client: Clients, stack: Stack, resources: dict[str, Any]) -> None:
    client("cloudformation").create_stack(
        StackName=stack.name, TemplateBody=json.dumps({"Resources": resources}), Tags=TAGS
    )


def tagged(client: Clients) -> list[str]:
    """The ARNs of what bears the stack's tags, but for stacks and for snapshots that are RDS's own."""
    filters = [{"Key": tag["Key"], "Values": [tag["Value"]]} for tag in TAGS]
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=filters)["ResourceTagMappingList"]
    arns = [each["ResourceARN"] for each in found]
    return [arn for arn in arns if ":cloudformation:" not in arn and ":snapshot:rds:" not in arn]


def instances(client: Clients) -> list[str]:
    return [each["DBInstanceIdentifier"] for each in client("rds").describe_db_instances()["DBInstances"]]


def delete_by_hand(client: Clients, instance: str) -> None:
    rds = client("rds")
    with pytest.raises(ClientError, match="disable deletion protection"):
        rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    rds.modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)


def test_a_database_that_outlives_its_stack_is_found_by_its_tags_and_holds_its_network(
    client: Clients, network: Stack, data: Stack
) -> None:
    place = network.deploy(NETWORK, Outputs=OUTPUTS)
    deploy_tagged(client, data, database(place["Group"], place["Subnet"], DeletionPolicy="Retain"))
    client("cloudformation").delete_stack(StackName=data.name)
    [instance] = instances(client)
    assert [arn.rpartition(":")[2] for arn in tagged(client) if ":rds:" in arn] == [instance]
    assert [arn for arn in tagged(client) if arn.startswith(f"arn:aws:s3:::{data.name}")]

    with pytest.raises(ClientError, match=f"resource {place['Group']} has a dependent object"):
        network.delete()
    [held] = client("cloudformation").describe_stacks(StackName=network.name)["Stacks"]
    assert held["StackStatus"] == "DELETE_FAILED"
    delete_by_hand(client, instance)
    network.delete()
    network._exists = False
    with pytest.raises(ClientError, match="does not exist"):
        client("cloudformation").describe_stacks(StackName=network.name)


def said(command: str) -> str:
    """The query with which the page lists what is in a network."""
    page = (Path(__file__).parents[3] / "docs" / "removing.md").read_text(encoding="utf-8")
    [query] = re.findall(rf"aws ec2 {command} --filters Name=vpc-id,Values=\$vpc(?: \\\n   )? --query '([^']+)'", page)
    return str(query)


def test_an_endpoint_that_somebody_else_made_in_a_network_holds_it_and_so_does_its_group(
    client: Clients, network: Stack
) -> None:
    """As GuardDuty makes them: https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring-agent-connectivity.html."""
    place, ec2 = network.deploy(NETWORK, Outputs=OUTPUTS), client("ec2")
    [subnet] = ec2.describe_subnets(SubnetIds=[place["Subnet"]])["Subnets"]
    vpc = subnet["VpcId"]
    named = f"GuardDutyManagedSecurityGroup-{vpc}"
    group = ec2.create_security_group(GroupName=named, Description=named, VpcId=vpc)["GroupId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-2.guardduty-data",
        SubnetIds=[place["Subnet"]],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    there = ec2.describe_vpc_endpoints(Filters=filters)
    assert [made, "com.amazonaws.eu-west-2.guardduty-data"] in jmespath.search(said("describe-vpc-endpoints"), there)
    there = ec2.describe_security_groups(Filters=filters)
    assert [group, named] in jmespath.search(said("describe-security-groups"), there)
    with pytest.raises(ClientError, match=f"The subnet '{place['Subnet']}' has dependencies and cannot be deleted"):
        network.delete()
    with pytest.raises(ClientError, match=f"resource {group} has a dependent object"):
        ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    with pytest.raises(ClientError, match=f"The vpc '{vpc}' has dependencies and cannot be deleted"):
        network.delete()
    ec2.delete_security_group(GroupId=group)
    network.delete()
    network._exists = False
    with pytest.raises(ClientError, match="does not exist"):
        client("cloudformation").describe_stacks(StackName=network.name)


def test_a_snapshot_stays_of_a_database_whose_policy_says_so(client: Clients, network: Stack, data: Stack) -> None:
    place = network.deploy(NETWORK, Outputs=OUTPUTS)
    resources = database(place["Group"], place["Subnet"], DeletionPolicy="Snapshot")
    resources["Database"]["Properties"]["DeletionProtection"] = False
    deploy_tagged(client, data, resources)
    [instance] = instances(client)
    [found] = client("rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
    client("cloudformation").delete_stack(StackName=data.name)
    assert instances(client) == []
    assert [arn for arn in tagged(client) if arn.endswith(f":snapshot:{instance}-snapshot")]
    secrets = client("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": ["rds!"]}])["SecretList"]
    masters = [secret["ARN"] for secret in secrets]
    assert found["MasterUserSecret"]["SecretArn"] not in masters, "the master's secret goes with its instance"


def test_a_network_goes_with_its_stack_all_of_it(client: Clients, network: Stack) -> None:
    def there() -> list[int]:
        ec2 = client("ec2")
        return [
            len(ec2.describe_vpcs()["Vpcs"]),
            len(ec2.describe_internet_gateways()["InternetGateways"]),
            len([each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] != "deleted"]),
            len(ec2.describe_addresses()["Addresses"]),
            len(ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        ]

    before = there()
    network.deploy(NETWORK)
    assert there() == [count + 1 for count in before]
    network.delete()
    network._exists = False
    assert there() == before
