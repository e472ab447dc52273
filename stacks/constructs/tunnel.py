"""The way in for psql and BI tools: a template from which a small instance is started. Nothing runs until then."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.checks import acknowledge
from stacks.constructs.nat_instances import CPU_CREDITS
from stacks.constructs.network import Network
from stacks.environment import Environment
from stacks.settings.databases import OwnDatabase
from stacks.settings.networks import ExistingNetwork

_IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
"""The newest Amazon Linux 2023 at the moment of each start, which has the agent of Systems Manager:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html#use-an-ssm-parameter-instead-of-an-ami-id
"""

_HOURS = 12
"""The longest time that an instance runs: it ends by itself, even if the command that started it was killed."""

_AGENT = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""What the agent needs for sessions, and no more:
https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
"""


def has_tunnel(environment: Environment) -> bool:
    """Whether an environment's warehouse is reached by a tunnel: it is totes' own, and its network has a way out.

    An existing network is assumed to have one.
    """
    way_out = isinstance(environment.network, ExistingNetwork) or environment.needs_nat
    return environment.network is not None and isinstance(environment.warehouse, OwnDatabase) and way_out


class Tunnel(Construct):
    """A launch template, and a security group whose members the warehouse lets in; they cost nothing.

    Attributes:
        outputs: stack outputs: the launch template, and the group where the network's endpoints are somebody else's.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        network: Network,
    ) -> None:
        super().__init__(scope, id)
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=network.vpc,
            description=f"totes {environment.name}: The tunnel",
            allow_all_outbound=False,
        )
        network.let_out(group, "Systems Manager, by TLS")
        port = ec2.Port.tcp(environment.warehouse.port)
        group.add_egress_rule(network.warehouse, port, "The warehouse")
        network.warehouse.add_ingress_rule(group, port, "The tunnel")
        profile = iam.CfnInstanceProfile(self, "Profile", roles=[self._role().role_name])
        tags = [cdk.CfnTag(key=key, value=value) for key, value in _tags(environment).items()]
        template = ec2.CfnLaunchTemplate(
            self,
            "Template",
            version_description="The tunnel to the warehouse",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                image_id=_IMAGE,
                instance_type="t4g.nano",
                credit_specification=ec2.CfnLaunchTemplate.CreditSpecificationProperty(cpu_credits=CPU_CREDITS),
                instance_initiated_shutdown_behavior="terminate",
                user_data=cdk.Fn.base64(f"#!/bin/sh\nshutdown -P +{_HOURS * 60}\n"),
                iam_instance_profile=ec2.CfnLaunchTemplate.IamInstanceProfileProperty(arn=profile.attr_arn),
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_tokens="required", http_put_response_hop_limit=1
                ),
                network_interfaces=[
                    ec2.CfnLaunchTemplate.NetworkInterfaceProperty(
                        device_index=0,
                        subnet_id=network.vpc.select_subnets(subnet_type=network.subnets.subnet_type).subnet_ids[0],
                        groups=[group.security_group_id],
                        associate_public_ip_address=False,
                        delete_on_termination=True,
                    )
                ],
                block_device_mappings=[
                    ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
                        device_name="/dev/xvda",  # the root of every Amazon Linux
                        ebs=ec2.CfnLaunchTemplate.EbsProperty(
                            encrypted=True, volume_type="gp3", volume_size=8, delete_on_termination=True
                        ),
                    )
                ],
                tag_specifications=[
                    ec2.CfnLaunchTemplate.TagSpecificationProperty(resource_type=kind, tags=tags)
                    for kind in ("instance", "network-interface", "volume")
                ],
            ),
        )
        self.outputs = {"TunnelTemplate": template.ref}
        if isinstance(environment.network, ExistingNetwork):
            self.outputs["TunnelGroup"] = group.security_group_id

    def _role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="What the tunnel's instance may do: be reached by Systems Manager",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={
                "sessions": iam.PolicyDocument(statements=[iam.PolicyStatement(actions=list(_AGENT), resources=["*"])])
            },
        )
        acknowledge(
            role, "IAM5[Resource::*]", reason="These actions know no resource: an agent speaks for its own instance."
        )
        return role


def _tags(environment: Environment) -> dict[str, str]:
    return {"Name": f"totes-{environment.name}-tunnel", **environment.all_tags}
