"""Systems Manager sees the instances that it would see in AWS, and begins no session with any other."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]

AGENT = ["ssm:UpdateInstanceInformation", "ssmmessages:*"]
TO_AWS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
FORWARDED = {"host": ["warehouse.network.internal"], "portNumber": ["5432"], "localPortNumber": ["15432"]}


class Network:
    """A subnet, a security group and a role, and the instances that a launch template starts with them."""

    def __init__(self, client: Clients, name: str) -> None:
        self._ec2, self._iam, self._ssm = client("ec2"), client("iam"), client("ssm")
        self.role = f"agent-{name}"
        vpc = self._ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self._ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
        self._lead_out(vpc)
        self.group = self._ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self._ec2.revoke_security_group_egress(GroupId=self.group, IpPermissions=[everything])
        self._ec2.authorize_security_group_egress(GroupId=self.group, IpPermissions=[TO_AWS])
        self._iam.create_role(RoleName=self.role, AssumeRolePolicyDocument="{}")
        self.let(AGENT)
        profile = self._iam.create_instance_profile(InstanceProfileName=self.role)["InstanceProfile"]["Arn"]
        self._iam.add_role_to_instance_profile(InstanceProfileName=self.role, RoleName=self.role)
        self._template = self._ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={
                "ImageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
                "InstanceType": "t4g.nano",
                "IamInstanceProfile": {"Arn": profile},
                "NetworkInterfaces": [
                    {
                        "DeviceIndex": 0,
                        "SubnetId": self.subnet,
                        "Groups": [self.group],
                        "AssociatePublicIpAddress": False,
                    }
                ],
            },
        )["LaunchTemplate"]["LaunchTemplateId"]

    def _lead_out(self, vpc: str) -> None:
        address = self._ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self._ec2.create_nat_gateway(SubnetId=self.subnet, AllocationId=address)
        self.gateway = made["NatGateway"]["NatGatewayId"]
        table = self._ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self._ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnet)
        self._table = table
        self._ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=self.gateway)

    def take_away(self) -> None:
        """Leave nothing that runs, and no way out, for whoever counts them after this."""
        found = self._ec2.describe_instances(Filters=[{"Name": "subnet-id", "Values": [self.subnet]}])["Reservations"]
        for each in (each for reservation in found for each in reservation["Instances"]):
            self._ec2.terminate_instances(InstanceIds=[each["InstanceId"]])
        self._ec2.delete_route(RouteTableId=self._table, DestinationCidrBlock="0.0.0.0/0")
        self._ec2.delete_nat_gateway(NatGatewayId=self.gateway)

    def take_way_out(self) -> None:
        self._ec2.delete_nat_gateway(NatGatewayId=self.gateway)

    def let(self, actions: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        self._iam.put_role_policy(
            RoleName=self.role,
            PolicyName="agent",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def close(self) -> None:
        """Let the group speak to AWS no more."""
        self._ec2.revoke_security_group_egress(GroupId=self.group, IpPermissions=[TO_AWS])

    def start(self) -> dict[str, Any]:
        template = {"LaunchTemplateId": self._template, "Version": "$Latest"}
        [started] = self._ec2.run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)["Instances"]
        return dict(started)

    def terminate(self, instance: str) -> None:
        self._ec2.terminate_instances(InstanceIds=[instance])

    def sees(self, instance: str) -> bool:
        filters = [{"Key": "InstanceIds", "Values": [instance]}]
        return bool(self._ssm.describe_instance_information(Filters=filters)["InstanceInformationList"])

    def begin(self, instance: str, document: str = DOCUMENT) -> str:
        answer = self._ssm.start_session(Target=instance, DocumentName=document, Parameters=FORWARDED)
        return str(answer["SessionId"])

    def session(self, instance: str, document: str = DOCUMENT) -> str:
        """Begin a session with an agent that may have to be asked twice."""
        try:
            return self.begin(instance, document)
        except self._ssm.exceptions.TargetNotConnected:
            return self.begin(instance, document)

    def end(self, session: str) -> None:
        self._ssm.terminate_session(SessionId=session)


@pytest.fixture
def network(client: Clients, request: pytest.FixtureRequest) -> Iterator[Network]:
    made = Network(client, request.node.name)
    yield made
    made.take_away()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_an_instance_is_what_its_launch_template_says(network: Network) -> None:
    started = network.start()
    assert started["SubnetId"] == network.subnet
    assert [group["GroupId"] for group in started["SecurityGroups"]] == [network.group]
    assert "PublicIpAddress" not in started


def test_an_instance_is_seen_while_it_runs(network: Network) -> None:
    instance = network.start()["InstanceId"]
    assert network.sees(instance)
    network.terminate(instance)
    assert not network.sees(instance)
    assert refusal(lambda: network.session(instance)) == "TargetNotConnected"


def test_an_agent_that_is_seen_is_connected_a_moment_later(network: Network) -> None:
    instance = network.start()["InstanceId"]
    assert network.sees(instance)
    assert refusal(lambda: network.begin(instance)) == "TargetNotConnected"
    network.end(network.begin(instance))


def test_an_instance_whose_role_does_not_let_its_agent_speak_is_not_seen(network: Network) -> None:
    instance = network.start()["InstanceId"]
    network.let(["ssm:UpdateInstanceInformation", "ssmmessages:Create*"])
    assert not network.sees(instance)
    assert refusal(lambda: network.session(instance)) == "TargetNotConnected"


def test_an_instance_whose_group_may_not_speak_to_aws_is_not_seen(network: Network) -> None:
    instance = network.start()["InstanceId"]
    network.close()
    assert not network.sees(instance)
    assert refusal(lambda: network.session(instance)) == "TargetNotConnected"


def test_an_instance_that_no_route_leads_out_of_the_network_is_not_seen(network: Network) -> None:
    instance = network.start()["InstanceId"]
    network.take_way_out()
    assert not network.sees(instance)


@pytest.mark.parametrize(("mode", "seen"), [("block-ingress", True), ("block-bidirectional", False)])
def test_an_instance_behind_a_gateway_is_seen_unless_the_account_blocks_what_goes_out_too(
    client: Clients, network: Network, mode: str, *, seen: bool
) -> None:
    instance, ec2 = network.start()["InstanceId"], client("ec2")
    assert ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)
    try:
        told = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
        assert told["InternetGatewayBlockMode"] == mode
        assert network.sees(instance) == seen
    finally:
        ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="off")
    assert network.sees(instance)


def test_a_session_is_ended_once_and_no_other_document_is_known(network: Network) -> None:
    instance = network.start()["InstanceId"]
    session = network.session(instance)
    network.end(session)
    assert refusal(lambda: network.end(session)) == "DoesNotExistException"
    assert refusal(lambda: network.session(instance, "AWS-RunShellScript")) == "InvalidDocument"
